"""Functions for all commands: declaration, typed options, and written files.

Knows no command.
"""

import argparse
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final, TypeAlias

from burn_verify.burn.checkouts import look
from burn_verify.cases.select import Selection
from burn_verify.core.case import Case
from burn_verify.core.errors import StoreError, UsageError
from burn_verify.core.option_table import OPTIONS
from burn_verify.core.options import Settings, lines_of
from burn_verify.core.target import Target
from burn_verify.core.versions import BACKENDS
from burn_verify.run.search import Instruments
from burn_verify.run.selected import asked
from burn_verify.system.cache import Cache
from burn_verify.system.files import write_if_changed

Commands: TypeAlias = "argparse._SubParsersAction[Any]"

PLACES: Final = frozenset({"zoo_mirror", "cache_dir", "offline"})
"""Fields of the options for locations of models and builds."""


def add_command(commands: Commands, name: str, short: str, text: str, examples: str) -> argparse.ArgumentParser:
    """Add a command whose help keeps its lines.

    Arguments:
        short: its line in the list of commands.
        text: its description; may be empty.
        examples: the text below its options, with exit codes.
    """
    made: argparse.ArgumentParser = commands.add_parser(
        name, help=short, description=text, epilog=examples, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    return made


def add_options(command: argparse.ArgumentParser, fields: Collection[str]) -> None:
    """Add the options that fill these fields of `Settings`, in the order of the table."""
    for option in OPTIONS:
        if option.field in fields:
            flags = filter(None, (option.word, option.flag))
            command.add_argument(*flags, dest=f"option_{option.field}", **option.argument)


def typed(arguments: argparse.Namespace) -> dict[str, str | None]:
    """Return the text of every option, by field; None where it is not given, or the command does not have it."""
    return {option.field: lines_of(getattr(arguments, f"option_{option.field}", None)) for option in OPTIONS}


def add_whose_fault(command: argparse.ArgumentParser) -> None:
    """Add the options that ask whose fault a failure is."""
    command.add_argument(
        "--whose-fault",
        action="store_true",
        help="importer or kernel: run the failing piece on another backend (ndarray; flex where the target is another) "
        "and, written as ONNX again, by ONNX Runtime; each is compiled once, in some minutes",
    )
    command.add_argument(
        "--round-trip", action="store_true", help="importer or kernel, by the second of these alone: no other backend"
    )


def instruments_of(arguments: argparse.Namespace, target: Target) -> Instruments | None:
    """Return what is asked whose fault a failure is, as the options want it."""
    if not (arguments.whose_fault or arguments.round_trip):
        return None
    return Instruments(backend=other_backend(target) if arguments.whose_fault else "", round_trip=True)


def other_backend(target: Target) -> str:
    """Return the backend whose kernels a target's are compared with."""
    return next(backend for backend in BACKENDS if backend != target.backend)


def one_case(name: str, settings: Settings, cache: Cache, *, doing: str = "name") -> Case:
    """Return the case of one model, a name or a file, with what the options say about its inputs.

    Arguments:
        doing: what the error message asks to do with one model at a time.

    Raises:
        UsageError: it is none or several.
    """
    selection = Selection(cache, mirror=settings.zoo_mirror, offline=settings.offline)
    found = selection.choose([name], hints=settings.hints).cases
    if len(found) != 1:
        message = f"{name} is {len(found)} models: {doing} one at a time"
        raise UsageError(message)
    return found[0]


def targets_of(settings: Settings, cache: Cache) -> list[Target]:
    """Return the targets of the settings.

    Raises:
        UsageError: there is only one, and it is invalid.
    """
    return [one.target for one in asked(settings, lambda text, project: look(cache, project, text))]


def one_target(settings: Settings, cache: Cache) -> Target:
    """Return the target of the settings.

    Raises:
        UsageError: they name several, or one that is invalid.
    """
    found = targets_of(settings, cache)
    if len(found) != 1:
        message = f"these options name {len(found)} targets: choose one"
        raise UsageError(message)
    return found[0]


def write_file(path: Path, text: str, advice: str = "") -> None:
    """Write a file that the user requested, unless it has this text already.

    Arguments:
        advice: the end of the error message: what to do if it cannot be written.

    Raises:
        StoreError: it cannot be written.
    """
    try:
        write_if_changed(path, text)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror or error}{advice}"
        raise StoreError(message) from error
