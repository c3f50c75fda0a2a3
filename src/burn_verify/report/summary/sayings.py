"""What a failed case says beyond its normalised reason, and which generated line it says it of.

Text from results only, in one line each and without folders of a machine; neither shortened nor escaped.
"""

import re

from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Stage
from burn_verify.core.text import one_line
from burn_verify.report.summary.ends import first_line, reason_of, unsupported_operators, without_folders

_WRAPPING = re.compile(r"^(Failed to parse ONNX file '[^']*': |Type inference failed: |Processing error: )+")
_BANNER = re.compile(r"^=+ .* =+$")
_CODE = re.compile(r"^E\d+$")


def said_by(result: CaseResult, key: str) -> tuple[str, str]:
    """Return what the case says of a key and the generated Rust; each is empty where there is nothing to add.

    Arguments:
        key: the normalised reason, at COMPILE a code of rustc.
    """
    if result.stage is Stage.COMPILE:
        return _said_by_rustc(result, key)
    said = _WRAPPING.sub("", _first_telling_line(result))
    # The judge ends with the case and the data set, and the case is shown beside it.
    said = re.sub(rf" \[{re.escape(one_line(result.case_id))}[^\]]*\]$", "", said)
    # A list of operators that burn-onnx lacks is our own sentence: its words say more.
    repeats = not unsupported_operators(result) and _repeats(said, key)
    return "" if said == key or repeats else said, _rust(result)


def _said_by_rustc(result: CaseResult, code: str) -> tuple[str, str]:
    """Find the first error of a code in what rustc said; the record's own line is that of the first error of all."""
    mark = re.escape(f"error[{code}]" if _CODE.match(code) else "error")
    found = re.search(rf"^{mark}: (.*)(?:\n\s*--> .*:(\d+):\d+$)?", result.message, re.MULTILINE)
    if found is None:
        return reason_of(result), _rust(result)
    if found[2] is None:
        return one_line(without_folders(found[1])), _rust(result)
    line = re.search(rf"^{found[2]} +\|(.*)$", result.message[found.end() :], re.MULTILINE)
    rust = one_line(without_folders(line[1])) if line else _rust(result)
    return one_line(without_folders(found[1])), rust


def _rust(result: CaseResult) -> str:
    return one_line(without_folders(str(result.details.get("rust") or "")))


def _first_telling_line(result: CaseResult) -> str:
    first, _, rest = result.message.strip().partition("\n")
    return one_line(without_folders(rest)) if rest and _BANNER.match(first.strip()) else first_line(result)


def _repeats(said: str, key: str) -> bool:
    """Return whether a reason holds all of what was said but the names; an ellipsis stands for what was normalised."""
    _, colon, tail = key.partition(": ")
    parts = [part.strip() for part in tail.split("…")]
    return bool(colon) and any(parts) and all(part in said for part in parts)
