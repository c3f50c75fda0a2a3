"""The command ``burn-verify toolchain``: a compiled Burn as one archive, for machines that should not compile it."""

import argparse
import sys
from pathlib import Path
from typing import Final

from burn_verify.burn import packed
from burn_verify.burn.packed import Packed
from burn_verify.burn.workspace import Workspace
from burn_verify.cli.common import Commands, add_command, add_options, one_target, typed
from burn_verify.core.errors import UsageError
from burn_verify.core.options import settings_from
from burn_verify.system.console import LongWork

_TEXT: Final = """\
Pack a compiled Burn as one archive, compiling it first where that was not done; unpack it into the cache of another
machine, which then need not compile it. The name of an archive says what decides its content: Burn's version, backends,
rustc and burn-verify's own Rust. Every file is checked by its digest before any is put to its place."""
_EXAMPLES: Final = """\
examples:
  burn-verify toolchain pack -o archives/                 archives/burn-0.22.1-flex-<key>.tar.zst
  burn-verify toolchain pack --key                        the name only, as a key for a cache of CI
  burn-verify toolchain unpack archives/burn-0.22.1-flex-0123456789abcdef.tar.zst
Sources of crates are not in it: cargo fetches them once where a model is compiled, or finds them in ~/.cargo.
exit codes: 0 done, 3 toolchain, 4 usage, such as an archive that is damaged or of another rustc"""
_FIELDS: Final = frozenset({"cache_dir", "burn_version", "burn_backend"})


def add_to(commands: Commands) -> None:
    """Add the command to those of the command line."""
    short = "pack a compiled Burn as an archive, and unpack it elsewhere"
    command = add_command(commands, "toolchain", short, _TEXT, _EXAMPLES)
    does = command.add_subparsers(required=True, metavar="pack|unpack")
    pack = does.add_parser("pack", help="write an archive")
    pack.add_argument("-o", "--out", type=Path, default=Path(), metavar="PATH", help="a file or folder (default: here)")
    pack.add_argument("--key", action="store_true", help="print the name of the archive, and do nothing")
    add_options(pack, _FIELDS)
    pack.set_defaults(run=_pack)
    unpack = does.add_parser("unpack", help="put an archive into the cache")
    unpack.add_argument("archive", type=Path, metavar="ARCHIVE", help="a file that pack wrote")
    add_options(unpack, ("cache_dir",))
    unpack.set_defaults(run=_unpack)


def _pack(arguments: argparse.Namespace) -> int:
    settings = settings_from(typed(arguments))
    cache = arguments.seams.cache(settings.cache_dir)
    target = one_target(settings, cache)
    with LongWork(sys.stderr) as work:
        workspace = Workspace.of(cache, work.listen, target)
        name = packed.name_of(workspace)
        if arguments.key:
            print(name)
            return 0
        path = arguments.out / name if arguments.out.is_dir() else arguments.out
        if not path.parent.is_dir():
            message = f"--out {arguments.out}: there is no folder {path.parent}"
            raise UsageError(message)
        workspace.converter()
        done = packed.pack(workspace, cache, path, work.listen)
    print(_said("packed", done))
    return 0


def _unpack(arguments: argparse.Namespace) -> int:
    settings = settings_from(typed(arguments))
    with LongWork(sys.stderr) as work:
        done = packed.unpack(arguments.archive, arguments.seams.cache(settings.cache_dir), work.listen)
    print(_said("unpacked", done))
    return 0


def _said(what: str, done: Packed) -> str:
    sizes = f"{done.size / 1e6:.0f} MB for {done.content / 1e6:.0f} MB in {done.files} files"
    return f"{what} {done.title}: {done.path}, {sizes}"
