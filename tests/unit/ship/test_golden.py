"""Stored answers: what is allowed goes into one file, array by array."""

import numpy as np

from burn_verify.judge.allowance import BOUNDED, Allowance, equal_to
from burn_verify.ship.golden import GoldenSet, encoded
from burn_verify.system.wire import decode_named

X = np.array([1, 2], np.float32)


def test_a_set_is_stored_with_its_rules():
    bounded = Allowance(
        kind=BOUNDED,
        dtype="float16",
        shape=(2,),
        reference=X.astype(np.float64),
        limit=np.array(0.5),
        most=2.0,
        above=np.array([True, False]),
        greatest=65504.0,
    )
    sets = [GoldenSet(name="seeded", inputs=(X,), allowed=(equal_to(np.array(3)), bounded))]

    stored = decode_named(encoded(sets))

    assert stored["000/in/000"].tolist() == [1, 2]
    assert stored["000/out/000"].shape == ()
    assert stored["000/rule/000"][0] == 1
    assert stored["000/rule/001"].tolist() == [2, 2.0, np.inf, np.inf, np.inf, 65504.0, 0]
    assert stored["000/like/001"].dtype == np.float16
    assert stored["000/limit/001"].shape == ()
    assert stored["000/above/001"].tolist() == [True, False]
    assert "000/limit/000" not in stored
