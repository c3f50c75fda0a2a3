"""What a model would be fed, without running it on Burn: what the rules find, and whether the reference takes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import onnx

from burn_verify.cases import load, zoo
from burn_verify.core.case import Case
from burn_verify.core.options import Settings
from burn_verify.core.stage import PreparedCase
from burn_verify.graph.infer.feeding import sizes_of
from burn_verify.graph.infer.rules import Inference, infer
from burn_verify.graph.infer.sizing import Choice
from burn_verify.reference.engine import Engines
from burn_verify.reference.feeding import Feeder
from burn_verify.system.cache import Cache


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is told of the inputs of a model.

    Attributes:
        facts: what the rules found.
        choices: how the sizes of each unknown dimension are chosen.
        shapes: of the inputs, by data set that the reference takes.
        refused: why it takes the others not, by data set.
        sizes: of the dimensions that vary, by data set and dimension.
        tried: what was changed until the draws were taken.
    """

    prepared: PreparedCase
    facts: Inference
    choices: tuple[Choice, ...]
    shapes: Mapping[str, Sequence[Sequence[int]]]
    refused: Mapping[str, str]
    sizes: Mapping[str, Mapping[str, int]]
    tried: tuple[str, ...]


def told_inputs(case: Case, settings: Settings, cache: Cache, engines: Engines) -> Told:
    """Draw the inputs of a case, and ask a new engine for its answers.

    Raises:
        StageError: the model cannot be read, or an input has a dtype for which Burn has no value.
    """
    prepared = load.prepare(case, cache)
    found = infer(onnx.load(prepared.model, format="protobuf", load_external_data=False))
    engine = engines(cache, settings.timeout, memory_limit=settings.memory_limit)
    try:
        fed = Feeder(engine, settings.memory_limit).feed(prepared)
    finally:
        engine.close()
    vary = case.corpus == zoo.CORPUS
    sizing = sizes_of(found, prepared.case.hints, fed.change, vary=vary)
    by_trial = {*fed.change.sizes, *fed.change.relations}
    return Told(
        prepared=prepared,
        facts=found,
        choices=tuple(
            replace(one, why="trial: the reference refused others") if one.symbol in by_trial else one
            for one in sizing.choices.values()
        ),
        shapes={name: [array.shape for array in data.inputs] for name, data in fed.data_sets.items()},
        refused={name: error.message for name, error in fed.failed.items()},
        sizes=fed.sizes,
        tried=fed.tried,
    )
