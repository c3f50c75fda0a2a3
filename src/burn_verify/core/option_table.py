"""One table of options, read by the plugin, the command line and the table in the README."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from burn_verify.core import option_values
from burn_verify.core.option_values import ALL, LATEST, several
from burn_verify.core.result import JudgeMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option: its flag, where else it may be set, and the value that its text becomes.

    Attributes:
        field: the field of `Settings` it fills.
        flag: on the command line.
        ini: in pytest's configuration file.
        env: environment variable, for locations only.
        bare: the value of the flag without a value; None where it needs one.
        parse: text to value; raises ValueError with a message for the user.
    """

    field: str
    flag: str
    metavar: str
    help: str
    parse: Callable[[str], Any]
    default: Any
    ini: str
    env: str | None = None
    bare: str | None = None

    @property
    def argument(self) -> dict[str, Any]:
        """Keyword arguments of the flag for argparse and for pytest."""
        bare = {} if self.bare is None else {"nargs": "?", "const": self.bare}
        return {"metavar": self.metavar, "help": self.help, **bare}


OPTIONS: tuple[Option, ...] = (
    Option(
        field="models",
        flag="--models",
        metavar="NAMES",
        ini="burn_models",
        parse=option_values.names,
        default=(),
        help="verify these models: names of the zoo (mnist, squeezenet, all; see 'burn-verify list'), .onnx files, "
        "globs or folders, separated by commas",
    ),
    Option(
        field="conformance",
        flag="--conformance",
        metavar="SUITES",
        ini="burn_conformance",
        parse=option_values.names,
        default=(),
        bare=ALL,
        help="verify ONNX's own test cases: node, simple, pytorch, light, separated by commas, or all of them where no "
        "suite is named; -k chooses among their ids",
    ),
    Option(
        field="ops",
        flag="--ops",
        metavar="NAMES",
        ini="burn_ops",
        parse=option_values.names,
        default=(),
        bare=ALL,
        help="verify generated graphs of one operator each: Conv, Gemm and so on, separated by commas, or all of them "
        "where none is named; see 'burn-verify ops list'. With --latency: graphs at sizes at which a time means "
        "something (docs/latency.md)",
    ),
    Option(
        field="ops_profile",
        flag="--ops-profile",
        metavar="quick|nightly|full",
        ini="burn_ops_profile",
        parse=option_values.profile,
        default="quick",
        help="how many graphs for each operator: every value of every axis once, pairs of values for the newest "
        "version, or pairs of values for every version (default: quick)",
    ),
    Option(
        field="ops_examples",
        flag="--ops-examples",
        metavar="N",
        ini="burn_ops_examples",
        parse=option_values.count,
        default=0,
        help="test every generated graph that agrees on N further sets of values, and of shapes where they are "
        "symbolic, drawn by Hypothesis with its --hypothesis-seed (default: 0)",
    ),
    Option(
        field="zoo_mirror",
        flag="--zoo-mirror",
        metavar="DIR",
        ini="burn_zoo_mirror",
        env="BURN_VERIFY_ZOO_MIRROR",
        parse=option_values.folder,
        default=None,
        help="look for zoo models here before the cache and the network",
    ),
    Option(
        field="cache_dir",
        flag="--burn-cache-dir",
        metavar="DIR",
        ini="burn_cache_dir",
        env="BURN_VERIFY_CACHE",
        parse=option_values.path,
        default=None,
        help="where compiled Burn, converted models and downloads are kept (default: the user's cache folder)",
    ),
    Option(
        field="record",
        flag="--burn-record",
        metavar="PATH",
        ini="burn_record",
        parse=option_values.path,
        default=None,
        help="append the results to this file, one JSON line for each case; the last run is always kept in the cache",
    ),
    Option(
        field="keep_outputs",
        flag="--keep-outputs",
        metavar="DIR",
        ini="burn_keep_outputs",
        parse=option_values.new_folder,
        default=None,
        help="keep the inputs, Burn's outputs and the reference's here, one safetensors file for each case and data "
        "set; 'burn-verify compare' takes the folder",
    ),
    Option(
        field="timeout",
        flag="--burn-timeout",
        metavar="SECONDS",
        ini="burn_timeout",
        parse=option_values.seconds,
        default=120.0,
        help="how long one model may take to convert, or to answer once (default: 120)",
    ),
    Option(
        field="memory_limit",
        flag="--burn-memory-limit",
        metavar="MIB",
        ini="burn_memory_limit",
        parse=option_values.mebibytes,
        default=16384,
        help="address space of the converter, of the runner and of ONNX Runtime, and room for drawn inputs, in MiB, "
        "0 for no limit (default: 16384)",
    ),
    Option(
        field="cache_size",
        flag="--burn-cache-size",
        metavar="SIZE",
        ini="burn_cache_size",
        parse=option_values.disk_size,
        default=20 << 30,
        help="what the cache may hold of models, such as 500M; what was used longest ago goes first; Burn itself does "
        "not count (burn-verify gc), 0 for no limit (default: 20G)",
    ),
    Option(
        field="judge",
        flag="--judge",
        metavar="MODE",
        ini="burn_judge",
        parse=option_values.mode,
        default=JudgeMode.DEFAULT,
        help="how numbers are compared: default, by evidence (docs/numerics.md); strict, where loose is a failure too; "
        "onnx, by the tolerance of ONNX's own tests",
    ),
    Option(
        field="judge_timeout",
        flag="--judge-timeout",
        metavar="SECONDS",
        ini="burn_judge_timeout",
        parse=option_values.seconds,
        default=20.0,
        help="how long one answer in float64 may take; without it ONNX Runtime's own answers count (default: 20)",
    ),
    Option(
        field="burn_backend",
        flag="--burn-backend",
        metavar="NAMES",
        ini="burn_backend",
        parse=several(option_values.backend),
        default=("flex",),
        help="compute on these backends of Burn: flex, ndarray, wgpu, cuda, separated by commas; 'burn-verify doctor' "
        "says which of them work here (default: flex)",
    ),
    Option(
        field="burn_version",
        flag="--burn-version",
        metavar="VERSIONS",
        ini="burn_version",
        parse=several(option_values.burn_version),
        default=(LATEST,),
        help="verify these versions of Burn, separated by commas; 'burn-verify doctor' lists them (default: latest, "
        "the newest release among them)",
    ),
    Option(
        field="manifest_path",
        flag="--manifest-path",
        metavar="CARGO_TOML",
        ini="burn_manifest_path",
        parse=option_values.manifest,
        default=None,
        help="verify what this crate ships: versions and sources of burn and burn-onnx from its Cargo.lock, backends "
        "from its features (docs/your-crate.md)",
    ),
    Option(
        field="burn_path",
        flag="--burn-path",
        metavar="DIRS",
        ini="burn_path",
        parse=several(option_values.checkout),
        default=(None,),
        help="build Burn from a checkout of yours, or from DIR@REVISION of it; 'release,DIR' compares the two",
    ),
    Option(
        field="burn_onnx_path",
        flag="--burn-onnx-path",
        metavar="DIRS",
        ini="burn_onnx_path",
        parse=several(option_values.checkout),
        default=(None,),
        help="the same for burn-onnx",
    ),
    Option(
        field="simplify",
        flag="--burn-simplify",
        metavar="on|off",
        ini="burn_simplify",
        parse=several(option_values.switch),
        default=(True,),
        help="burn-onnx's graph simplification; 'on,off' compares the two (default: on, as upstream)",
    ),
    Option(
        field="partition",
        flag="--burn-partition",
        metavar="on|off",
        ini="burn_partition",
        parse=several(option_values.switch),
        default=(True,),
        help="burn-onnx's splitting of large models into submodules; 'on,off' compares the two (default: on, as "
        "upstream)",
    ),
    Option(
        field="offline",
        flag="--burn-offline",
        metavar="on|off",
        ini="burn_offline",
        parse=option_values.switch,
        default=False,
        help="never try to download a model (default: off)",
    ),
    Option(
        field="expectations",
        flag="--burn-expectations",
        metavar="FILE",
        ini="burn_expectations",
        parse=option_values.file,
        default=None,
        help="a TOML file of failures you expect, on top of the packaged ones",
    ),
    Option(
        field="shard",
        flag="--shard",
        metavar="I/N",
        ini="burn_shard",
        parse=option_values.part,
        default=None,
        help="run only part I of N of the selection; 'burn-verify report' puts the records of all parts together",
    ),
    Option(
        field="shard_costs",
        flag="--burn-shard-costs",
        metavar="RECORD",
        ini="burn_shard_costs",
        parse=option_values.file,
        default=None,
        help="balance the parts by the seconds in this record; give all parts the same one (default: by number)",
    ),
    Option(
        field="latency",
        flag="--latency",
        metavar="on|off",
        ini="burn_latency",
        parse=option_values.switch,
        default=False,
        bare="on",
        help="time every case that answers, built as a release build, beside ONNX Runtime (docs/latency.md); the first "
        "time Burn is compiled once more, some ten minutes",
    ),
    Option(
        field="threads",
        flag="--threads",
        metavar="N",
        ini="burn_threads",
        parse=option_values.thread_count,
        default=0,
        help="threads that Burn and ONNX Runtime may use while they are timed (default: one a processor)",
    ),
    Option(
        field="compile_budget",
        flag="--compile-budget",
        metavar="SECONDS",
        ini="burn_compile_budget",
        parse=option_values.seconds,
        default=None,
        help="with --latency: fail a model for which rustc takes longer, dependencies and linking not counted",
    ),
)
"""Every option, in the order of the help text."""

SELECTIONS: tuple[str, ...] = ("--models", "--conformance", "--ops")
"""The flags that select cases."""
