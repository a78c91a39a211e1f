import base64
import resource
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from stilts.errors import InputError
from stilts.metrics.packed_rows import pack, unpack

columns = arrays.arrays(
    np.float64, st.integers(1, 60), elements=st.one_of(st.integers(0, 300).map(float), st.floats(allow_nan=False))
)


@given(columns)
def test_what_was_packed_comes_back_bit_for_bit(values: np.ndarray) -> None:
    assert np.array_equal(unpack(pack(values), len(values)), values)


def test_right_or_wrong_takes_less_than_a_byte_an_answer() -> None:
    correct = (np.random.default_rng(0).random(1000) < 0.7).astype(float)
    assert len(str(pack(correct))) < 300
    assert pack(np.ones(1000)) == 1.0


def test_an_empty_column_stays_empty() -> None:
    assert unpack(pack(np.empty(0)), 0).shape == (0,)


@pytest.mark.parametrize("damaged", ["u1:", "x", None, "f8:c-", [1.0], pack(np.arange(4.0))])
def test_what_is_not_such_a_column_is_refused(damaged: object) -> None:
    with pytest.raises(InputError, match="packed statistics"):
        unpack(damaged, 5)  # type: ignore[arg-type]


def test_a_bomb_is_refused_before_it_unfolds() -> None:
    press = zlib.compressobj(9)
    bomb = b"".join(press.compress(bytes(2**24)) for _ in range(64)) + press.flush()  # 1 GiB of zeros in 1 MiB
    packed = "u1:" + base64.b64encode(bomb).decode()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputError, match="packed statistics"):
        unpack(packed, 300)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**17  # KiB
