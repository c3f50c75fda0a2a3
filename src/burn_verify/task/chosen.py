"""From the name of a task and the description of a model to a `Task`."""

from collections.abc import Sequence
from typing import Final

from burn_verify.cases.labelled.entry import DataSet, Labels
from burn_verify.core.case import ImageHint, TaskHint, TensorSpec
from burn_verify.task import average_precision
from burn_verify.task.classification import Classification
from burn_verify.task.detection import Detecting
from burn_verify.task.families import FAMILIES, family_of, limits_of
from burn_verify.task.protocol import Task
from burn_verify.task.regression import Regression
from burn_verify.task.similarity import Similarity

KINDS: Final = {
    "classification": Labels.CLASS,
    "detection": Labels.BOXES,
    "similarity": Labels.SCORE,
    "regression": Labels.VALUES,
}
"""The tasks that are built in, and the labels that they need."""


def labels_of(kind: str) -> tuple[Labels, ...]:
    """Return the labels that a task takes; the first that the data have are used.

    Raises:
        UsageError: a module of the user's own cannot be loaded.
    """
    if kind in KINDS:
        return (KINDS[kind],)
    from burn_verify.task.custom import ORDER, Custom, own_task

    task = own_task(kind, ORDER[0])
    return ORDER if isinstance(task, Custom) else (task.labels,)


def images_of(kind: str, hint: TaskHint, outputs: Sequence[TensorSpec], said: ImageHint) -> ImageHint:
    """Return how images become tensors: as the description says, else as the family of the detector does it.

    Raises:
        Wrong: the outputs are those of no known detector.
    """
    if kind != "detection" or said != ImageHint():
        return said
    return FAMILIES[family_of(hint, outputs)].images


def task_of(kind: str, hint: TaskHint, outputs: Sequence[TensorSpec], data: DataSet) -> Task:
    """Return the task of a model on a data set.

    Raises:
        Wrong: the outputs are those of no known detector.
        UsageError: a module of the user's own cannot be loaded, or a library is not installed.
    """
    match kind:
        case "classification":
            return Classification(output=hint.output)
        case "detection":
            # Told before anything is run.
            average_precision.require()
            family = family_of(hint, outputs)
            limits = limits_of(hint, FAMILIES[family])
            return Detecting(family=family, limits=limits, categories=data.categories, hint=hint)
        case "similarity":
            return Similarity(output=hint.output, pooling=hint.pooling)
        case "regression":
            return Regression(output=hint.output)
        case _:
            from burn_verify.task.custom import own_task

            return own_task(kind, data.labels)
