import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stilts.errors import UnknownNameError
from stilts.metrics.metric import METRICS, metric


@pytest.mark.parametrize("name", sorted(METRICS))
@given(data=st.data())
def test_arrays_of_sums_score_like_their_elements(name: str, data: st.DataObject) -> None:
    chosen = metric(name)
    counts = st.lists(st.integers(0, 50), min_size=4, max_size=4)
    columns = {column: np.array(data.draw(counts), float) for column in chosen.columns}
    together = chosen.score(columns)
    parts = chosen.parts(columns)
    for i in range(4):
        one = {column: float(values[i]) for column, values in columns.items()}
        assert isinstance(chosen.score(one), float)
        assert together[i] == pytest.approx(chosen.score(one))
        assert {key: value[i] for key, value in parts.items()} == pytest.approx(chosen.parts(one))


@pytest.mark.parametrize(
    ("name", "sums", "score"),
    [
        ("accuracy", {"correct": 3, "total": 4}, 75.0),
        ("span_f1", {"tp": 2, "predicted": 4, "gold": 4}, 50.0),
        ("span_f1", {"tp": 0, "predicted": 0, "gold": 0}, 0.0),
        ("squad", {"em": 1, "f1": 2, "total": 4}, 37.5),
    ],
)
def test_score(name: str, sums: dict[str, float], score: float) -> None:
    assert metric(name).score(sums) == score


def test_an_unknown_metric_names_a_close_one() -> None:
    with pytest.raises(UnknownNameError, match='Did you mean "span_f1"'):
        metric("span_f")
