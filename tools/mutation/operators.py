"""Mutations of what generated code says: operators, operands, literals, configurations, statements.

Each finds its places in the text of a module by patterns of tokens; rustc sorts out what does not compile. Pure.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

from mutation import kinds
from mutation.rust import Module


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place, and the text that goes there.

    Attributes:
        kind, operator: see `mutation.change.Change`.
        start, end: offsets of what is replaced.
    """

    kind: str
    operator: str
    start: int
    end: int
    new: str


Finder: TypeAlias = Callable[[Module], Iterator[Site]]

_SIBLINGS: Final = (
    *("add sub", "mul div", "add_scalar sub_scalar", "mul_scalar div_scalar", "max_pair min_pair", "max min"),
    *("max_dim min_dim", "sum mean", "sum_dim mean_dim", "sum_dims mean_dims", "argmax argmin", "sum prod"),
    *("sum_dim prod_dim", "floor ceil round", "round trunc", "sin cos", "tan sin", "sinh cosh", "asin atan"),
    *("asinh atanh", "tanh sigmoid", "exp expm1", "log log1p", "sqrt square", "recip sqrt", "relu gelu"),
    *("gelu silu", "silu mish", "softplus softsign", "sigmoid hard_sigmoid", "softmax log_softmax"),
    *("greater lower", "greater_equal lower_equal", "equal not_equal", "equal_elem not_equal_elem"),
    *("greater_elem lower_elem", "any all", "any_dim all_dim", "triu tril", "cumsum cumprod", "cummax cummin"),
    *("sort sort_descending", "argsort argsort_descending", "bitwise_and bitwise_or", "bitwise_or bitwise_xor"),
    *("bitwise_left_shift bitwise_right_shift", "remainder fmod", "powf powi", "erf tanh", "sign abs"),
    *("clamp_min clamp_max", "max_dim sum_dim", "log sqrt", "saturating_add saturating_sub", "min max"),
)
_PROBES: Final = (
    *("bool_and bool_or", "bool_or bool_xor", "greater greater_equal", "lower lower_equal"),
    *("greater_elem greater_equal_elem", "lower_elem lower_equal_elem"),
)
_VARIANTS: Final = (
    *("Nearest Linear", "Linear Cubic", "Zeros Border", "Border Reflection", "Constant Edge", "Edge Reflect"),
    *("Dcr Crd", "Forward Reverse", "Valid Same", "Add Assign", "Relu Tanh", "Tanh Sigmoid", "Sum Mean"),
)
_INFIX: Final = (
    *((" + ", " - "), (" - ", " + "), (" * ", " / "), (" / ", " * "), (" == ", " != "), (" != ", " == ")),
    *((" < ", " <= "), (" <= ", " < "), (" > ", " >= "), (" >= ", " > "), (" && ", " || "), (" || ", " && ")),
    (" % ", " * "),
)
_SWAPPED: Final = "sub|div|powf|powi|greater|greater_equal|lower|lower_equal|remainder|fmod|matmul|mask_fill|atan2"
_DROPPED: Final = (
    *("abs", "neg", "exp", "log", "log1p", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "acos"),
    *("atan", "asinh", "acosh", "atanh", "erf", "floor", "ceil", "round", "sign", "recip", "square", "bool_not"),
    *("clamp", "clamp_min", "clamp_max", "add_scalar", "sub_scalar", "mul_scalar", "div_scalar", "powf_scalar"),
    *("cast", "flip", "swap_dims", "transpose", "permute", "cumsum", "cumprod", "triu", "tril", "mask_fill", "mul"),
    *("add", "sub", "div", "bitwise_not", "max", "min", "remainder_scalar", "powi_scalar", "roll", "sort", "narrow"),
    *("mask_where", "is_nan", "slice_fill", "saturating_sub", "trunc"),
)
_CALLED: Final = (
    *("relu", "gelu", "sigmoid", "tanh", "softmax", "log_softmax", "silu", "mish", "softplus", "softsign"),
    *("leaky_relu", "elu", "hard_sigmoid", "hard_swish", "celu", "selu", "prelu", "thresholded_relu", "shrink"),
    *("hard_shrink", "soft_shrink", "log_sigmoid", "hardmax"),
)
_AXES: Final = frozenset(
    (
        *(
            "softmax",
            "log_softmax",
            "hardmax",
            "glu",
            "flatten",
            "cat",
            "stack",
            "flip",
            "roll",
            "permute",
            "swap_dims",
        ),
        *("sum_dim", "mean_dim", "prod_dim", "max_dim", "min_dim", "any_dim", "all_dim", "var", "var_bias"),
        *("sum_dims", "mean_dims", "max_dim_with_indices", "min_dim_with_indices", "argmax", "argmin"),
        *("cumsum", "cumprod", "cummax", "cummin", "sort", "sort_descending", "sort_with_indices", "argsort"),
        *("argsort_descending", "sort_descending_with_indices", "topk", "topk_with_indices"),
        *("squeeze_dim", "squeeze_dims", "unsqueeze_dim", "unsqueeze_dims", "gather", "scatter", "select"),
        *("select_assign", "narrow", "slice_dim", "repeat_dim", "chunk", "split", "split_with_sizes"),
    )
)
_DTYPES: Final = {
    "F32": ("F16", "F64"),
    "F64": ("F32",),
    "F16": ("F32", "BF16"),
    "BF16": ("F32", "F16"),
    "I64": ("I32",),
    "I32": ("I64", "I16"),
    "I16": ("I32",),
    "I8": ("I16", "U8"),
    "U8": ("I16", "I8"),
    "U16": ("U32",),
    "U32": ("U64",),
    "U64": ("U32",),
}
_VALUE: Final = r"(?:\([a-z_]\w*\)|[a-z_]\w*)(?:\.clone\(\))?"
_LITERAL: Final = re.compile(
    r"(?<![\w.<])(?P<dots>\.\.=?)?(?P<sign>-?)(?P<number>\d[\d_]*(?:\.\d+)?(?:e-?\d+)?)(?P<type>[fiu](?:16|32|64|8|size))?"
    r"(?![\w>])"
)


