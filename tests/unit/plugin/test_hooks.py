"""The plugin's hooks: selection, fixtures, header, and mistakes."""

import pytest


def test_a_selected_model_is_a_test(faked):
    done = faked("-v")

    done.assert_outcomes(passed=1)
    done.stdout.fnmatch_lines(["burn-verify: 1 selected*", "*test_model?file/add? PASSED*"])


def test_without_a_selection_the_plugin_does_nothing(faked, pytester):
    pytester.makepyfile("def test_own(): pass")

    done = faked(models=None)

    done.assert_outcomes(passed=1)
    done.stdout.no_fnmatch_line("burn-verify: *")


def test_tests_of_the_folder_run_where_a_path_is_named(faked, pytester):
    path = pytester.makepyfile(
        """
        def test_own(burn_case, burn_verify, burn_target):
            assert burn_case.id == "file/add"
            burn_verify(burn_case)
        """
    )

    faked(path).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--burn-timeout=soon",), "*--burn-timeout: a number of seconds*"),
        (("--compile-budget=3",), "*--compile-budget is about release builds*"),
    ],
)
def test_a_mistake_is_a_usage_error(faked, words, message):
    done = faked(*words)

    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines([message])


@pytest.mark.parametrize("words", [(), ("-n", "2")], ids=["one process", "two"])
def test_answers_are_kept_where_asked(faked, pytester, words):
    faked("--keep-outputs=kept", *words).assert_outcomes(passed=1)

    found = [path.relative_to(pytester.path / "kept") for path in (pytester.path / "kept").rglob("*.*")]
    assert "file/add/seeded.safetensors" in {path.as_posix() for path in found}


def test_the_folder_for_answers_may_come_from_an_ini_file(faked, pytester):
    pytester.makeini("[pytest]\nburn_keep_outputs = kept")

    faked().assert_outcomes(passed=1)
    assert (pytester.path / "kept/file/add/seeded.safetensors").is_file()
