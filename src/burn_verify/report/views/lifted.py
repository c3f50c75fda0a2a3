"""The page about what `prepare` makes of the cases that do not agree: counts, rewritings, and what stays."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tabulate import tabulate

from burn_verify.core.prepared import Grade, Status
from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome
from burn_verify.core.text import counted
from burn_verify.report.summary.lifted import After, Lifted, LiftedCase
from burn_verify.report.summary.prepared_models import PreparedModel

_SHOWN = 3


def after_text(found: After) -> str:
    """Return what `prepare` makes of some failing cases: ``12 of 14 agree; 3 not tried``; empty for no case."""
    if not found.failing:
        return ""
    if not found.tried:
        return "not tried"
    constant = f" ({found.constant} constant)" if found.constant else ""
    untried = found.failing - found.tried
    return f"{found.agree} of {found.tried} agree{constant}" + (f"; {untried} not tried" if untried else "")


def removing_text(found: After) -> str:
    """The same with the rewritings that remove the cause, the most frequent first."""
    some = found.rewritings[:_SHOWN]
    more = len(found.rewritings) - len(some)
    names = ", ".join([*some, *([f"{more} more"] if more else [])])
    return after_text(found) + (f": {names}" if names else "")


def after_json(found: After) -> dict[str, Any]:
    """Return the same as JSON values."""
    return asdict(found) | {"rewritings": list(found.rewritings)}


def second_status(result: CaseResult | None, prepared: Mapping[str, LiftedCase]) -> str:
    """Return the status of a failing model after `prepare`, in a few words; empty of one that does not fail."""
    if result is None or result.outcome is not Outcome.FAILED:
        return ""
    case = prepared.get(result.case_id)
    if case is None:
        return "not tried"
    if case.status is not Status.LIFTED:
        return str(case.status)
    constant = ", computes nothing any more" if case.constant else ""
    return f"{case.status}: {counted(len(case.rewritings), 'rewriting')}{constant}"


def lifted_page(lifted: Lifted, models: Sequence[PreparedModel] = ()) -> str:
    """Return the page as Markdown.

    Arguments:
        models: models that were prepared with options.
    """
    return "\n".join((*_lines(lifted), *(_models(models) if models else ()))) + "\n"


def _models(models: Sequence[PreparedModel]) -> Iterator[str]:
    refused = [one for one in models if not one.as_is and not one.how]
    made = [one for one in models if one.how]
    fine = [one for one in models if one.as_is and not one.how]
    yield ""
    yield "## Models"
    yield ""
    yield "Made by `tools/prepare_zoo.py`. *Max abs* is the greatest distance of Burn's answers from ONNX Runtime's;"
    yield "seconds are those of `burn-verify prepare MODEL OPTIONS`, beside them the load of the machine, which has"
    yield "two processors: the number of processes that wanted to run when it began."
    for cpu in dict.fromkeys(one.cpu for one in models if one.cpu):
        yield f"Processor: {cpu}."
    if refused:
        agree = [one for one in refused if one.agrees]
        yield ""
        yield f"Of {counted(len(refused), 'model')} of the zoo that Burn refuses, {len(agree)} agree after it:"
        yield f"{_by_options(agree)}."
        yield ""
        yield from _table(_OF_MODELS, (_model(one) for one in refused))
    if made:
        yield ""
        yield "### Files that the tool makes"
        yield ""
        for one in made:
            yield f"- `{one.model}`: {one.how}."
        yield ""
        yield from _table(_OF_MODELS, (_model(one) for one in made))
    if fine:
        yield ""
        yield "### Models that agree as they are"
        yield ""
        yield "`prepare` builds such a model, compares, and says so. A build that the cache holds is used."
        yield ""
        yield from _table(_OF_FINE, ((one.model, _nodes(one), _apart(one), *_time(one)) for one in fine))
    explained = [one for one in models if one.explained is not None]
    if explained:
        yield ""
        yield "### What `explain` says before, and how long it takes"
        yield ""
        yield "`burn-verify explain MODEL` runs neither cargo nor burn-onnx."
        yield ""
        yield from _table(_OF_EXPLAINED, (_explained(one) for one in explained))


_OF_FINE = ("model", "nodes", "max abs", "seconds", "load")
_OF_EXPLAINED = ("model", "nodes", "forecast", "seconds", "of a processor", "load")
_OF_MODELS = ("model", "nodes", "options", "agrees", "max abs", "rewritings", "proofs", "tried", "seconds", "load")


def _by_options(models: Sequence[PreparedModel]) -> str:
    """Return how many models agree with which kinds of options."""
    kinds = Counter(", ".join(dict.fromkeys(word for word in one.options if word.startswith("--"))) for one in models)
    named = [f"{count} with `{kind}`" if kind else f"{count} with no option" for kind, count in kinds.most_common()]
    return ", ".join(named) or "none"


def _model(one: PreparedModel) -> Sequence[str]:
    answer = "yes" if one.agrees else f"no: {one.in_the_way}".replace("|", r"\|")
    proofs = ", ".join(f"{count} {name}" for name, count in one.proofs.items())
    options = f"`{' '.join(one.options)}`" if one.options else ""
    done = ", ".join(one.rewritings) or ("none needed" if one.agrees else "")
    return one.model, _nodes(one), options, answer, _apart(one), done, proofs, str(one.tried), *_time(one)


def _explained(one: PreparedModel) -> Sequence[str]:
    wall, own = (f"{number:.1f}" if number is not None else "" for number in (one.explained, one.processor))
    return one.model, _nodes(one), one.forecast, wall, own, _time(one)[1]


def _nodes(one: PreparedModel) -> str:
    return f"{one.nodes:,}" if one.nodes else ""


def _apart(one: PreparedModel) -> str:
    return "" if one.distance is None else f"{one.distance:.2g}"


def _time(one: PreparedModel) -> tuple[str, str]:
    return f"{one.seconds:.0f}", "" if one.load is None else f"{one.load:.0f}"


def _lines(lifted: Lifted) -> Iterator[str]:
    versions = ", ".join(f"{name} {version}" for name, version in lifted.versions.items())
    yield "# After `prepare`"
    yield ""
    yield "What [`burn-verify prepare`](../docs/prepare.md) makes, with no option, of the cases that do not agree:"
    yield f"{versions}."
    yield f"Made by `tools/lift.py` in {lifted.seconds / 60:.0f} minutes; the cases one by one are in `prepare.json`."
    yield ""
    yield from _table(
        ("corpus", "ends at", "cases", "agree after", "of these constant", "cannot be expressed"), _counts(lifted)
    )
    yield ""
    yield "*Cannot be expressed*: no Burn tensor holds what is fed or answered (floats of 8 bits, integers of 2 and 4,"
    yield "text, sequences)."
    yield ""
    yield "## Proofs"
    yield ""
    proofs: Counter[str] = Counter()
    for case in lifted.cases:
        proofs.update(case.proofs)
    yield from _table(("proof of a step", "steps"), [(name, str(count)) for name, count in proofs.most_common()])
    refused = sum(len(case.declined) for case in lifted.cases)
    yield ""
    yield f"{proofs.total():,} steps were made and proved; {proofs[Grade.CLOSE]:,} are inside the judge's bound and"
    yield f"not to the bit. {refused:,} others were declined: they change an answer beyond what they promise, or ONNX"
    yield "Runtime runs the model neither before nor after them. None of these is in a model that counts as agreeing."
    declined = [case for case in lifted.cases if case.declined]
    farthest = max((case.distance or 0.0 for case in lifted.cases), default=0.0)
    yield ""
    yield f"The greatest difference of a step that was made: {farthest:.2g}."
    yield f"Steps were declined for {len(declined)} cases"
    yield f"({_some(f'`{case.case_id}`: {case.declined[0]}' for case in declined) or 'none'})."
    yield ""
    yield "## Rewritings"
    yield ""
    yield from _table(("rewriting", "cases", "alone", "such as"), _rewritings(lifted.cases))
    yield ""
    yield "## What stays, and what stands in the way"
    yield ""
    yield from _table(("operator", "cases", "in the way", "such as"), _stays(lifted.cases))


def _counts(lifted: Lifted) -> Iterator[Sequence[str]]:
    groups: dict[tuple[str, str], list[LiftedCase]] = {}
    for case in lifted.cases:
        if case.status is not Status.AGREED:
            groups.setdefault((case.corpus, case.stage), []).append(case)
    for (corpus, stage), cases in groups.items():
        yield _counted(corpus, stage, cases)
    for corpus in dict.fromkeys(corpus for corpus, _ in groups):
        yield _counted(
            f"**{corpus}**", "", [case for (name, _), some in groups.items() if name == corpus for case in some]
        )


def _counted(corpus: str, stage: str, cases: Sequence[LiftedCase]) -> Sequence[str]:
    agree = [case for case in cases if case.status is Status.LIFTED]
    constant = sum(case.constant for case in agree)
    beyond = sum(not case.expressible for case in cases)
    return corpus, stage, str(len(cases)), str(len(agree)), str(constant), str(beyond)


def _rewritings(cases: Sequence[LiftedCase]) -> Iterator[Sequence[str]]:
    by_name: dict[str, list[LiftedCase]] = {}
    for case in cases:
        for name in case.rewritings if case.status is Status.LIFTED else ():
            by_name.setdefault(name, []).append(case)
    for name, some in sorted(by_name.items(), key=lambda entry: (-len(entry[1]), entry[0])):
        alone = sum(len(case.rewritings) == 1 for case in some)
        yield name, str(len(some)), str(alone), _some(f"`{case.case_id}`" for case in some)


def _stays(cases: Sequence[LiftedCase]) -> Iterator[Sequence[str]]:
    groups: dict[tuple[str, str], list[str]] = {}
    for case in cases:
        if case.status in (Status.STAYS, Status.UNKNOWN):
            groups.setdefault((case.operator or "several", case.in_the_way), []).append(case.case_id)
    for (operator, why), ids in sorted(groups.items(), key=lambda entry: (-len(entry[1]), entry[0])):
        yield operator, str(len(ids)), why.replace("|", r"\|"), _some(f"`{one}`" for one in ids)


def _some(texts: Iterable[str]) -> str:
    every = list(texts)
    return ", ".join(every[:_SHOWN]) + (f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else "")


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield tabulate(list(rows), headers=headers, tablefmt="github", disable_numparse=True)
