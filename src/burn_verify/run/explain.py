"""Translation of generated names in a failure's message to the names in the model."""

from dataclasses import replace

from burn_verify.core.result import CaseResult
from burn_verify.core.stage import Outcome, PreparedCase
from burn_verify.graph.names import in_the_model, named_in


def explained(prepared: PreparedCase | None, result: CaseResult) -> CaseResult:
    """Return a failure whose advice starts with sentences about the nodes in its message.

    A case of one operator needs no such sentences, since it has a single node.
    """
    if prepared is None or prepared.subject is not None or result.outcome is not Outcome.FAILED:
        return result
    names = [str(result.details.get("node") or ""), *named_in(result.message)]
    if not any(names):
        return result
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load(prepared.model, format="protobuf", load_external_data=False)
        told = in_the_model(model, filter(None, names))
    except (OSError, ValueError, DecodeError):
        # The file was readable before; its later deletion or change is not a failure of this case.
        return result
    advice = [*told, *result.details.get("advice", ())]
    return replace(result, details={**result.details, "advice": advice}) if told else result
