"""The report of MiniLM says whether the published table and STS-B are reproduced."""

import numpy as np
import pytest

import embeddings

VECTOR = np.zeros(384)
VECTOR[:10] = embeddings.GUIDE
VECTOR[10] = np.sqrt(embeddings.NORM**2 - (VECTOR**2).sum())


def comparison(*scores):
    names = ("onnxruntime", "burn-flex")
    known = [{"spearman": one, "pearson": 0.8, "samples": 9, "samples_per_second": 2.0} for one in scores]
    runs = [{"engine": name, **one} for name, one in zip(names, known, strict=True)]
    return {"evaluations": runs, "dataset": {"samples": 9}}


def made(vector=VECTOR, ids=embeddings.IDS, scores=(0.82, 0.82)):
    return embeddings.page(ids, {"onnxruntime": VECTOR, "burn-flex": vector}, comparison(*scores))


def test_what_is_reproduced_is_as_expected():
    text, faults = made()
    assert faults == []
    assert "| [0] | -0.039659 | -0.039659 | -0.039659 |" in text
    assert "| L2 norm | 1.183152 | 1.183152 | 1.183152 |" in text
    assert "As expected: yes" in text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"vector": VECTOR + 2e-6}, "from the published table"),
        ({"vector": VECTOR * np.nan}, "from the published table"),
        ({"ids": [101, 102]}, "the ids of 'Hello world'"),
        ({"scores": (0.82, 0.820002)}, "Spearman 0.820002"),
        ({"scores": (0.82, None)}, "Spearman None"),
    ],
)
def test_what_is_not_is_told(changed, said):
    text, faults = made(**changed)
    assert said in faults[0]
    assert "As expected: no" in text
