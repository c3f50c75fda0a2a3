"""The pages of the documentation site: what is gathered, and that no link of theirs leads nowhere."""

from pathlib import Path

import pytest

import site_pages
from site_pages import ROOT, gather, linked


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    gather(ROOT, folder)
    return folder


def test_every_link_of_every_page_leads_to_a_page_or_file(pages):
    texts = {path: path.read_text(encoding="utf-8") for path in pages.rglob("*.md")}
    lost = [
        f"{path}: {target}" for path, text in texts.items() for target in linked(text, path) if not target.is_file()
    ]

    assert len(texts) > 80
    assert lost == []


def test_docs_and_reports_are_all_there(pages):
    wanted = {path.relative_to(ROOT) for name in ("docs", "reports") for path in (ROOT / name).rglob("*.md")} - {
        Path("reports/README.md")
    }

    assert wanted <= {path.relative_to(pages) for path in pages.rglob("*.md")}
    assert (pages / "reports" / "about.md").is_file()
    assert (pages / "reports" / "index.html").is_file()


def test_a_folder_that_is_linked_lists_its_pages(tmp_path):
    (tmp_path / "docs" / "more").mkdir(parents=True)
    (tmp_path / "README.md").write_text("[more](docs/more), [reports](reports/README.md#here), `[no](code)`\n")
    (tmp_path / "docs" / "more" / "a.md").write_text("# The title\n\n[up](../../README.md)\n")
    out = tmp_path / "out"
    gather(tmp_path, out)

    assert (
        (out / "README.md").read_text().startswith("[more](docs/more/index.md), [reports](reports/about.md#here), `[")
    )
    assert "- [The title](a.md)" in (out / "docs" / "more" / "index.md").read_text()
    assert (out / "docs" / "more" / "a.md").is_file()


def test_the_pages_can_be_put_together_alone(tmp_path, monkeypatch):
    (tmp_path / "README.md").write_text("# A\n")
    monkeypatch.setattr(site_pages, "ROOT", tmp_path)

    assert site_pages.main(["--pages-only"]) == 0
    assert (tmp_path / "build" / "pages" / "README.md").is_file()
