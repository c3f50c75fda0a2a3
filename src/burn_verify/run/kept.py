"""A reduced model as files: the model, and its inputs and expected outputs as a data set beside it."""

from pathlib import Path

from burn_verify.core.stage import Stage
from burn_verify.graph.shrink import Draft
from burn_verify.reference.engine import infer
from burn_verify.run.search import Search
from burn_verify.run.waves import ANSWERED


def write_draft(path: Path, draft: Draft, search: Search, stage: Stage | None) -> None:
    """Write a model; where its failure depends on values, write them in the layout of onnx's data sets.

    Raises:
        OSError: it cannot be written.
        OracleError: ONNX Runtime does not run it.
    """
    import onnx
    from onnx import numpy_helper

    onnx.save(draft.model, path)
    if stage not in ANSWERED:
        return
    settings = search.settings
    engine = search.seams.engine(search.cache, settings.timeout, memory_limit=settings.memory_limit)
    try:
        answers = infer(engine, path, draft.inputs)
    finally:
        engine.close()
    folder = path.parent / path.stem / "test_data_set_0"
    folder.mkdir(parents=True, exist_ok=True)
    for word, arrays in (("input", draft.inputs), ("output", answers)):
        for place, array in enumerate(arrays):
            data = numpy_helper.from_array(array, f"{word}{place}").SerializeToString()
            (folder / f"{word}_{place}.pb").write_bytes(data)
