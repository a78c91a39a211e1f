import pytest

from stilts.errors import InputError
from stilts.metrics.metric import metric
from stilts.metrics.ranking import average_precision_rows, reciprocal_rank_rows


def test_reciprocal_rank_is_of_the_first_right_one_within_twenty() -> None:
    late = [f"q{number}" for number in range(30)]
    rows = reciprocal_rank_rows(["a", "a", "q19", "q20", "a"], [["b", "a", "a"], [], late, late, None])
    assert rows.tolist() == [[0.5, 1], [0, 1], [0.05, 1], [0, 1], [0, 1]]
    assert metric("reciprocal_rank_at_20").parts({"reciprocal": 0.55, "total": 5.0}) == {"map@20": pytest.approx(11.0)}


@pytest.mark.parametrize(
    ("right", "ranked", "precision"),
    [
        ({"a"}, ["a"], 1.0),
        ({"a", "b"}, ["a", "x", "b"], (1 + 2 / 3) / 2),
        ({"a", "b"}, ["b", "b", "a"], (1 + 2 / 3) / 2),  # the second b takes a place
        ({"a", "b"}, ["x", "y"], 0.0),
        ({"a"}, None, 0.0),
        ({"a"}, [*map(str, range(20)), "a"], 0.0),
        (set(map(str, range(40))), list(map(str, range(20))), 1.0),  # more right answers than places
        (set(map(str, range(40))), [*map(str, range(10)), *("x" * 10)], 0.5),
    ],
)
def test_average_precision(right: set[str], ranked: list[str] | None, precision: float) -> None:
    assert average_precision_rows([right], [ranked])[0].tolist() == [pytest.approx(precision), 1.0]


def test_with_one_right_answer_both_agree() -> None:
    ranked = [["b", "a"], ["a"], ["c"]]
    gold = ["a", "a", "a"]
    assert (average_precision_rows([{each} for each in gold], ranked) == reciprocal_rank_rows(gold, ranked)).all()


@pytest.mark.parametrize("rows", [reciprocal_rank_rows, average_precision_rows])
def test_lengths_must_agree(rows) -> None:
    with pytest.raises(InputError, match="1 gold values but 2"):
        rows(["a"], [["a"], ["b"]])
