"""Operators on text, for which Burn has no tensor, and on terms."""

from typing import Final

from burn_verify.cases.generated.operator_spec import OMIT, Call, NotApplicable, OperatorSpec, Point

FAMILY: Final = "text"
_TEXT: Final = ("string",)


def _concat(point: Point) -> Call:
    return Call(inputs=point.named(point.data(point["shape"]), point.data(point["shape"])))


def _normalizer(point: Point) -> Call:
    attributes = point.attributes("case_change_action", "is_case_sensitive")
    if point["stopwords"] != OMIT:
        attributes["stopwords"] = ["cat", "dove"]
    return Call(inputs=point.named(point.data((6,))), attributes=attributes)


def _split(point: Point) -> Call:
    attributes = point.attributes("delimiter", "maxsplit")
    return Call(inputs=point.named(point.data((4,))), attributes=attributes, outputs=("Y", "Z"))


def _match(point: Point) -> Call:
    pattern = ("[a-d].*", "cat|dove")[point["pattern"]]
    return Call(inputs=point.named(point.data((4,))), attributes={"pattern": pattern})


def _terms(point: Point) -> Call:
    if point.dtype == "string":
        raise NotApplicable
    attributes = {
        "mode": point["mode"],
        "min_gram_length": 1,
        "max_gram_length": 2,
        "max_skip_count": point["max_skip_count"],
        "ngram_counts": [0, 3],
        "ngram_indexes": [0, 1, 2, 3, 4],
        "pool_int64s": [2, 3, 5, 2, 3, 3, 5],
    }
    if point["weights"]:
        attributes["weights"] = [1.0, 2.0, 0.5, 3.0, 1.5]
    return Call(inputs=point.named(point.data(point["shape"], low=2, high=5)), attributes=attributes)


SPECS: Final = (
    OperatorSpec(op_type="StringConcat", make=_concat, axes={"shape": ((3,), (2, 3), ())}, dtypes=_TEXT),
    OperatorSpec(
        op_type="StringNormalizer",
        make=_normalizer,
        axes={
            "case_change_action": (OMIT, "LOWER", "UPPER", "NONE"),
            "is_case_sensitive": (OMIT, 0, 1),
            "stopwords": (OMIT, "given"),
        },
        dtypes=_TEXT,
    ),
    OperatorSpec(
        op_type="StringSplit", make=_split, axes={"delimiter": (OMIT, "a", "e"), "maxsplit": (OMIT, 1)}, dtypes=_TEXT
    ),
    OperatorSpec(op_type="RegexFullMatch", make=_match, axes={"pattern": (0, 1)}, dtypes=_TEXT),
    OperatorSpec(
        op_type="TfIdfVectorizer",
        make=_terms,
        axes={
            "mode": ("TF", "IDF", "TFIDF"),
            "max_skip_count": (0, 1, 2),
            "weights": (False, True),
            "shape": ((6,), (2, 6)),
        },
        dtypes=("int64", "int32"),
    ),
)
