"""Burn with a fault in one kernel: a copy of the crate burn-flex whose kernels go wrong when a variable names them.

The copy is compiled once for all faults: what each kernel answers goes through `spoil`, which changes that of one.
"""

import os
import re
import shutil
from enum import StrEnum
from pathlib import Path
from typing import Final

from burn_verify.system.files import sha256_of

VARIABLE: Final = "BURN_VERIFY_PLANTED_KERNEL"
"""Environment variable: ``float_exp:scale`` makes one kernel wrong; without it all are right."""


class KernelFault(StrEnum):
    """What a kernel gets wrong."""

    SCALE = "scale"
    LAST = "last"
    ROLL = "roll"


KERNELS: Final = {
    "float_add": "float.rs",
    "float_sub": "float.rs",
    "float_mul": "float.rs",
    "float_div": "float.rs",
    "float_matmul": "float.rs",
    "float_exp": "float.rs",
    "float_log": "float.rs",
    "float_sqrt": "float.rs",
    "float_tanh": "float.rs",
    "float_erf": "float.rs",
    "float_sin": "float.rs",
    "float_atan": "float.rs",
    "float_abs": "float.rs",
    "float_neg": "float.rs",
    "float_sum_dim": "float.rs",
    "float_mean_dim": "float.rs",
    "float_max_dim": "float.rs",
    "float_cumsum": "float.rs",
    "float_gather": "float.rs",
    "float_select": "float.rs",
    "float_mask_where": "float.rs",
    "relu": "activation.rs",
    "sigmoid": "activation.rs",
    "softmax": "activation.rs",
    "conv2d": "module.rs",
    "max_pool2d": "module.rs",
    "avg_pool2d": "module.rs",
    "interpolate": "module.rs",
}
"""The file of its sources, in the folder ops, in which each kernel is."""

_SPOILING: Final = """\
//! Makes the answer of one kernel wrong, for measurements.

use alloc::vec::Vec;
use burn_backend::DType;
use burn_std::Bytes;

use crate::{FlexTensor, Layout};

/// Returns what a kernel computes, changed where the variable names it.
pub fn spoil(name: &str, compute: impl FnOnce() -> FlexTensor) -> FlexTensor {
    let right = compute();
    let wanted = std::env::var("VARIABLE").unwrap_or_default();
    let Some((kernel, how)) = wanted.split_once(':') else { return right };
    if kernel != name || right.dtype() != DType::F32 {
        return right;
    }
    let right = right.to_contiguous();
    let shape = right.layout().shape().clone();
    let mut values: Vec<f32> = right.storage::<f32>().to_vec();
    let step = usize::from(values.len() > 1);
    match how {
        "scale" => values.iter_mut().for_each(|value| *value *= 1.01),
        "last" => values.iter_mut().rev().take(1).for_each(|value| *value = *value * 2.0 + 1.0),
        _ => values.rotate_left(step),
    }
    FlexTensor::new(Bytes::from_elems(values), Layout::contiguous(shape), DType::F32)
}
"""


def spoilt(crate: Path, folder: Path) -> None:
    """Write a copy of burn-flex whose kernels can be made wrong.

    Arguments:
        crate: the sources of burn-flex.
        folder: where the copy goes; replaced if it is there, unless it is the same.
    """
    stamp, made_by = folder / "made-by.sha256", sha256_of(Path(__file__))
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == made_by:
        return
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(crate, folder)
    library = folder / "src" / "lib.rs"
    text = library.read_text(encoding="utf-8").replace("mod layout;\n", "mod layout;\nmod planted;\n", 1)
    library.write_text(text, encoding="utf-8")
    planted = folder / "src" / "planted.rs"
    planted.write_text(_SPOILING.replace("VARIABLE", VARIABLE), encoding="utf-8")
    for name in dict.fromkeys(KERNELS.values()):
        path = folder / "src" / "ops" / name
        text = path.read_text(encoding="utf-8")
        for kernel in (kernel for kernel, file in KERNELS.items() if file == name):
            text = wrapped(text, kernel)
        path.write_text(text, encoding="utf-8")
    stamp.write_text(made_by, encoding="utf-8")


def wrapped(text: str, kernel: str) -> str:
    """Return Rust in which the answer of a kernel, a function of an impl that gives one tensor, can be made wrong.

    Raises:
        ValueError: there is no such function.
    """
    head = re.search(rf"^    fn {kernel}\([^{{]*\) -> FloatTensor<Flex> \{{\n", text, re.MULTILINE)
    if head is None:
        msg = f"burn-flex has no kernel {kernel}"
        raise ValueError(msg)
    end = text.index("\n    }\n", head.end() - 1)
    inside = text[head.end() : end + 1]
    spoiling = f'        crate::planted::spoil("{kernel}", move || -> FloatTensor<Flex> {{\n{inside}        }})\n'
    return text[: head.end()] + spoiling + text[end + 1 :]


def sources_of(burn: str) -> Path:
    """Return the sources of burn-flex of a version of Burn, as cargo keeps them.

    Raises:
        FileNotFoundError: cargo did not fetch them yet.
    """
    home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    for path in sorted(home.glob(f"registry/src/*/burn-flex-{burn}")):
        return path
    msg = f"there is no burn-flex {burn} in {home}: burn-verify verify mnist fetches it"
    raise FileNotFoundError(msg)
