"""`--ops` as a user types it: operators, single graphs, mistakes, drawn values."""


def test_graphs_of_an_operator_become_tests(run):
    done, results = run("--ops", "Tanh")
    # What fails is expected to.
    assert done.ret == 0
    assert all(case_id.startswith("op/Tanh-") for case_id in results)
    default = results["op/Tanh-13/float32/default"]
    assert (default["verdict"], default["corpus"]) == ("agrees", "op")
    assert ["input", "run"] in default["subject"]["axes"]
    assert {line["outcome"] for line in results.values()} == {"passed", "failed"}


def test_an_id_with_commas_is_one_graph(run):
    _, several = run("--ops", "LeakyRelu")
    case_id = next(case_id for case_id in several if "," in case_id)
    _, results = run(f"--ops={case_id}")
    assert list(results) == [case_id]


def test_drawn_values_are_counted_in_the_record(run):
    done, results = run("--ops=op/LeakyRelu-16/float32/default", "--ops-examples=40", "--hypothesis-seed=7")
    assert done.ret == 0
    (line,) = results.values()
    assert line["details"]["examples"]["agree"] >= 40


def test_a_failing_example_is_shown_as_a_program(run, pytester):
    known = pytester.path / "known.toml"
    case_id = "op/Asinh-9/float32/default"
    known.write_text(f'[[expect]]\npattern = "{case_id}"\nstage = "passes"\nreason = "so that it is shown"\n')
    done, results = run(f"--ops={case_id}", "--ops-examples=200", "--burn-expectations", known)
    assert done.ret == 1
    (line,) = results.values()
    assert (line["stage"], line["outcome"]) == ("compare", "failed")
    assert "onnx.parser.parse_model" in line["details"]["example"]
    done.stdout.fnmatch_lines(
        [
            "the smallest example found, as a program:",
            "feeds = {",
            "reproduce: pytest --ops=op/Asinh-9/float32/default*",
        ]
    )


def test_a_failure_on_drawn_values_may_be_expected(run, pytester):
    known = pytester.path / "known.toml"
    case_id = "op/Asinh-9/float32/default"
    # Of drawn values it does not matter which failing set is found first: a wrong answer, or none.
    known.write_text(f'[[expect]]\npattern = "{case_id}"\nstage = "run"\nreason = "it overflows"\non = ["examples"]\n')
    drawn, _ = run(f"--ops={case_id}", "--ops-examples=200", "--burn-expectations", known)
    few, _ = run(f"--ops={case_id}", "--ops-examples=1", "--hypothesis-seed=1", "--burn-expectations", known)
    none, _ = run(f"--ops={case_id}", "--burn-expectations", known)

    assert (drawn.ret, few.ret, none.ret) == (0, 0, 0)
    drawn.assert_outcomes(xfailed=1)
    none.assert_outcomes(passed=1)


def test_an_operator_that_is_none_is_a_usage_error(run):
    done, results = run("--ops", "Convolution")
    assert (done.ret, results) == (4, {})
    done.stderr.fnmatch_lines(["*--ops: no generated graphs for 'Convolution': burn-verify ops list shows*"])
