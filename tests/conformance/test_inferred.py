"""What is inferred of models of the zoo as a user's own files, without their hints; the real ONNX Runtime answers."""

from collections.abc import Callable
from pathlib import Path

import pytest

from burn_verify.core.case import Case, ModelFile
from burn_verify.core.options import Settings
from burn_verify.reference.ort import OnnxRuntime
from burn_verify.run.inputs import Told, told_inputs
from burn_verify.system.cache import Cache
from conformance.test_zoo_models import mirror


@pytest.fixture
def told(tmp_path: Path) -> Callable[[str], Told]:
    def function(name: str) -> Told:
        case = Case(id=f"file/{name}", corpus="file", source=ModelFile(path=mirror() / "models" / f"{name}.onnx"))
        return told_inputs(case, Settings(), Cache(tmp_path), OnnxRuntime)

    return function


def sizes(told: Told) -> dict[str, object]:
    return {one.symbol: one.equals or one.sizes for one in told.choices}


def ranges(told: Told) -> dict[str, tuple[float | None, float | None]]:
    return {name: (known.low, known.high) for name, known in told.facts.values.items()}


def test_a_transformer_of_three_inputs(told: Callable[[str], Told]) -> None:
    found = told("all-MiniLM-L6-v2")
    assert ranges(found) == {"input_ids": (0, 30522), "attention_mask": (0, 2), "token_type_ids": (0, 2)}
    assert sizes(found) == {"batch": (1, 3), "sequence": (7, 19)}
    assert not found.refused


def test_a_language_model(told: Callable[[str], Told]) -> None:
    found = told("tinyllama-stories260K")
    assert ranges(found) == {"input_ids": (0, 512)}
    assert sizes(found) == {"batch": (1, 3), "sequence": (7, 19)}
    assert not found.refused


def test_audio_with_a_state_and_a_rate(told: Callable[[str], Told]) -> None:
    found = told("silero_vad_v6")
    assert sizes(found) == {"input_dim0": (1, 3), "input_dim1": (256, 512), "state_dim1": "input_dim0"}
    assert found.facts.values["sr"].choices[0] == 16000
    assert not found.refused


def test_audio_of_one_rate(told: Callable[[str], Told]) -> None:
    found = told("silero_vad_16k_op15")
    assert sizes(found) == {"batch": (1, 3), "sequence": (256, 512)}
    assert not found.refused


@pytest.mark.parametrize(("name", "expected"), [("vit_pgd_2_3_16", {"batch_size": (1, 3)}), ("yolox_nano-iinfer", {})])
def test_images_of_one_size(told: Callable[[str], Told], name: str, expected: dict[str, object]) -> None:
    found = told(name)
    assert sizes(found) == expected
    assert not found.refused
