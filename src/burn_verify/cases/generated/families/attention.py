"""Attention and rotary embedding."""

from typing import Final

from burn_verify.cases.generated.operator_spec import OMIT, Call, NotApplicable, OperatorSpec, Point, fixed

FAMILY: Final = "attention"


def _attention(point: Point) -> Call:
    heads, groups, width, queries, keys = 4, 2 if point["grouped"] else 4, 3, 3, 5
    q: tuple[int, ...]
    k: tuple[int, ...]
    past = point["extra"] == "past"
    if point["layout"] == "4d":
        q, k = (2, heads, queries, width), (2, groups, keys, width)
        counts = {}
    else:
        q, k = (2, queries, heads * width), (2, keys, groups * width)
        counts = {"q_num_heads": heads, "kv_num_heads": groups}
    total = keys + (2 if past else 0)
    mask_shape = {OMIT: None, "bool": (queries, total), "float": (queries, total), "whole": (2, heads, queries, total)}
    shape = mask_shape[point["attn_mask"]]
    kind = "bool" if point["attn_mask"] == "bool" else point.dtype
    mask = None if shape is None else point.data(shape, dtype=kind, special=False)
    if point["attn_mask"] == "bool":
        # A row that is wholly masked has no defined answer.
        mask = fixed([[place % 3 != row % 2 or place == 0 for place in range(total)] for row in range(queries)], "bool")
    states = [point.data((2, groups, 2, width)) for _ in range(2)] if past else []
    outputs = {"1": ("Y",), "3": ("Y", "present_key", "present_value")}[point["outputs"]]
    if past != (len(outputs) == 3):
        raise NotApplicable
    names = ("is_causal", "scale", "softcap", "qk_matmul_output_mode", "softmax_precision")
    attributes = {**counts, **point.attributes(*(name for name in names if name in point.spec.axes))}
    operands = (point.data(q), point.data(k), point.data(k), mask, *states)
    return Call(inputs=point.named(*operands), attributes=attributes, outputs=outputs)


def _rotary(point: Point) -> Call:
    four = point["layout"] == "4d"
    width, rotated = 8, 8 if point["rotary_embedding_dim"] == OMIT else point["rotary_embedding_dim"]
    x = point.data((2, 3, 4, width)) if four else point.data((2, 4, 3 * width))
    by_place = point["position_ids"]
    cache = (6, rotated // 2) if by_place else (2, 4, rotated // 2)
    places = fixed([[0, 1, 2, 3], [2, 3, 4, 5]]) if by_place else None
    attributes = point.attributes("interleaved", "rotary_embedding_dim")
    if not four:
        attributes["num_heads"] = 3
    cos, sin = point.data(cache, low=-1, high=1), point.data(cache, low=-1, high=1)
    return Call(inputs=point.named(x, cos, sin, places), attributes=attributes)


def _linear(point: Point) -> Call:
    heads, width, tokens = 2, 4, 3
    shape = (2, tokens, heads * width)
    operands = [point.data(shape) for _ in range(3)]
    state = point.data((2, heads, width, width)) if point["extra"] in ("state", "all") else None
    rule = point["update_rule"]
    decay = point.data((2, tokens, heads * width), low=-1, high=0) if rule in ("gated", "gated_delta") else None
    beta = point.data((2, tokens, heads), low=0, high=1) if rule in (OMIT, "delta", "gated_delta") else None
    if rule == OMIT:
        decay = point.data((2, tokens, heads * width), low=-1, high=0)
    attributes = {**point.attributes("update_rule", "scale"), "q_num_heads": heads, "kv_num_heads": heads}
    return Call(
        inputs=point.named(*operands, state, decay, beta), attributes=attributes, outputs=("Y", "present_state")
    )


SPECS: Final = (
    OperatorSpec(
        op_type="Attention",
        make=_attention,
        axes={
            "layout": ("4d", "3d"),
            "grouped": (False, True),
            "attn_mask": (OMIT, "bool", "float", "whole"),
            "extra": ("none", "past"),
            "outputs": ("1", "3"),
            "is_causal": (OMIT, 0, 1),
            "scale": (OMIT, 0.5),
            "softcap": (OMIT, 2.0),
        },
        dtypes=("float32", "float16", "float64", "bfloat16"),
        homes={"extra=past": {"outputs": "3"}, "outputs=3": {"extra": "past"}},
    ),
    OperatorSpec(
        op_type="RotaryEmbedding",
        make=_rotary,
        axes={
            "layout": ("4d", "3d"),
            "interleaved": (OMIT, 0, 1),
            "rotary_embedding_dim": (OMIT, 4),
            "position_ids": (True, False),
        },
    ),
    OperatorSpec(
        op_type="LinearAttention",
        make=_linear,
        axes={
            "update_rule": (OMIT, "linear", "gated", "delta", "gated_delta"),
            "scale": (OMIT, 0.5),
            "extra": ("none", "state"),
        },
    ),
)
