"""Whether a record says something about Burn at all, or only about a machine that could not do the work.

Pure. A broken environment must never look as if Burn got worse.
"""

from typing import Final

from burn_verify.codec import Record
from burn_verify.types import CaseResult, Outcome, Stage

_LEAST_SILENT: Final = 5
_SILENT_SHARE: Final = 0.1
"""More cases without evidence than this, and at least so many, are the fault of the machine; a sound run has none."""


def why_broken(record: Record) -> str | None:
    """Return in one line why a record says nothing about Burn; None where it does."""
    if record.selection == ():
        return None  # a shard of which -k left nothing
    if not record.results:
        return "it holds no result: the run ended before its first case; burn-verify doctor says what is missing"
    silent = [result for result in record.results if _is_silent(result)]
    if len(silent) >= max(_LEAST_SILENT, _SILENT_SHARE * len(record.results)):
        said = silent[0].reason or silent[0].message.partition("\n")[0]
        return (
            f"{len(silent)} of {len(record.results)} cases had nothing to be compared with ({said}): that is this "
            "machine's fault, not Burn's; burn-verify doctor says what is missing"
        )
    return None


def _is_silent(result: CaseResult) -> bool:
    return result.outcome is Outcome.FAILED and result.stage in (Stage.LOAD, Stage.REFERENCE)
