"""Whose fault a failed build is: rustc's errors by module, crates that failed without naming one.

Pure: values in, values out.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from burn_verify.codegen import Group
from burn_verify.diagnostics import RustError, node_of
from burn_verify.errors import CompileError
from burn_verify.reasons import location, rejection
from burn_verify.types import ConvertedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame:
    """What a failed round of cargo proves.

    Attributes:
        errors: rustc's errors by module; every error names the module's file, or the line that binds it.
        suspects: crates that failed while none of their modules was named.
    """

    errors: Mapping[str, Sequence[RustError]]
    suspects: tuple[Group, ...]


def blame(groups: Sequence[Group], errors: Sequence[tuple[str, RustError]], failed: Collection[str]) -> Blame:
    """Sort rustc's errors by module.

    Arguments:
        errors: crate and error, in the order of rustc.
        failed: crates that cargo says could not be compiled.
    """
    by_crate = {group.crate: group for group in groups}
    guilty: dict[str, list[RustError]] = {}
    for crate, error in errors:
        if crate in by_crate and (model := next(_named(error, by_crate[crate]), None)):
            guilty.setdefault(model.module, []).append(error)
    suspects = tuple(
        group
        for group in groups
        if group.modules.isdisjoint(guilty)
        and (group.crate in failed or any(crate == group.crate for crate, _ in errors))
    )
    return Blame(errors=guilty, suspects=suspects)


def compile_error(model: ConvertedModel, generated: str, errors: Sequence[RustError]) -> CompileError:
    """Return the error of a module: rustc's words, the codes, the first generated line and its node.

    Arguments:
        generated: text of the model's Rust file.
    """
    lines = generated.splitlines()
    first = next((spot for error in errors for spot in error.spots if spot.file == str(model.rust)), None)
    text = lines[first.line - 1].strip() if first and 0 < first.line <= len(lines) else None
    details = {
        "codes": sorted({error.code for error in errors if error.code}),
        "errors": len(errors),
        "line": first.line if first else None,
        "rust": text,
        "node": node_of(text) if text else None,
        "file": f"{model.rust.parent.name}/{model.rust.name}",
    }
    message = "\n".join(error.rendered or error.message for error in errors[:5]).strip()
    # The record is read elsewhere, where this machine's folders say nothing.
    message = location(message.replace(f"{model.rust.parent.parent}/", ""))
    return CompileError(message, rejection([(error.code, error.message) for error in errors]), details)


def _named(error: RustError, group: Group) -> Iterator[ConvertedModel]:
    files = {str(model.rust): model for model in group.models}
    for spot in error.spots:
        if spot.file in files:
            yield files[spot.file]
        elif spot.file.endswith(f"{group.crate}/src/lib.rs") and (model := group.model_at(spot.line)):
            yield model
