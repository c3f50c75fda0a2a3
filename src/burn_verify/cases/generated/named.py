"""Whether an id is that of a graph which the declarations of the operators make, in some profile. Makes none."""

import re
from functools import cache
from typing import Final

from burn_verify.cases.generated.build import Space, label
from burn_verify.cases.generated.corpus import CORPUS
from burn_verify.cases.generated.operator_spec import DTYPE, OMIT
from burn_verify.cases.generated.registry import operator_specs, operators, versions_of

_ID: Final = re.compile(rf"{CORPUS}/(?P<name>.+)-(?P<version>\d+)/(?P<dtype>\w+)/(?P<changed>.+)")
_DEFAULT: Final = "default"
_TWIN: Final = "twin=expanded"
"""The function that defines an operator: `collector` knows whether there is one."""


def is_made(case_id: str) -> bool:
    """Return whether the declarations make a graph of this id."""
    found = _ID.fullmatch(case_id)
    if found is None or found["name"] not in operator_specs():
        return False
    changed = [part for part in re.split(r",(?=\w+=)", found["changed"]) if part != _TWIN]
    changes = dict(part.partition("=")[::2] for part in changed if part != _DEFAULT)
    space = _space(found["name"], int(found["version"]))
    if space is None or found["dtype"] not in space.axes[DTYPE]:
        return False
    labels = {axis: label(axis, space.default.get(axis, OMIT)) for axis in space.axes}
    choice = space.choice_of(found["dtype"], {**labels, **changes})
    own = f"{CORPUS}/{found['name']}-{found['version']}/{found['dtype']}/{','.join(changed) or _DEFAULT}"
    return choice is not None and choice.id == own


@cache
def _space(name: str, version: int) -> Space | None:
    spec = operator_specs()[name]
    known = next(operator for operator in operators() if operator.name == name)
    return Space(spec, version) if spec.since <= version and version in versions_of(known) else None
