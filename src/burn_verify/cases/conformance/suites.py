"""The suites of ONNX's own test cases, and the cases of the suite of architectures.

Collects nothing (see `burn_verify.cases.conformance.collector`) and reads no file.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from burn_verify.cases.seeded import light
from burn_verify.core.case import Case, Seeded
from burn_verify.core.errors import UsageError
from burn_verify.core.option_values import ALL

COLLECTED: Final = ("node", "simple", "pytorch-converted", "pytorch-operator")
"""The suites whose cases and answers come with onnx, by their names in onnx."""

LIGHT: Final = "light"
"""The suite of real architectures.

In onnx their weights are constants, so that the answers do not depend on the inputs and prove nothing. Here they get
random weights, and ONNX Runtime answers.
"""

SUITES: Final = (*COLLECTED, LIGHT)

_SHORT: Final[Mapping[str, tuple[str, ...]]] = {
    ALL: SUITES,
    "pytorch": ("pytorch-converted", "pytorch-operator"),
}


def suites_of(names: Iterable[str]) -> tuple[str, ...]:
    """Return the suites of names, each once, in the order of `SUITES`.

    Raises:
        UsageError: a name is unknown.
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
