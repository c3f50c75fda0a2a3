"""A case: its id, the source of its model, and hints for its inputs. Data only."""

from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias

Shape: TypeAlias = tuple[int | str | None, ...]
"""Dimensions of a graph input or output: a number, a symbolic name, or None where it is unknown."""


class Distribution(StrEnum):
    """How the floats of an input are drawn."""

    NORMAL = "normal"
    """``scale · N(0, 1) + shift``, and where there are limits, clipped to them."""
    UNIFORM = "uniform"
    """Between the limits, the upper one excluded."""


class Fill(StrEnum):
    """A value of each element of an input, instead of drawn ones."""

    ZEROS = "zeros"
    ONES = "ones"
    ARANGE = "arange"
    """0, 1, 2 … along the last axis, such as positions; other axes repeat it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputHint:
    """How to fill a graph input where its type is not enough.

    Attributes:
        shape: the shape to use instead of the declared one; text is the name of a dimension, or an expression of
            names (see `burn_verify.core.dims`).
        dtype: the dtype that the user expects; the model decides, and another one is an error.
        value: fill the input with this number.
        fill: fill the input with these values; neither drawn nor with `value`.
        low, high: draw from ``low`` (included) to ``high`` (excluded); either may be left out.
        closed: whether integers may be ``high`` too.
        distribution: of floats; None for uniform where both limits are given, else normal.
        scale, shift: draw normal floats from ``scale · N(0, 1) + shift``.
        file: a ``.npy`` file whose array is fed.
        values: the elements, in order, repeated until the input is full.
        distinct: no integer twice along the last axis.
        whole: floats are whole numbers too.
        first: the first element of each row.
    """

    name: str
    shape: tuple[int | str, ...] | None = None
    dtype: str | None = None
    value: float | None = None
    fill: Fill | None = None
    low: float | None = None
    high: float | None = None
    closed: bool = False
    distribution: Distribution | None = None
    scale: float = 1.0
    shift: float = 0.0
    file: Path | None = None
    values: tuple[float, ...] = ()
    distinct: bool = False
    whole: bool = False
    first: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputTolerance:
    """What a user allows for an output, with the reason; allowed is ``atol + rtol · |desired|``."""

    output: str
    rtol: float
    atol: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageHint:
    """How an image becomes a tensor: resized, cropped, scaled, and normalised by channel, in this order.

    Attributes:
        input: the graph input; empty for the only one of four dimensions.
        resize: height and width; one number is the shorter side, and keeps the ratio. None for the size of the input.
        crop: height and width of the middle that is kept; None for all.
        layout: ``NCHW`` or ``NHWC``; empty for what the shape of the input says.
        colour: order of the channels: ``RGB``, ``BGR`` or ``L`` (grey); empty for RGB, or L where there is one channel.
        scale: pixels, 0 to 255, are multiplied by it; None for 1/255, and 1 where the input holds integers.
        mean, deviation: by channel, or one number; ``(scale · pixel - mean) / deviation``.
        fit: how an image gets the size of the input where neither `resize` nor `crop` says it: ``cover`` (the middle of
            the image), ``stretch`` (all of it, its ratio lost) or ``letterbox`` (all of it, top left, the rest filled).
            Empty for ``cover``.
        pad: the pixel, 0 to 255, that fills the rest of a letterbox.
    """

    input: str = ""
    resize: tuple[int, ...] | None = None
    crop: tuple[int, ...] | None = None
    layout: str = ""
    colour: str = ""
    scale: float | None = None
    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()
    fit: str = ""
    pad: int = 114


@dataclass(frozen=True, slots=True, kw_only=True)
class TextHint:
    """How a text becomes token ids, by the library ``tokenizers``.

    Attributes:
        tokenizer: a ``tokenizer.json``; None for the one beside the model.
        length: of every sequence, cut and padded; None for the length that the model fixes, else that of the text.
    """

    tokenizer: Path | None = None
    length: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskHint:
    """What the outputs of a model mean, and so how it is evaluated on a labelled data set.

    Attributes:
        kind: ``classification``, ``detection``, ``similarity``, ``regression``, or ``module:function``; empty where
            nobody says it.
        output: the output that is scored; empty for the only one that fits.
        family: of a detector, see `burn_verify.task.families`; empty for the one whose outputs it has.
        boxes: ``normalised`` or ``pixels``, the unit of decoded boxes; empty for normalised.
        score: detections need a higher score; None for the usual one of the family.
        iou: of two detections of a class whose overlap is above, the better one is kept; None as before.
        keep: the greatest number of detections of an image; None as before.
        strides: of the grids of a detector, in their order; empty as before.
        pooling: ``mean``, ``first`` or ``none``: how the vectors of tokens become that of a text; empty for mean where
            there is one for each token.
    """

    kind: str = ""
    output: str = ""
    family: str = ""
    boxes: str = ""
    score: float | None = None
    iou: float | None = None
    keep: int | None = None
    strides: tuple[int, ...] = ()
    pooling: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What the catalogue, a ``model.toml`` or the options say about a model: what it is fed, and what is allowed.

    Attributes:
        dims: the size of a symbolic dimension, by name.
        sizes: all sizes that a dimension is verified at, by name, where somebody named several; the first one is in
            `dims` too.
        relations: an expression of other dimensions, by name: ``("total", "past + seq")``, see `burn_verify.core.dims`.
        tolerances: by output.
        data: files and folders of samples, absolute.
        sample: name of the only sample to feed; empty for all.
        draws: number of further draws at the first sizes; None for the usual one, and none beside data.
        images, texts: how samples become tensors.
        task: what the outputs mean.
    """

    dims: tuple[tuple[str, int], ...] = ()
    inputs: tuple[InputHint, ...] = ()
    sizes: tuple[tuple[str, tuple[int, ...]], ...] = ()
    relations: tuple[tuple[str, str], ...] = ()
    tolerances: tuple[OutputTolerance, ...] = ()
    data: tuple[Path, ...] = ()
    sample: str = ""
    draws: int | None = None
    images: ImageHint = ImageHint()
    texts: TextHint = TextHint()
    task: TaskHint = TaskHint()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A source: an ``.onnx`` file on this machine.

    Attributes:
        sha256: hex; a wrong one is an error at LOAD.
        inputs: a safetensors file in the layout of a `Reference`, whose inputs are fed instead of drawn ones.
    """

    path: Path
    sha256: str | None = None
    inputs: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A source: a file that is fetched.

    Attributes:
        path: below `base`.
        base: the beginning of the URL; empty for that of the model hub.
        size: bytes, 0 where nobody said.
        name: of the file; empty for the last part of `path`.
    """

    path: str
    sha256: str
    size: int
    base: str = ""
    name: str = ""
    test_data: str | None = None
    test_data_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """A source: the named architecture with random weights drawn from `seed`, built when it is loaded."""

    architecture: str
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable:
    """A source that is not available on this machine now; `reason` is one line with the remedy."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """Allowed is ``atol + rtol · |desired|``, as in `numpy.isclose`."""

    rtol: float
    atol: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The one operator that a case is about.

    Attributes:
        domain: empty for ``ai.onnx``.
        since_version: the version of the operator that the model's opset selects.
        dtype: of the operator's widest type parameter, i.e. the one that allows the most types; empty where no input
            or output has it.
        axes: name and value of each further axis of a generated graph, as text; empty for other cases.
    """

    op_type: str
    domain: str
    since_version: int
    dtype: str
    axes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorSpec:
    """Name, dtype (NumPy or ml_dtypes name, ``string`` for text) and shape of a graph input or output."""

    name: str
    dtype: str
    shape: Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """The facts that a model states about itself.

    Attributes:
        op_types: qualified names, sorted.
        opset: version of the default domain, 0 where the model does not import it.
        inputs: graph inputs that are not initializers, in the order of the graph.
        random: an output depends on random numbers that an operator draws, so that two correct answers differ.
        steady: names of the outputs of a random model that do not depend on them.
    """

    op_types: tuple[str, ...]
    opset: int
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    random: bool = False
    steady: tuple[str, ...] = ()

    @property
    def measurable(self) -> bool:
        """Whether an output has one right answer."""
        return not self.random or bool(self.steady)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFacts(ModelFacts):
    """The facts that a model and its corpus state.

    Attributes:
        subject: the one operator that the case is about; None for a model of several.
        tolerance: the corpus' own, where it has one.
        unsupported: a dtype, or a word for what is no array, that no Burn tensor can hold; such a case is not run.
        answered: the stored answers are the reference, made when the case was collected.
        evaluated: the stored answers are of onnx's reference evaluator, not of ONNX Runtime.
        refused: why no reference could answer when the case was made.
        twin: id of another case that has to answer the same.
    """

    subject: Subject | None = None
    tolerance: Tolerance | None = None
    unsupported: str | None = None
    answered: bool = False
    evaluated: bool = False
    refused: str | None = None
    twin: str | None = None


def facts_of(value: ModelFacts, kind: type[ModelFacts] = CaseFacts) -> dict[str, Any]:
    """Return the fields of `kind` that a value has, by name, to make another value of the same facts."""
    return {one.name: getattr(value, one.name) for one in fields(kind)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected(CaseFacts):
    """A source: a case whose model a collector has written and read already.

    Attributes:
        digest: sha256 (hex) of the model.
        data: a safetensors file in the layout of a `Reference`; None where nothing is stored.
        data_sets: names of the data sets in it.
    """

    model: Path
    digest: str
    data: Path | None
    data_sets: tuple[str, ...]


Source: TypeAlias = ModelFile | Download | Seeded | Collected | Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing to verify: an id and the description of a model, no protobuf in memory.

    Attributes:
        id: stable; no code takes it apart, e.g. ``zoo/mnist-12``.
        corpus: ``zoo``, ``file``, ``node``, ``simple`` …
        note: one line shown beside the result, e.g. that the weights are seeded stand-ins.
    """

    id: str
    corpus: str
    source: Source
    hints: Hints = field(default_factory=Hints)
    note: str | None = None
