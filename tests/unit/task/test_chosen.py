"""From names to tasks."""

from burn_verify.cases.labelled.entry import DataSet, Labels
from burn_verify.core.case import ImageHint, TaskHint, TensorSpec
from burn_verify.core.option_values import TASKS
from burn_verify.task.chosen import KINDS, images_of, labels_of, task_of
from labelled import KINDS as CATEGORIES

SCORES = TensorSpec(name="scores", dtype="float32", shape=(1, 3, 500))
SIDES = TensorSpec(name="sides", dtype="float32", shape=(1, 4, 500))


def test_every_task_of_the_option_is_there():
    assert tuple(KINDS) == TASKS


def test_labels():
    assert labels_of("detection") == (Labels.BOXES,)
    assert labels_of("burn_verify.task.classification:Classification") == (Labels.CLASS,)
    assert len(labels_of("math:fsum")) == len(Labels)


def test_tasks():
    for kind, labels in KINDS.items():
        data = DataSet(name="d", labels=labels, entries=(), categories=CATEGORIES)
        task = task_of(kind, TaskHint(output="o"), (SCORES, SIDES), data)
        assert (task.name, task.labels) == (kind, labels)
    assert task_of("detection", TaskHint(), (SCORES, SIDES), data).family == "grid"


def test_a_detector_brings_its_preprocessing():
    assert images_of("detection", TaskHint(), (SCORES, SIDES), ImageHint()).fit == "stretch"
    assert images_of("detection", TaskHint(family="yolox"), (), ImageHint()).colour == "BGR"
    said = ImageHint(resize=(3,))
    assert images_of("detection", TaskHint(), (), said) is said
    assert images_of("classification", TaskHint(), (), ImageHint()) == ImageHint()
