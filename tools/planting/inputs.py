"""Faults that one draw at one size does not show, as changes of generated Rust. Pure: takes and returns text.

Each makes the function `forward` wrong for some inputs only, and leaves it as it is for the others.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from mutation.change import Change, change_of
from mutation.rust import Module

Edit: TypeAlias = Callable[[Module], tuple[int, int, str]]
"""Returns the start and the end of what is replaced, and the text in its place.

Raises:
    ValueError: the module has no such place.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault of a model.

    Attributes:
        kind: what is wrong, in a few words.
        model: a name of `planting.own`, or of the zoo.
        own: whether it is one of `planting.own`.
    """

    kind: str
    model: str
    edit: Edit
    own: bool = False

    @property
    def case(self) -> str:
        """The id of the case."""
        return f"{'file' if self.own else 'zoo'}/{self.model}"

    def change(self, text: str) -> Change:
        """Return the change of a module.

        Raises:
            ValueError: the module has no place for it.
        """
        start, end, new = self.edit(Module(text))
        return change_of(text, "input", self.kind, start, end, new)


def at_start(text: str) -> Edit:
    """Put statements at the beginning of `forward`."""

    def edit(module: Module) -> tuple[int, int, str]:
        start = module.forward.start
        return start - 1, start, "{\n        " + text

    return edit


def first_sample(name: str) -> Edit:
    """Feed the first sample of an input in place of every other."""
    return at_start(f"let {name} = {{ let sizes = {name}.dims(); {name}.narrow(0, 0, 1).expand(sizes) }};")


def frozen(name: str, rank: int, axis: int, size: int) -> Edit:
    """Reshape an input to one size of an axis; another size does not fit."""
    sizes = ", ".join(str(size) if place == axis else f"sizes[{place}]" for place in range(rank))
    return at_start(f"let {name} = {{ let sizes = {name}.dims(); {name}.reshape([{sizes}]) }};")


def first_of(name: str, axis: int, size: int) -> Edit:
    """Leave out what of an input lies behind the first elements of an axis."""
    size_ = f"{name}.dims()[{axis}].min({size})"
    return at_start(f"let {name} = {{ let size = {size_}; {name}.narrow({axis}, 0, size) }};")


def method(name: str, call: str) -> Edit:
    """Call a method of an input before anything else is done with it."""
    return at_start(f"let {name} = {name}.{call};")


def last_wrong(axis: int, above: int, output: int = 0) -> Edit:
    """Negate an output's last element of an axis that is longer than a number."""

    def edit(module: Module) -> tuple[int, int, str]:
        start, end = module.returned_parts[output]
        last = f"y.narrow({axis}, n - 1, 1).neg()"
        changed = f"Tensor::cat(vec![y.clone().narrow({axis}, 0, n - 1), {last}], {axis})"
        return (
            start,
            end,
            (
                f"{{ let y = {module.text[start:end]}; let n = y.dims()[{axis}]; "
                f"if n > {above} {{ {changed} }} else {{ y }} }}"
            ),
        )

    return edit


def swapped(axis: int, above: int) -> Edit:
    """Swap the two outputs where an axis is longer than a number."""

    def edit(module: Module) -> tuple[int, int, str]:
        start, end = module.returned
        pair = f"let pair = {module.text[start:end]};"
        return start, end, f"{pair} if pair.0.dims()[{axis}] > {above} {{ (pair.1, pair.0) }} else {{ pair }}"

    return edit


def other_branch() -> Edit:
    """Negate what the second branch of the first If returns."""

    def edit(module: Module) -> tuple[int, int, str]:
        body = module.forward
        start = module.code.index("} else {", body.start, body.end) + len("} else ")
        end = module.closing(start) + 1
        return start, end, f"{{ let made = {module.text[start:end]}; made.neg() }}"

    return edit


def replaced(pattern: str, new: str) -> Edit:
    """Put an expression in place of the first one in `forward` that a regular expression finds."""

    def edit(module: Module) -> tuple[int, int, str]:
        body = module.forward
        found = re.compile(pattern).search(module.text, body.start, body.end)
        if found is None:
            msg = f"not in the module: {pattern}"
            raise ValueError(msg)
        return found.start(), found.end(), found.expand(new)

    return edit


_ZOO: Final = (
    Fault(kind="batch frozen at 1", model="all-MiniLM-L6-v2", edit=first_sample("input_ids")),
    Fault(kind="batch frozen at 1", model="mobilenetv2-fp32-dequant", edit=first_sample("input")),
    Fault(kind="batch frozen at the tested 2", model="mobilenetv2-fp32-dequant", edit=frozen("input", 4, 0, 2)),
    Fault(kind="batch frozen at the tested 2", model="vit_pgd_2_3_16", edit=frozen("input", 4, 0, 2)),
    Fault(kind="batch frozen at 1", model="super-resolution-10", edit=frozen("input", 4, 0, 1)),
    Fault(kind="sequence frozen", model="all-MiniLM-L6-v2", edit=frozen("input_ids", 2, 1, 8)),
    Fault(kind="sequence frozen", model="tinyllama-stories260K", edit=frozen("input_ids", 2, 1, 9)),
    Fault(kind="height frozen", model="yunet_n_dynamic", edit=frozen("input", 4, 2, 320)),
    Fault(kind="table read modulo 10", model="all-MiniLM-L6-v2", edit=method("input_ids", "remainder_scalar(10)")),
    Fault(kind="table read modulo 10", model="tinyllama-stories260K", edit=method("input_ids", "remainder_scalar(10)")),
    Fault(kind="mask ignored", model="all-MiniLM-L6-v2", edit=method("attention_mask", "ones_like()")),
    Fault(kind="token types ignored", model="all-MiniLM-L6-v2", edit=method("token_type_ids", "zeros_like()")),
    Fault(kind="last position wrong above 8", model="all-MiniLM-L6-v2", edit=last_wrong(1, 8)),
    Fault(kind="last position wrong above 12", model="tinyllama-stories260K", edit=last_wrong(1, 12)),
)
_OWN: Final = tuple(
    Fault(kind=kind, model=model, edit=edit, own=True)
    for kind, model, edit in (
        ("batch frozen at 1", "classifier", first_sample("x")),
        ("batch frozen at 1", "embedding", frozen("ids", 2, 0, 1)),
        ("sequence frozen", "masked", frozen("x", 2, 1, 7)),
        ("past frozen", "cache", first_of("past", 1, 7)),
        ("table read modulo 10", "embedding", method("ids", "remainder_scalar(10)")),
        ("second branch of an If wrong", "rate", other_branch()),
        ("second branch of an If wrong", "sign", other_branch()),
        ("mask ignored", "masked", method("attention_mask", "ones_like()")),
        ("last position wrong above 8", "range", last_wrong(1, 8)),
        ("two outputs swapped above 16", "pair", swapped(1, 16)),
        ("size hard-coded in Expand", "expand", replaced(r"expand\(shape\)", "expand([shape[0], 7, 4])")),
        ("size hard-coded in Reshape", "reshape", replaced(r"reshape\((\w+)\)", r"reshape([\1[0], 28])")),
        ("size hard-coded in Range", "range", replaced(r"arange\(0\.\.n", "arange(0..7i64")),
        ("size hard-coded in Slice", "slice", replaced(r"s!\[0\.\.\w+\[0\]", "s![0..7")),
    )
)
FAULTS: Final = (*_ZOO, *_OWN)
