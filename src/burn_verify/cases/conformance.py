"""ONNX's conformance corpus: the suites there are, and cases from the index of a collected one.

Collects nothing (see `burn_verify.corpus`) and reads no file.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from burn_verify.cases.seeded import light
from burn_verify.errors import UsageError
from burn_verify.options import ALL
from burn_verify.types import Case, Collected, Seeded, Subject, TensorSpec, Tolerance

COLLECTED: Final = ("node", "simple", "pytorch-converted", "pytorch-operator")
"""The suites whose cases and answers come with onnx, by the names that onnx gives them."""

LIGHT: Final = "light"
"""The suite of real architectures. As shipped their weights are constants and so are their answers, whatever they are
fed, which proves nothing: they get random weights, and ONNX Runtime answers."""

SUITES: Final = (*COLLECTED, LIGHT)

_SHORT: Final[Mapping[str, tuple[str, ...]]] = {
    ALL: SUITES,
    "pytorch": ("pytorch-converted", "pytorch-operator"),
}


def suites_of(names: Iterable[str]) -> tuple[str, ...]:
    """Return the suites that names mean, each once, in the order of `SUITES`.

    Raises:
        UsageError: a name means nothing.
    """
    wanted: set[str] = set()
    for name in names:
        found = _SHORT.get(name.lower(), (name.lower(),))
        if not set(found) <= set(SUITES):
            message = f"--conformance: no suite is called {name!r}: choose from {', '.join((*_SHORT, *SUITES))}"
            raise UsageError(message)
        wanted.update(found)
    return tuple(suite for suite in SUITES if suite in wanted)


def light_cases() -> tuple[Case, ...]:
    """Return the cases of the suite `LIGHT`."""
    note = "the architecture with random weights: as shipped it answers the same whatever it is fed"
    return tuple(
        Case(id=f"{LIGHT}/{name}", corpus=LIGHT, source=Seeded(architecture=name), note=note) for name in light.FILES
    )


def case_from_json(entry: Mapping[str, Any], suite: str, folder: Path) -> Case:
    """Return the case of an entry of an index.

    Arguments:
        folder: where the model and the data of the suite lie.
    """
    return Case(id=f"{suite}/{entry['name']}", corpus=suite, source=collected_from_json(entry, folder))


def collected_from_json(entry: Mapping[str, Any], folder: Path) -> Collected:
    """Return the source of an entry of an index, whatever the corpus."""
    name, refused = entry["name"], entry.get("refused")
    # Where no reference answers, what a graph is fed is kept all the same: twins can be compared.
    subject = entry["subject"]
    return Collected(
        model=folder / f"{name}.onnx",
        digest=entry["digest"],
        op_types=tuple(entry["op_types"]),
        opset=entry["opset"],
        inputs=tuple(_spec(spec) for spec in entry["inputs"]),
        outputs=tuple(_spec(spec) for spec in entry["outputs"]),
        data=None if entry["unsupported"] else folder / f"{name}.safetensors",
        data_sets=tuple(entry["data_sets"]),
        subject=None if subject is None else subject_from_json(subject),
        random=entry["random"],
        tolerance=Tolerance(rtol=entry["rtol"], atol=entry["atol"]) if "rtol" in entry else None,
        unsupported=entry["unsupported"],
        answered=entry.get("answered", False),
        evaluated=entry.get("evaluated", False),
        refused=refused,
        twin=entry.get("twin"),
    )


def subject_from_json(subject: Mapping[str, Any]) -> Subject:
    """Return the subject of an entry of an index."""
    axes = tuple((str(axis), str(value)) for axis, value in subject.get("axes", ()))
    return Subject(**{**subject, "axes": axes})


def _spec(spec: Mapping[str, Any]) -> TensorSpec:
    return TensorSpec(name=spec["name"], dtype=spec["dtype"], shape=tuple(spec["shape"]))
