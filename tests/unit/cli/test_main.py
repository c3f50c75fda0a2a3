"""The command line: one line for a mistake, exit codes, and a run with fakes."""

import shutil
from pathlib import Path

import pytest

from burn_verify import __version__
from burn_verify.core.errors import ConvertError
from fakes import Faults, seams

ADD = Path(__file__).parents[3] / "fixtures" / "add.onnx"


def test_the_version(command):
    assert command("--version") == (0, f"burn-verify {__version__}\n", "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["verify"], "nothing to verify: name a model"),
        (["verify", "no-such-model"], "no-such-model"),
        (["verify", "--models", "mnist"], "here models are named without it: burn-verify verify mnist"),
        (["verify", "mnist", "--compile-budget", "3"], "--compile-budget is about release builds"),
        (["verify", "mnist", "--manifest-path", "nowhere"], "--manifest-path: "),
        (["verify", "mnist", "--manifest-path", ADD], "add.onnx is not a Cargo.toml"),
        (["verify", "mnist", "--burn-timeout", "soon"], "--burn-timeout: a number of seconds"),
        (["list", "no-such-model"], "no name contains"),
        (["verify", ADD, "--input", "a:twos"], "--input (--burn-input): a: no dtype, and no fill such as zeros"),
        (["verify", ADD, "--dim", "batch"], "--dim (--burn-dim): a dimension such as batch=1,3"),
        (["verify", ADD, "--data", "gone.npz"], "--data (--burn-data): gone.npz: no such file or folder"),
        (["dance"], "invalid choice: 'dance'"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_4(command, words, message):
    code, out, err = command(*words)

    assert (code, out) == (4, "")
    assert message in err
    assert "Traceback" not in err


def test_models_are_listed_by_name(command):
    code, out, _ = command("list", "mnist", "--burn-offline", "on")

    assert code == 0
    assert "zoo/mnist" in out


def test_a_model_that_agrees_is_exit_code_0(command):
    code, out, _ = command("verify", ADD, seams=seams())

    assert code == 0
    assert "1 of 1 agree" in out


def test_how_prints_the_lines_for_what_passed(command):
    code, out, _ = command("verify", ADD, "--how", "--burn-simplify", "on,off", seams=seams())

    assert code == 0
    assert f"how to ship file/add with Burn 0.22.1 on flex:\n  copy {ADD} to model/add.onnx" in out
    assert "how to ship file/add with Burn 0.22.1 on flex, not simplified:" in out
    assert 'burn-onnx = "=0.22.0"' in out


def test_how_says_nothing_of_what_failed(command):
    faults = Faults({("convert", "add"): ConvertError("unsupported operator: Add", "unsupported operator: Add")})

    code, out, err = command("verify", ADD, "--how", seams=seams(faults))

    assert code == 1
    assert "Cargo.toml" not in out
    assert "--how: nothing passed, so there is nothing to ship" in err


def test_what_a_crate_ships_is_verified(command, tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "lib.rs").touch()
    (tmp_path / "Cargo.toml").write_text(
        '[package]\nname = "app"\nversion = "0.1.0"\n[dependencies]\n'
        'burn = { version = "0.22", features = ["wgpu", "flex"] }\n'
    )
    code, _, err = command("verify", ADD, "--manifest-path", tmp_path, seams=seams())
    assert code == 4
    assert f"there is no {tmp_path / 'Cargo.lock'}, which says what is shipped" in err

    source = "registry+https://github.com/rust-lang/crates.io-index"
    locked = f'version = 4\n[[package]]\nname = "burn"\nversion = "0.22.1"\nsource = "{source}"\n'
    (tmp_path / "Cargo.lock").write_text(locked)
    code, out, err = command("verify", ADD, "--manifest-path", tmp_path, seams=seams())
    assert code == 0
    assert f"{tmp_path / 'Cargo.lock'}: burn 0.22.1, burn-onnx 0.22.0, flex and wgpu" in err
    assert "file/add agrees agrees" in " ".join(out.split())


def test_a_model_that_fails_is_exit_code_1_and_has_a_command_to_repeat_it(command):
    faults = Faults({("convert", "add"): ConvertError("unsupported operator: Add", "unsupported operator: Add")})

    code, out, err = command("verify", ADD, seams=seams(faults))

    assert code == 1
    assert "unsupported operator: Add" in out
    assert "reproduce: pytest --models=" in err


def test_the_last_run_can_be_shown_again(command):
    first = command("verify", ADD, seams=seams())[1]

    code, out, _ = command("report", "--last")

    assert code == 0
    assert out.splitlines()[-2:] == first.splitlines()[-2:]


def test_an_input_that_no_model_has_is_a_usage_error(command):
    code, _, err = command("verify", ADD, "--input", "zzz:ones", seams=seams())

    assert code == 4
    assert "--input (--burn-input): the model has no input 'zzz'" in err


def test_options_say_what_is_fed(command):
    code, out, _ = command("verify", ADD, "--input", "X:[5,6)", seams=seams())

    assert code == 0
    assert "1 of 1 agree" in out


def test_a_bad_description_ends_its_own_model_and_the_run_with_exit_code_4(command, tmp_path):
    for name in ("good", "bad"):
        shutil.copy(ADD, tmp_path / f"{name}.onnx")
    (tmp_path / "bad.toml").write_text("[[inputs]]\nnam = 'a'\n")

    code, out, err = command("verify", tmp_path, seams=seams())

    assert code == 4
    assert "1 of 2 agree" in out
    assert "file/bad stopped at LOAD: bad.toml: inputs[0].nam: no such key: did you mean 'name'?" in err
