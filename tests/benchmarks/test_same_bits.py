"""The digests by which two revisions are compared."""

import numpy as np

from benchmarks.same_bits import differences, digest


def test_a_digest_tells_type_shape_and_values_apart():
    zeros = np.zeros((2, 3), np.float32)
    others = (zeros.astype(np.float16), zeros.T, zeros + 1, np.zeros(6, np.float32))
    assert digest(zeros) == digest(zeros.copy())
    assert digest(zeros) not in {digest(other) for other in others}


def test_whatever_is_other_or_missing_is_named():
    before = {"a": {"uv": "1", "alpha": "2"}, "b": {"uv": "1"}}
    after = {"a": {"uv": "1", "alpha": "3", "slip": "4"}, "c": {"uv": "1"}}
    assert differences(before, before) == []
    assert differences(before, after) == [
        "a: alpha: differs", "a: slip: only after", "b: only before", "c: only after",
    ]  # fmt: skip
