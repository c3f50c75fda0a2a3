"""What `--conformance` selects, and what is left of it by `-k` or by a folder's own hook."""

import pytest

RELU = {"node/test_relu", "node/test_relu_expanded_ver18"}
WORKERS = pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["serial", "n2"])


@WORKERS
def test_k_chooses_among_the_ids(run, workers):
    done, results = run("--conformance=node", "-k", "test_relu and not leaky", *workers)
    assert done.ret == 0
    assert set(results) == RELU
    assert {line["verdict"] for line in results.values()} == {"agrees"}
    assert results["node/test_relu"]["subject"] == {
        "op_type": "Relu",
        "domain": "",
        "since_version": 14,
        "dtype": "float32",
    }


@WORKERS
def test_what_a_hook_leaves_out_is_no_failure(run, pytester, workers):
    pytester.makeconftest(
        """
        def pytest_collection_modifyitems(config, items):
            left = [item for item in items if "single_relu" in item.name]
            config.hook.pytest_deselected(items=[item for item in items if item not in left])
            items[:] = left
        """
    )
    done, results = run("--conformance=simple", *workers)
    assert done.ret == 0
    assert set(results) == {"simple/test_single_relu_model"}


def test_workers_write_the_same_results(run):
    _, serial = run("--conformance=simple")
    _, parallel = run("--conformance=simple", "-n", "2")
    assert len(serial) > 10
    without_times = [
        {case_id: {**line, "durations": None} for case_id, line in results.items()} for results in (serial, parallel)
    ]
    assert without_times[0] == without_times[1]


def test_an_unknown_suite_is_one_line(run):
    done, _ = run("--conformance=nodes")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*--conformance: no suite is called 'nodes': choose from all, pytorch, node, *"])
