"""The command ``burn-verify ops list``: the generated graphs of an operator, and their axes.

Makes no graph and runs none.
"""

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from tabulate import tabulate

from burn_verify.cli.common import Commands, add_command
from burn_verify.core.errors import UsageError

if TYPE_CHECKING:
    from burn_verify.graph.operators import Operator


_EXAMPLES: Final = """\
examples:
  burn-verify ops list                       every operator: family, versions, or why it has no graphs
  burn-verify ops list Conv                  the graphs of Conv, and their axes
  burn-verify ops list Conv --ops-profile quick
  burn-verify verify --ops=Conv              verify them; an id of the list works as well"""


def add_to(commands: Commands) -> None:
    """Add the command to those of the command line."""
    command = commands.add_parser("ops", help="list generated graphs of operators")
    actions = command.add_subparsers(required=True, metavar="ACTION")
    listing = add_command(actions, "list", "the operators, or the graphs of one", "", _EXAMPLES)
    listing.add_argument("operator", nargs="?", metavar="OPERATOR", help="such as Conv; without one, all operators")
    listing.add_argument(
        "--ops-profile", choices=("quick", "nightly", "full"), default="nightly", help="graphs of this profile"
    )
    listing.set_defaults(run=_list)


def _list(arguments: argparse.Namespace) -> int:
    from burn_verify.cases.generated.registry import operators

    known = {operator.name: operator for operator in operators()}
    if arguments.operator is None:
        headers = ["operator", "family", "versions", "no graphs because"]
        print(tabulate(_rows(known), headers=headers, disable_numparse=True))
        return 0
    by_lower = {name.lower(): name for name in known}
    name = by_lower.get(arguments.operator.lower())
    if name is None:
        message = f"no operator is called {arguments.operator!r}: burn-verify ops list shows every one"
        raise UsageError(message)
    for line in _graphs(name, known[name], arguments.ops_profile):
        print(line)
    return 0


def _rows(known: "dict[str, Operator]") -> Iterator[list[str]]:
    from burn_verify.cases.generated.registry import NO_GENERATOR, family_of, versions_of

    for name, operator in known.items():
        versions = ", ".join(map(str, versions_of(operator)))
        yield [name, family_of(name) or "", versions, NO_GENERATOR.get(name, "")]


def _graphs(name: str, operator: "Operator", profile: str) -> Iterator[str]:
    from burn_verify.cases.generated.build import Space, label
    from burn_verify.cases.generated.profiles import PROFILES, choices
    from burn_verify.cases.generated.registry import NO_GENERATOR, family_of, operator_specs, versions_of

    if name in NO_GENERATOR:
        yield f"{name} has no generated graphs: {NO_GENERATOR[name]}"
        return
    spec = operator_specs()[name]
    versions = [version for version in versions_of(operator) if version >= spec.since]
    yield f"{name}, family {family_of(name)}; axes of version {max(versions)}, the default first:"
    for axis, values in Space(spec, max(versions)).axes.items():
        yield f"  {axis}: {', '.join(label(axis, value) for value in values)}"
    profiles = PROFILES[: PROFILES.index(profile) + 1]
    found = [(smallest, choice.id) for choice, smallest in choices(spec, versions) if smallest in profiles]
    yield f"{len(found)} graphs in the profile {profile}:"
    yield tabulate(found, headers=["profile", "graph: version, dtype, what is not at its default"])
