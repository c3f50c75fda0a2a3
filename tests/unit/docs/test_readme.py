"""The README's table of options is what the script makes of the package's own table."""

from pathlib import Path

import pytest

import readme_options as script
from burn_verify.core.option_table import OPTIONS

ROOT = Path(__file__).parents[3]
README = ROOT / "README.md"


def test_the_table_is_fresh():
    text = README.read_text(encoding="utf-8")
    assert text == script.with_table(text), "run tools/readme_options.py"


def test_every_option_has_a_row_of_three_cells():
    rows = script.table().splitlines()[2:]
    assert len(rows) == len(OPTIONS)
    assert {row.replace(r"\|", "").count("|") for row in rows} == {4}
    for row, option in zip(rows, OPTIONS, strict=True):
        assert row.startswith(f"| `{option.flag} ")
        assert f"`{option.ini}`" in row
        assert option.env is None or f"`${option.env}`" in row


def test_check_tells_fresh_from_stale_and_writing_mends_it(tmp_path, capsys):
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{script.START}\nstale\n{script.END}\nafter\n", encoding="utf-8")
    arguments = ["--readme", str(readme)]
    assert script.main([*arguments, "--check"]) == 1
    assert "is stale" in capsys.readouterr().err
    assert script.main(arguments) == 0
    assert script.main([*arguments, "--check"]) == 0
    text = readme.read_text(encoding="utf-8")
    assert text == f"before\n{script.START}\n{script.table()}{script.END}\nafter\n"


@pytest.mark.parametrize("text", ["", "{0}\n", "{1}\n{0}\n", "{0}\n{1}\n{0}\n{1}\n"])
def test_wrong_markers_are_refused(text):
    with pytest.raises(SystemExit, match="the README needs one"):
        script.with_table(text.format(script.START, script.END))


def test_the_readme_is_short():
    # But for the table of options, which is generated and one line an option.
    head, _, rest = README.read_text(encoding="utf-8").partition("<!-- options -->")
    assert len((head + rest.partition("<!-- /options -->")[2]).splitlines()) < 110
