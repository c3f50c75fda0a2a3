"""Resolve the Rust workspace for a version of Burn, and write its pinned ``Cargo.lock``.

Starts from the lock that is there, else from the default version's: whatever need not move stays where it is. Needs
the registry; compiles nothing.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from burn_verify.burn.recipe import Recipe, manifest, overlaid, packaged_sources
from burn_verify.core.versions import DEFAULT, VERSIONS, resolve

RUST = Path(__file__).parents[1] / "src" / "burn_verify" / "rust"


def main(arguments: Sequence[str]) -> int:
    """Write the lock file of a version; with ``--check`` say whether it is up to date."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("version", choices=[version.burn for version in VERSIONS])
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if the lock would change")
    options = parser.parse_args(arguments)
    version = resolve(options.version)
    sources = overlaid(packaged_sources(), version)
    with tempfile.TemporaryDirectory(prefix="burn-verify-pin-") as scratch:
        sources["Cargo.toml"] = manifest(
            sources["Cargo.toml"], Recipe(version=version, backends=version.backends[:1]), []
        )
        for name, text in sources.items():
            path = Path(scratch) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        subprocess.run(["cargo", "metadata", "--format-version=1"], cwd=scratch, stdout=subprocess.DEVNULL, check=True)
        made = (Path(scratch) / "Cargo.lock").read_text(encoding="utf-8")
    target = RUST if version == DEFAULT else RUST / "compat" / "versions" / version.burn
    changed = not (target / "Cargo.lock").is_file() or (target / "Cargo.lock").read_text(encoding="utf-8") != made
    print(f"{target / 'Cargo.lock'}: {'changed' if changed else 'up to date'}")
    if changed and not options.check:
        target.mkdir(parents=True, exist_ok=True)
        (target / "Cargo.lock").write_text(made, encoding="utf-8")
    return 1 if changed and options.check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
