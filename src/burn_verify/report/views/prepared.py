"""What became of a model that was rewritten: as text for the terminal, as Markdown, and as JSON values."""

from collections.abc import Iterator
from typing import Any

from tabulate import tabulate

from burn_verify.core.prepared import Prepared, Proof, Status
from burn_verify.core.result import CaseResult
from burn_verify.core.text import one_line

_HEADERS = ("step", "proof", "nodes", "why")


def prepared_text(found: Prepared) -> str:
    """Return a few lines and a table for the terminal."""
    table = tabulate([_row(proof) for proof in found.proofs], headers=_HEADERS, disable_numparse=True)
    return "\n".join([*_head(found), *(["", table] if found.proofs else []), *_tail(found)])


def prepared_markdown(found: Prepared) -> str:
    """Return the report of one model as a page."""
    table = tabulate(
        [_row(proof) for proof in found.proofs], headers=_HEADERS, disable_numparse=True, tablefmt="github"
    )
    head = "\n\n".join(_head(found))
    tail = "\n".join(f"- {line}" for line in _tail(found) if line)
    return "\n\n".join(filter(None, [f"# {found.case_id}", head, table if found.proofs else "", tail])) + "\n"


def prepared_json(found: Prepared) -> dict[str, Any]:
    """Return the same as JSON values."""
    return {
        "case": found.case_id,
        "status": found.status.value,
        "agrees": found.agrees,
        "before": _result_json(found.before),
        "after": None if found.after is None else _result_json(found.after),
        "rewritings": list(found.rewritings),
        "options": dict(found.options),
        "steps": [_proof_json(proof) for proof in found.proofs],
        "declined": [_proof_json(proof) for proof in found.declined],
        "broken": dict(found.broken),
        "tried": found.tried,
        "in_the_way": found.in_the_way,
    }


def _head(found: Prepared) -> Iterator[str]:
    yield f"{found.case_id}: {found.status}"
    if found.status is not Status.AGREED:
        yield f"as it is: {_ending(found.before)}"
    if found.status is Status.UNKNOWN and found.before.reason and found.before.message:
        yield one_line(found.before.message)
    if found.status is Status.LIFTED and found.after is not None:
        yield f"rewritten: {_ending(found.after)}"


def _tail(found: Prepared) -> Iterator[str]:
    flags = [f"--burn-{name} {'on' if on else 'off'}" for name, on in found.options.items()]
    if flags:
        yield f"convert it with {' '.join(flags)}"
    for proof in found.declined:
        yield f"not done: {proof.name}, which was {proof.grade}: {proof.why}"
    if found.status is Status.STAYS:
        yield f"in the way, after {found.tried} rewritten models: {found.in_the_way}"


def _ending(result: CaseResult) -> str:
    if result.verdict is not None:
        distance = max((one.max_abs for one in result.metrics if one.max_abs is not None), default=None)
        apart = "" if distance is None else f", {distance:.3g} from the reference at most"
        return f"{result.verdict}{apart}"
    return f"{result.stage}: {result.reason or result.message.partition(chr(10))[0]}"


def _row(proof: Proof) -> list[str]:
    apart = f", {proof.distance:.3g} apart" if proof.distance else ""
    return [proof.name, f"{proof.grade}{apart}", f"{proof.nodes_before} → {proof.nodes_after}", proof.reason]


def _result_json(result: CaseResult) -> dict[str, Any]:
    distance = max((one.max_abs for one in result.metrics if one.max_abs is not None), default=None)
    return {
        "stage": result.stage.value,
        "outcome": result.outcome.value,
        "verdict": result.verdict and result.verdict.value,
        "reason": result.reason,
        "message": result.message,
        "max_abs": distance,
    }


def _proof_json(proof: Proof) -> dict[str, Any]:
    return {
        "name": proof.name,
        "reason": proof.reason,
        "proof": proof.grade.value,
        "distance": proof.distance,
        "nodes": [proof.nodes_before, proof.nodes_after],
        "why": proof.why,
    }
