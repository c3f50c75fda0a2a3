"""The status of an operator, or of some of its cases, from how the cases ended.

The first line that fits decides:

1. a case gives a wrong answer → refuted, whatever else agrees;
2. every case agrees, and there is one → verified;
3. some agree → partly: what does not was refused, does not compile, failed at run time, or could not be judged;
4. none agrees, and one failed at run time → refuted: a program was made, and it never answered;
5. none agrees, and the Rust of one does not compile → does not compile;
6. none agrees, and one was refused by burn-onnx, or is of a type for which Burn has no value → refused;
7. nothing was judged: no case, only random answers, or none that could be loaded or had a reference → untested.

So, where none agrees and none is wrong, the case that got furthest decides.
"""

from collections.abc import Collection
from enum import StrEnum
from typing import Final

from burn_verify.report.summary.ends import End


class Status(StrEnum):
    """The status of an operator; see the docstring of the module."""

    VERIFIED = "verified"
    PARTLY = "partly"
    REFUTED = "refuted"
    REFUSED = "refused"
    DOES_NOT_COMPILE = "does not compile"
    UNTESTED = "untested"


FAILING: Final = (Status.REFUTED, Status.REFUSED, Status.DOES_NOT_COMPILE)


def status_of(ends: Collection[End]) -> Status:
    """Return the status that cases have together; see the docstring of the module."""
    if End.WRONG in ends:
        return Status.REFUTED
    if End.AGREES in ends:
        return Status.VERIFIED if all(end is End.AGREES for end in ends) else Status.PARTLY
    if End.FAILED in ends:
        return Status.REFUTED
    if End.NO_PROGRAM in ends:
        return Status.DOES_NOT_COMPILE
    if End.REFUSED in ends or End.NO_VALUE in ends:
        return Status.REFUSED
    return Status.UNTESTED
