"""Sizes of symbolic dimensions that depend on others: expressions such as ``past + seq`` or ``2*batch``.

An expression holds whole numbers, names, ``+``, ``-``, ``*``, ``//``, ``%`` and parentheses. It is parsed, never run.
"""

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Final

MOST: Final = 1 << 40
"""The greatest size of a dimension."""

_LONGEST: Final = 200
_OPERATIONS: Final[Mapping[type[ast.operator], Callable[[int, int], int]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}


def names_in(expression: str) -> tuple[str, ...]:
    """Return the names of an expression, each once, in their order.

    Raises:
        ValueError: it is no expression of sizes; one line for the user.
    """
    tree = _parsed(expression)
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    return tuple(dict.fromkeys(node.id for node in sorted(names, key=lambda node: node.col_offset)))


def size_of(expression: str, sizes: Mapping[str, int]) -> int:
    """Return the value of an expression.

    Arguments:
        sizes: by name.

    Raises:
        ValueError: it is no expression of sizes, a name has no size, or the value is no size of a dimension.
    """
    found = _value(_parsed(expression), expression, sizes)
    if not 0 <= found <= MOST:
        msg = f"{expression!r} is {found}, which is no size of a dimension"
        raise ValueError(msg)
    return found


def resolved(relations: Sequence[tuple[str, str]], size: Callable[[str], int]) -> dict[str, int]:
    """Return the size of every related dimension, by name.

    Arguments:
        relations: an expression by name; an expression may name other relations.
        size: the size of a dimension that is none of them.

    Raises:
        ValueError: see `size_of`; or a dimension depends on itself.
    """
    wanted = dict(relations)
    found: dict[str, int] = {}
    for name in wanted:
        _resolve(name, wanted, size, found, ())
    return found


def check(relations: Sequence[tuple[str, str]]) -> None:
    """Check the form of relations, whatever the sizes.

    Raises:
        ValueError: one is no expression of sizes, or a dimension depends on itself.
    """
    wanted = dict(relations)
    for name in wanted:
        _check(name, wanted, ())


def _check(name: str, wanted: Mapping[str, str], above: tuple[str, ...]) -> None:
    if name in above:
        raise _circle(name, above)
    for part in names_in(wanted[name]) if name in wanted else ():
        _check(part, wanted, (*above, name))


def _circle(name: str, above: tuple[str, ...]) -> ValueError:
    return ValueError(f"the dimension {name!r} depends on itself: {' → '.join((*above[above.index(name) :], name))}")


def _resolve(
    name: str, wanted: Mapping[str, str], size: Callable[[str], int], found: dict[str, int], above: tuple[str, ...]
) -> int:
    if name in above:
        raise _circle(name, above)
    if name in found:
        return found[name]
    if name not in wanted:
        return size(name)
    parts = {part: _resolve(part, wanted, size, found, (*above, name)) for part in names_in(wanted[name])}
    found[name] = size_of(wanted[name], parts)
    return found[name]


def _parsed(expression: str) -> ast.expr:
    try:
        tree = ast.parse(expression.strip(), mode="eval").body if len(expression) <= _LONGEST else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        tree = None
    if tree is None or not all(_is_known(node) for node in ast.walk(tree)):
        msg = f"{expression[:_LONGEST]!r} is no expression of names, whole numbers, + - * // % and parentheses"
        raise ValueError(msg)
    return tree


def _is_known(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return type(node.value) is int and node.value <= MOST
    known = (ast.BinOp, ast.Name, ast.Load, *_OPERATIONS)
    return isinstance(node, known)


def _value(node: ast.expr, expression: str, sizes: Mapping[str, int]) -> int:
    match node:
        case ast.Constant(value=int() as number):
            return number
        case ast.Name(id=name):
            if name not in sizes:
                msg = f"{expression!r} names the dimension {name!r}, which has no size"
                raise ValueError(msg)
            return sizes[name]
        case ast.BinOp(left=left, op=operation, right=right):
            one, other = (_value(side, expression, sizes) for side in (left, right))
            if isinstance(operation, ast.FloorDiv | ast.Mod) and other == 0:
                msg = f"{expression!r} divides by zero"
                raise ValueError(msg)
            return _OPERATIONS[type(operation)](one, other)
    raise AssertionError(node)
