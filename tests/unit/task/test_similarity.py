"""Embeddings of texts, and how their cosines rank the pairs."""

import numpy as np
import pytest

from burn_verify.cases.own.schema import Wrong
from burn_verify.task.protocol import Answer, Answered
from burn_verify.task.similarity import Similarity, embedded, pearson, ranks
from labelled import entry

TASK = Similarity()
TOKENS = np.array([[[1, 0], [0, 1], [9, 9]]], "f4")
MASK = np.array([[1, 1, 0]])


def of(cosine, label, number=0):
    return Answered(entry=entry(label, number), prediction=cosine)


def test_the_mean_leaves_the_padding_out():
    answer = Answer(outputs={"hidden": TOKENS}, inputs={"attention_mask": MASK})
    assert embedded(answer, "", "", "s").tolist() == [0.5, 0.5]
    assert embedded(answer, "", "first", "s").tolist() == [1, 0]
    assert embedded(Answer(outputs={"hidden": TOKENS}, inputs={}), "", "", "s").tolist() == [10 / 3, 10 / 3]


def test_which_output_is_the_embedding():
    pooled, sentence = np.array([[3, 4]], "f4"), np.array([[5, 6]], "f4")
    both = {"hidden": TOKENS, "pooled": pooled}
    assert embedded(Answer(outputs=both, inputs={}), "pooled", "", "s").tolist() == [3, 4]
    assert embedded(Answer(outputs=both, inputs={}), "", "none", "s").tolist() == [3, 4]
    assert len(embedded(Answer(outputs=both, inputs={}), "", "", "s")) == 2
    named = Answer(outputs={**both, "sentence_embedding": sentence}, inputs={})
    assert embedded(named, "", "", "s").tolist() == [5, 6]
    for outputs, output, said in (({"a": np.ones(2)}, "", "no output holds"), (both, "c", "'c' is none of")):
        with pytest.raises(Wrong, match=said):
            embedded(Answer(outputs=outputs, inputs={}), output, "", "s")


def test_the_cosine_of_a_pair():
    left, right = (Answer(outputs={"e": np.array([row], "f4")}, inputs={}) for row in ([1, 0], [1, 1]))
    assert TASK.predicted(entry(1), [left, right]) == pytest.approx(np.sqrt(0.5))
    zero = Answer(outputs={"e": np.zeros((1, 2), "f4")}, inputs={})
    with pytest.raises(Wrong, match="zero, or not finite"):
        TASK.predicted(entry(1), [left, zero])


def test_ranks_of_equal_values_are_their_mean():
    assert ranks(np.array([3.0, 1, 3, 2])).tolist() == [3.5, 1, 3.5, 2]
    assert np.isnan(pearson(np.ones(3), np.arange(3.0)))


def test_the_correlation_of_a_known_table():
    # By hand: ranks 1 2 3 4 5 and 2 1 4 3 5 differ by 1 four times: 1 - 6 * 4 / (5 * 24).
    some = [of(cosine, label) for cosine, label in zip([0.1, 0.2, 0.3, 0.4, 0.5], [2, 1, 4, 3, 5], strict=True)]
    found = TASK.metrics(some)
    assert found["spearman"] == pytest.approx(0.8)
    assert found["pearson"] == pytest.approx(0.8)
    assert found["cosine"] == pytest.approx(0.3)


def test_flips_are_ranks():
    before = [of(0.1, 1), of(0.2, 2, 1), of(0.3, 3, 2)]
    after = [of(0.4, 1), of(0.2, 2, 1), of(0.3, 3, 2)]
    found = TASK.flips(before, after)
    assert found[0].text == "rank 1 of 3 became 3"
    assert [one.sample for one in found] == ["sample 0", "sample 1", "sample 2"]
    assert not TASK.flips(before, before)
    assert TASK.apart(0.1, 0.4) == pytest.approx(0.3)


def test_predictions_are_read_as_they_are_written():
    some = [of(0.1, 1), of(0.2, 2, 1)]
    assert TASK.read(TASK.written(some), [one.entry for one in some]) == some
    with pytest.raises(ValueError, match='needs "cosine"'):
        TASK.read([{"sample": 0, "cosine": "x"}], [some[0].entry])
