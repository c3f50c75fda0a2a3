"""Kinds of files that are no ONNX models, each with its names and the line that makes an ONNX model of it.

Reads no file; what tells them by content is in `recognise`.
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """A kind of file that is no ONNX model.

    Attributes:
        name: with its article, as part of a sentence.
        how: what makes an ONNX model of it; `{file}` stands for the file's name, `{word}` for that in a shell, `{stem}`
            for what the ONNX model may be called.
        suffixes: how such files are called, in lower case; empty where a name says nothing.
    """

    name: str
    how: str
    suffixes: tuple[str, ...] = ()

    def refusal(self, path: PurePath) -> str:
        """Return in one line what the file is, and how it becomes an ONNX model."""
        stem = re.sub(r"[^\w-]+", "_", path.name.partition(".")[0]) or "model"
        how = self.how.format(file=path.name, word=shlex.quote(path.name), stem=stem)
        return f"{path}: {self.name}, not an ONNX model: {how}"


_TF2ONNX: Final = "python -m tf2onnx.convert"
_TORCH: Final = 'torch.onnx.export(model, (example_input,), "{stem}.onnx", dynamo=True)'

ORT: Final = Foreign(
    name="a model in ONNX Runtime's own ORT format",
    how="nothing turns it back; name the .onnx file that it was made from",
    suffixes=(".ort",),
)
PYTORCH: Final = Foreign(
    name="a PyTorch checkpoint",
    how=f"load it with torch.load into the class of the model, then {_TORCH}",
    suffixes=(".pt", ".pth", ".ckpt"),
)
TORCHSCRIPT: Final = Foreign(
    name="a TorchScript model",
    how='torch.onnx.export(torch.jit.load("{file}"), (example_input,), "{stem}.onnx", dynamo=False)',
    suffixes=(".torchscript", ".ptl"),
)
EXPORTED: Final = Foreign(
    name="a program of torch.export",
    how='torch.onnx.export(torch.export.load("{file}"), (), "{stem}.onnx", dynamo=True)',
    suffixes=(".pt2",),
)
EXECUTORCH: Final = Foreign(
    name="an ExecuTorch program", how=f"export the PyTorch model that it was made from: {_TORCH}", suffixes=(".pte",)
)
TFLITE: Final = Foreign(
    name="a TensorFlow Lite model",
    how=f"{_TF2ONNX} --tflite {{word}} --output {{stem}}.onnx",
    suffixes=(".tflite",),
)
SAVED_MODEL: Final = Foreign(
    name="a TensorFlow SavedModel", how=f"{_TF2ONNX} --saved-model ITS_FOLDER --output {{stem}}.onnx"
)
FROZEN: Final = Foreign(
    name="a TensorFlow graph",
    how=f"{_TF2ONNX} --graphdef {{word}} --inputs NAME:0 --outputs NAME:0 --output {{stem}}.onnx "
    "(a folder with saved_model.pb: --saved-model FOLDER)",
    suffixes=(".pb", ".pbtxt"),
)
KERAS: Final = Foreign(
    name="a Keras model",
    how='keras.models.load_model("{file}").export("{stem}.onnx", format="onnx")',
    suffixes=(".keras",),
)
HDF5: Final = Foreign(
    name="an HDF5 file, as older Keras saves models",
    how='keras.models.load_model("{file}").export("{stem}.onnx", format="onnx")',
    suffixes=(".h5", ".hdf5"),
)
SAFETENSORS: Final = Foreign(
    name="a safetensors file, which holds weights and no graph",
    how="optimum-cli export onnx --model FOLDER_WITH_config.json OUT_FOLDER",
    suffixes=(".safetensors",),
)
CORE_ML: Final = Foreign(
    name="a Core ML model",
    how='onnxmltools.convert_coreml(coremltools.utils.load_spec("{file}")), or export the model that it was made from',
    suffixes=(".mlmodel",),
)
CORE_ML_PACKAGE: Final = Foreign(
    name="a Core ML package",
    how=f"nothing turns it back; export the model that it was made from, such as {_TORCH}",
    suffixes=(".mlpackage", ".mlmodelc"),
)
OPENVINO: Final = Foreign(
    name="an OpenVINO model",
    how="nothing turns it back; export the model that it was made from, or name its .onnx file",
)
GGUF: Final = Foreign(
    name="a GGUF model of llama.cpp",
    how="optimum-cli export onnx --model THE_MODEL_IT_WAS_MADE_FROM OUT_FOLDER",
    suffixes=(".gguf", ".ggml"),
)
PADDLE: Final = Foreign(
    name="a Paddle model",
    how="paddle2onnx --model_dir . --model_filename {stem}.pdmodel --params_filename {stem}.pdiparams "
    "--save_file {stem}.onnx",
    suffixes=(".pdmodel", ".pdiparams", ".pdparams"),
)
PICKLE: Final = Foreign(
    name="a Python pickle, which is never loaded here since that would run its code",
    how=f"a scikit-learn model: skl2onnx.to_onnx(model, X[:1]); a PyTorch one: {_TORCH}",
    suffixes=(".pkl", ".pickle", ".joblib"),
)
TENSORRT: Final = Foreign(
    name="a TensorRT engine",
    how="nothing turns it back; name the .onnx file that it was built from",
    suffixes=(".engine", ".plan", ".trt"),
)
DEVICE_BLOB: Final = Foreign(
    name="a model compiled for another runtime",
    how="nothing turns it back; name the .onnx file that it was made from",
    suffixes=(".mnn", ".rknn", ".hef", ".dlc", ".xmodel", ".param"),
)
CAFFE: Final = Foreign(
    name="a Caffe model",
    how="python -m caffe2onnx.convert --prototxt {stem}.prototxt --caffemodel {stem}.caffemodel --onnx {stem}.onnx",
    suffixes=(".caffemodel", ".prototxt"),
)
FLAX: Final = Foreign(
    name="weights of Flax", how='jax2onnx.to_onnx(model, [example_input]).save("{stem}.onnx")', suffixes=(".msgpack",)
)
BURN: Final = Foreign(
    name="weights of Burn, without a graph",
    how="name the .onnx file that burn-onnx made them from",
    suffixes=(".mpk", ".bpk"),
)
ARRAYS: Final = Foreign(
    name="arrays of NumPy", how="they are data for a model, and no model", suffixes=(".npy", ".npz")
)
ONNX_TEXT: Final = Foreign(
    name="an ONNX model as text, which ONNX Runtime and burn-onnx do not read",
    how='onnx.save(onnx.load("{file}", format=FORMAT), "{stem}.onnx"), FORMAT being "onnxtxt", "textproto" or "json"',
    suffixes=(".onnxtxt", ".onnxtext", ".textproto", ".onnxjson", ".onnx.json"),
)
ARCHIVE: Final = Foreign(
    name="an archive",
    how="unpack it, and name the .onnx file in it (only .onnx.gz and .onnx.zst are unpacked here)",
    suffixes=(".zip", ".tar", ".tgz", ".7z", ".xz", ".bz2", ".lz4", ".mar"),
)
GZIP: Final = Foreign(name="gzip data", how="call it {stem}.onnx.gz if there is a model in it, or use gunzip")
ZSTANDARD: Final = Foreign(
    name="Zstandard data", how="call it {stem}.onnx.zst if there is a model in it, or use unzstd"
)
POINTER: Final = Foreign(
    name="a pointer of Git LFS in place of the file", how="git lfs install && git lfs pull fetches the file itself"
)
PAGE: Final = Foreign(
    name="a web page, perhaps the error of a download", how="download the file itself, on a model hub its 'raw' link"
)

FORMATS: Final = (
    ORT, PYTORCH, TORCHSCRIPT, EXPORTED, EXECUTORCH, TFLITE, SAVED_MODEL, FROZEN, KERAS, HDF5, SAFETENSORS, CORE_ML,
    CORE_ML_PACKAGE, OPENVINO, GGUF, PADDLE, PICKLE, TENSORRT, DEVICE_BLOB, CAFFE, FLAX, BURN, ARRAYS, ONNX_TEXT,
    ARCHIVE, GZIP, ZSTANDARD, POINTER, PAGE,
)  # fmt: skip
"""Every kind of file that is recognised."""


def by_name(name: str) -> Foreign | None:
    """Return the kind of file that is called so; None where the name says nothing."""
    lower = name.lower()
    return next((kind for kind in FORMATS if kind.suffixes and lower.endswith(kind.suffixes)), None)


def of_folder(path: Path) -> Foreign | None:
    """Return the kind of model that a whole folder is; None for a plain folder."""
    if path.name.lower().endswith(CORE_ML_PACKAGE.suffixes):
        return CORE_ML_PACKAGE
    return SAVED_MODEL if any((path / f"saved_model.{end}").is_file() for end in ("pb", "pbtxt")) else None
