"""A cause of failures as a person says it: a title for what `error_lines` groups by.

Errors of rustc are known by their codes, https://doc.rust-lang.org/error_codes/; the titles are of generated code.
"""

from collections.abc import Mapping
from typing import Final

from burn_verify.core.stage import Stage

NO_CODE: Final = "no code"
"""The key of a program that does not compile, of which rustc names no code."""

_RUSTC: Final[Mapping[str, str]] = {
    "E0004": "a match in the generated code leaves a case out",
    "E0015": "the generated code calls what cannot be called in a constant",
    "E0023": "a pattern in the generated code has another number of fields",
    "E0040": "the generated code calls a destructor",
    "E0061": "the generated code calls a function with another number of arguments",
    "E0063": "the generated code leaves out a field",
    "E0080": "a constant in the generated code cannot be computed",
    "E0106": "a lifetime is missing in the generated code",
    "E0107": "the generated code gives a type another number of parameters",
    "E0117": "the generated code implements what it may not",
    "E0119": "the generated code implements something twice",
    "E0124": "two fields in the generated code have one name",
    "E0133": "the generated code calls something unsafe",
    "E0252": "the generated code imports one name twice",
    "E0255": "the generated code imports and defines one name",
    "E0271": "a type the generated code uses has another associated type",
    "E0275": "a type in the generated code has no end",
    "E0277": "a type the generated code uses lacks what is asked of it",
    "E0282": "rustc cannot tell a type in the generated code",
    "E0283": "rustc cannot tell a type in the generated code",
    "E0284": "rustc cannot tell a type in the generated code",
    "E0308": "the generated code has a value of another type than is needed",
    "E0369": "a type in the generated code has no such arithmetic",
    "E0381": "the generated code uses a value before it is set",
    "E0382": "the generated code uses a value that it gave away",
    "E0384": "the generated code changes what may not be changed",
    "E0407": "the generated code implements a method that the trait has not",
    "E0412": "a type the generated code names does not exist",
    "E0415": "two arguments in the generated code have one name",
    "E0416": "two variables of a pattern in the generated code have one name",
    "E0423": "the generated code uses a type as a value",
    "E0425": "a name the generated code uses does not exist",
    "E0428": "the generated code defines one name twice",
    "E0432": "an import of the generated code does not exist",
    "E0433": "a module or type the generated code names does not exist",
    "E0434": "the generated code uses a variable out of its reach",
    "E0499": "the generated code borrows one value twice to change it",
    "E0502": "the generated code borrows a value that it changes",
    "E0503": "the generated code uses a value that is borrowed",
    "E0505": "the generated code gives away a value that is borrowed",
    "E0507": "the generated code gives away a value that it does not own",
    "E0515": "the generated code returns a reference to what is gone",
    "E0560": "a field the generated code sets does not exist",
    "E0596": "the generated code changes what may not be changed",
    "E0597": "a value in the generated code is gone before its last use",
    "E0599": "a method the generated code calls does not exist",
    "E0600": "a type in the generated code has no such sign or negation",
    "E0603": "the generated code uses something private",
    "E0604": "the generated code casts to char what cannot be cast",
    "E0605": "the generated code casts between types that cannot be cast",
    "E0606": "the generated code casts between types that cannot be cast",
    "E0607": "the generated code casts between pointers that cannot be cast",
    "E0608": "the generated code takes an element of what has none",
    "E0609": "a field the generated code reads does not exist",
    "E0610": "the generated code reads a field of a number",
    "E0614": "the generated code follows what is no reference",
    "E0616": "the generated code reads a private field",
    "E0618": "the generated code calls what is no function",
    "E0689": "rustc cannot tell the type of a number in the generated code",
    "E0716": "a value in the generated code is gone before its last use",
}


def title_of(stage: Stage, key: str, operator: str = "") -> str:
    """Return the title of a cause.

    Args:
        stage: where the cases ended.
        key: what they are grouped by: a code of rustc at COMPILE, elsewhere a normalised reason.
        operator: the operator that they are grouped by as well.
    """
    if stage is not Stage.COMPILE:
        return f"{key}: {operator}" if operator else key
    if key == NO_CODE:
        return "the generated code does not compile: rustc names no code"
    return f"{_RUSTC.get(key, 'rustc refuses the generated code')}: {key}"
