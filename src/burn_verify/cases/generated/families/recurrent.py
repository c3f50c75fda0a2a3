"""Recurrent networks."""

from typing import Any, Final

from burn_verify.cases.generated.operator_spec import OMIT, Call, NotApplicable, OperatorSpec, Point, fixed

FAMILY: Final = "recurrent"
_STEPS, _BATCH, _IN, _HIDDEN = 3, 2, 4, 3


def _recurrent(op_type: str, gates: int, functions: tuple[str, ...], **own: tuple[Any, ...]) -> OperatorSpec:
    def make(point: Point) -> Call:
        ways = 2 if point["direction"] == "bidirectional" else 1
        extra, layout = point["extra"], point["layout"] if point.has("layout") else OMIT
        batch = _BATCH
        x = (batch, _STEPS, _IN) if layout == 1 else (_STEPS, batch, _IN)
        state = (batch, ways, _HIDDEN) if layout == 1 else (ways, batch, _HIDDEN)
        with_state = extra in ("state", "all")
        operands = [
            point.data(x),
            point.data((ways, gates * _HIDDEN, _IN), low=-1, high=1),
            point.data((ways, gates * _HIDDEN, _HIDDEN), low=-1, high=1),
            point.data((ways, 2 * gates * _HIDDEN), low=-1, high=1) if extra != "none" else None,
            fixed([3, 1], "int32") if extra in ("lengths", "all") else None,
            point.data(state, low=-1, high=1) if with_state else None,
        ]
        if op_type == "LSTM":
            operands.append(point.data(state, low=-1, high=1) if with_state else None)
            peephole = point.data((ways, 3 * _HIDDEN), low=-1, high=1)
            operands.append(peephole if extra in ("peephole", "all") else None)
        elif extra == "peephole":
            raise NotApplicable
        attributes = point.attributes("direction", "clip", *own)
        if layout != OMIT:
            attributes["layout"] = layout
        if point["activations"] == "given":
            attributes["activations"] = functions * ways
        outputs = {"all": ("Y", "Y_h", "Y_c")[: 3 if op_type == "LSTM" else 2], "Y": ("Y",), "Y_h": ("", "Y_h")}
        attributes["hidden_size"] = _HIDDEN
        return Call(inputs=point.named(*operands), attributes=attributes, outputs=outputs[point["outputs"]])

    axes = {
        "direction": (OMIT, "forward", "reverse", "bidirectional"),
        "extra": ("bias", "none", "state", "lengths", "peephole", "all"),
        "outputs": ("all", "Y", "Y_h"),
        "clip": (OMIT, 0.5),
        "layout": (OMIT, 0, 1),
        "activations": (OMIT, "given"),
        **own,
    }
    return OperatorSpec(op_type=op_type, make=make, axes=axes)


SPECS: Final = (
    _recurrent("RNN", 1, ("Relu",)),
    _recurrent("GRU", 3, ("HardSigmoid", "Softsign"), linear_before_reset=(OMIT, 0, 1)),
    _recurrent("LSTM", 4, ("HardSigmoid", "Softsign", "Tanh"), input_forget=(OMIT, 0)),
)