def _pairs(words: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return, by word, those that stand beside it in a group."""
    found: dict[str, tuple[str, ...]] = {}
    for group in words:
        members = group.split()
        for word in members:
            found[word] = (*found.get(word, ()), *(other for other in members if other != word))
    return found


def siblings(module: Module) -> Iterator[Site]:
    """Call another function of the same signature, or take another variant of an enumeration."""
    for kind, table in ((kinds.SIBLING, _pairs(_SIBLINGS)), (kinds.PROBE, _pairs(_PROBES))):
        for found in _in_functions(module, re.compile(r"(?<=[.:])([a-z_]\w*)(?=(?:::<[^()]*>)?\()"), "forward"):
            for other in table.get(found[1], ()):
                yield _site(kind, f"{found[1]} -> {other}", found, other)
    table = _pairs(_VARIANTS)
    for found in _in_functions(module, re.compile(r"(?<=::)([A-Z]\w+)\b(?![(:])")):
        for other in table.get(found[1], ()):
            yield _site(kinds.SIBLING, f"{found[1]} -> {other}", found, other)


def infix(module: Module) -> Iterator[Site]:
    """Put another infix operator in place of one between native values or tensors."""
    for old, new in _INFIX:
        for found in _in_functions(module, re.compile(re.escape(old)), "forward"):
            yield _site(kinds.SIBLING, f"{old.strip()} -> {new.strip()}", found, new)


def operands(module: Module) -> Iterator[Site]:
    """Swap receiver and argument, or two arguments; drop an optional argument; take another input of the same type."""
    pattern = re.compile(rf"(?<![\w.])({_VALUE})\s*\.({_SWAPPED})\(({_VALUE})\)")
    for found in _in_functions(module, pattern, "forward"):
        yield _site(kinds.OPERANDS, f"{found[2]}: swapped", found, f"{found[3]}.{found[2]}({found[1]})")
    for found in _in_functions(module, re.compile(rf"({_VALUE})\.mask_where\((.+), ({_VALUE})\)"), "forward"):
        new = f"{found[3]}.mask_where({found[2]}, {found[1]})"
        yield _site(kinds.OPERANDS, "mask_where: swapped", found, new)
    for found in _in_functions(module, re.compile(rf"(?<=[\w>]\()({_VALUE}),(\s+)({_VALUE})(?=[,)])"), "forward"):
        yield _site(kinds.OPERANDS, "arguments swapped", found, f"{found[3]},{found[2]}{found[1]}")
    for found in _in_functions(module, re.compile(rf"\bSome\({_VALUE}\)"), "forward"):
        yield _site(kinds.OPERANDS, "optional argument dropped", found, "None")
    yield from _inputs_exchanged(module)


def literals(module: Module) -> Iterator[Site]:
    """Change a number: an axis by one, an integer by one, a float by 1 %, a sign; turn a boolean."""
    for found in _in_functions(module, _LITERAL):
        if found["type"] is None and _is_length(module.code, found):
            continue
        kind = _kind_of_literal(module, found.start())
        for how, new in _other_numbers(found):
            yield _site(kind, f"{'number' if kind == kinds.LITERAL else kind}: {how}", found, new)
    for found in _in_functions(module, re.compile(r"\b(true|false)\b")):
        kind = _kind_of_literal(module, found.start())
        yield _site(kind, f"not {found[1]}", found, "false" if found[1] == "true" else "true")


def dtypes(module: Module) -> Iterator[Site]:
    """Name another dtype."""
    for found in _in_functions(module, re.compile(r"(?<=DType::)([A-Z]\w+)"), "forward"):
        for other in _DTYPES.get(found[1], ()):
            yield _site(kinds.DTYPE, f"{found[1]} -> {other}", found, other)


def order(module: Module) -> Iterator[Site]:
    """Exchange neighbours in a list: axes, sizes, what is concatenated, outputs of one type."""
    body = module.forward
    for function in module.functions:
        if function.name == "forward":
            for place in range(function.start, function.end):
                if module.code[place] == "[":
                    yield from _neighbours(module, module.parts(place))
    parts = module.returned_parts
    for (one, other), (first, second) in zip(pairwise(body.returns), pairwise(parts), strict=False):
        if one == other:
            yield _exchanged(module, first, second, "outputs exchanged")


def statements(module: Module) -> Iterator[Site]:
    """Leave out a call: a method in a chain, a function of one value, a layer."""
    for found in _in_functions(module, re.compile(r"\s*\.([a-z_]\w*)(?:::<[^()]*>)?\("), "forward"):
        if found[1] in _DROPPED:
            end = module.closing(found.end() - 1) + 1
            kind = kinds.PROBE if found[1] == "abs" else kinds.STATEMENT
            yield Site(kind=kind, operator=f"{found[1]} dropped", start=found.start(), end=end, new="")
    names = "|".join(_CALLED)
    pattern = re.compile(rf"(?:[a-z_]\w*::)+({names})\(|\bself\.([a-z_]\w*)\.forward\(")
    for found in _in_functions(module, pattern, "forward"):
        opening = found.end() - 1
        if parts := module.parts(opening):
            start, end = parts[0]
            name = found[1] or "layer"
            yield Site(
                kind=kinds.STATEMENT,
                operator=f"{name} dropped",
                start=found.start(),
                end=module.closing(opening) + 1,
                new=f"({module.text[start:end]})",
            )


FINDERS: Final[tuple[Finder, ...]] = (siblings, infix, operands, literals, dtypes, order, statements)


def _in_functions(module: Module, pattern: re.Pattern[str], name: str = "") -> Iterator[re.Match[str]]:
    """Yield what a pattern finds in functions of a name, or in all of them."""
    for function in module.functions:
        if name in ("", function.name):
            yield from pattern.finditer(module.code, function.start, function.end)


def _site(kind: str, operator: str, found: re.Match[str], new: str) -> Site:
    return Site(kind=kind, operator=operator, start=found.start(), end=found.end(), new=new)


def _inputs_exchanged(module: Module) -> Iterator[Site]:
    """Yield, for inputs of one type, each in place of the other and the two exchanged."""
    body = module.forward
    for (one, kind), (other, same) in pairwise(body.parameters):
        if kind == same:
            for text, how in (
                (f"let {one} = {other}.clone();", "input in place of another"),
                (f"let ({one}, {other}) = ({other}, {one});", "inputs exchanged"),
            ):
                new = "{\n        " + text
                yield Site(kind=kinds.OPERANDS, operator=how, start=body.start - 1, end=body.start, new=new)


def _is_length(code: str, found: re.Match[str]) -> bool:
    """Tell whether a number is the length in the type of an array, which is no value."""
    return code[: found.start()].endswith("; ") and code[found.end() : found.end() + 1] == "]"


def _kind_of_literal(module: Module, place: int) -> str:
    for name in module.callers(place):
        if name in _AXES:
            return kinds.AXIS
        if name == "with_capacity":
            return kinds.LITERAL
        if name.startswith("with_") or name in ("new", "init") or name.endswith("Config"):
            return kinds.CONFIG
        if name not in ("Some", "s", "vec", "Explicit", "f64", "from"):
            return kinds.LITERAL
    return kinds.LITERAL


def _other_numbers(found: re.Match[str]) -> Iterator[tuple[str, str]]:
    """Yield how a number is changed and the text of the other one."""
    dots, sign, number, suffix = found["dots"] or "", found["sign"], found["number"], found["type"] or ""
    if any(mark in number for mark in ".e") or suffix.startswith("f"):
        value = float(number.replace("_", ""))
        if value == 0:
            yield "0 -> 0.01", f"{dots}0.01{suffix}"
            return
        yield "x 1.01", f"{dots}{sign}{_decimal(value * 1.01)}{suffix}"
        if value < 1e-3:
            yield "x 10", f"{dots}{sign}{_decimal(value * 10)}{suffix}"
        yield "sign", f"{dots}{'' if sign else '-'}{number}{suffix}"
        return
    whole = int(number.replace("_", "")) * (-1 if sign else 1)
    if abs(whole) < 1 << 62:
        yield "+1", f"{dots}{whole + 1}{suffix}"
        if whole > 0 or sign or suffix.startswith("i"):
            yield "-1", f"{dots}{whole - 1}{suffix}"


def _decimal(value: float) -> str:
    """Return a float as Rust reads it."""
    text = repr(value)
    return text if "." in text or "e" in text else f"{text}.0"


def _neighbours(module: Module, parts: tuple[tuple[int, int], ...]) -> Iterator[Site]:
    """Yield neighbours in a list exchanged, where they are not the same."""
    for first, second in pairwise(parts):
        if module.text[slice(*first)] != module.text[slice(*second)] and ";" not in module.text[slice(*second)]:
            yield _exchanged(module, first, second, "neighbours exchanged")


def _exchanged(module: Module, first: tuple[int, int], second: tuple[int, int], operator: str) -> Site:
    between = module.text[first[1] : second[0]]
    new = module.text[slice(*second)] + between + module.text[slice(*first)]
    return Site(kind=kinds.ORDER, operator=operator, start=first[0], end=second[1], new=new)
