"""The message of a failed case beyond its normalised reason, and the generated line of Rust.

Text from results only, in one line each and without absolute paths; neither shortened nor escaped.
"""

import re

from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Stage
from burn_verify.core.text import one_line
from burn_verify.report.summary.ends import first_line, reason_of, unsupported_operators, without_folders

_WRAPPING = re.compile(r"^(Failed to parse ONNX file '[^']*': |Type inference failed: |Processing error: )+")
_BANNER = re.compile(r"^=+ .* =+$")
_CODE = re.compile(r"^E\d+$")


def message_and_rust(result: CaseResult, key: str) -> tuple[str, str]:
    """Return the message of a case for a key, and the generated Rust; each is empty where it adds nothing.

    Arguments:
        key: the normalised reason, at COMPILE a code of rustc.
    """
    if result.stage is Stage.COMPILE:
        return _rustc_message_and_rust(result, key)
    message = _WRAPPING.sub("", _first_telling_line(result))
    # The judge ends with the case and the data set, and the case is shown beside it.
    message = re.sub(rf" \[{re.escape(one_line(result.case_id))}[^\]]*\]$", "", message)
    # A list of operators that burn-onnx lacks is our own sentence: its words say more.
    repeats = not unsupported_operators(result) and _repeats(message, key)
    return "" if message == key or repeats else message, _rust(result)


def _rustc_message_and_rust(result: CaseResult, code: str) -> tuple[str, str]:
    """Return the first error of a code in the output of rustc, and its line of Rust."""
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


def _repeats(message: str, key: str) -> bool:
    """Return whether a reason contains the message up to names; an ellipsis stands for the normalised parts."""
    _, colon, tail = key.partition(": ")
    parts = [part.strip() for part in tail.split("…")]
    return bool(colon) and any(parts) and all(part in message for part in parts)
