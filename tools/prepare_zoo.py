"""Prepare the models that are refused, each with the options that it needs, and write what became of them.

    python tools/prepare_zoo.py --out reports
    python tools/prepare_zoo.py --out reports candy /path/to/model.onnx

Runs ``burn-verify prepare MODEL OPTIONS --json`` for each and notes its time; each model is written down as soon as it
is done, and those in ``prepare-models.json`` already stay. ``tools/lift.py`` shows them in ``prepare.md``.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from burn_verify.report.summary.lifted import from_text as lifted_of
from burn_verify.report.summary.prepared_models import PreparedModel, from_text, prepared_model, to_text
from burn_verify.report.views.lifted import lifted_page

NEEDED = {
    "candy": (),
    "micro_kws_m_qdq": (),
    "mobilenetv2-12-int8": ("--unsigned-weights",),
    "magika_v2_1": ("--pin", "unk__132=1"),
    "silero_vad_16k_op15": ("--pin", "batch=1", "--pin", "sequence=576"),
    "silero_vad_v6": ("--pin", "input=1x576", "--pin", "state=2x1x128", "--freeze", "sr=16000"),
    "rf_iris-skl": ("--drop-zipmap",),
    "logreg_iris-ortwheel": ("--drop-zipmap",),
    "supres-webjs": ("--cut",),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Prepare the models that are named, else all that are refused."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=list(NEEDED), metavar="MODEL")
    parser.add_argument("--out", type=Path, required=True, help="the folder of prepare.json and prepare.md")
    arguments = parser.parse_args(argv)
    file = arguments.out / "prepare-models.json"
    known = {one.model: one for one in from_text(file.read_text(encoding="utf-8"))} if file.exists() else {}
    for name in arguments.models:
        found = prepared(name, NEEDED.get(name, ()))
        known[found.model] = found
        file.write_text(to_text(tuple(known.values())), encoding="utf-8")
        print(f"{found.model}: {'agrees' if found.agrees else found.in_the_way} ({found.seconds:.0f} s)", flush=True)
    lifted = lifted_of((arguments.out / "prepare.json").read_text(encoding="utf-8"))
    (arguments.out / "prepare.md").write_text(lifted_page(lifted, tuple(known.values())), encoding="utf-8")
    return 0


def prepared(name: str, options: Sequence[str]) -> PreparedModel:
    """Run the command on a model."""
    started = time.monotonic()
    command = ["burn-verify", "prepare", name, *options, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"prepare_zoo.py: {' '.join(command)}: {done.stderr.strip()}")
    return prepared_model(Path(name).stem, options, json.loads(done.stdout), time.monotonic() - started)


if __name__ == "__main__":
    sys.exit(main())
