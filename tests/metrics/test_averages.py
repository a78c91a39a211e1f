import pytest

from stilts.errors import InputError
from stilts.metrics.averages import benchmark_score, task_score


def test_a_missing_language_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="no score for sw"):
        task_score({"en": 80.0, "sw": None})
    with pytest.raises(InputError, match="no score for sw"):
        task_score({"sw": float("nan")})


def test_the_mean_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="no languages at all"):
        task_score({})


def test_averages_with_and_without_retrieval() -> None:
    score = benchmark_score({"a": 60.0, "b": 80.0, "c": 10.0}, {"a": "qa", "b": "qa", "c": "retrieval"})
    assert (score.overall, score.without_retrieval) == (50.0, 70.0)
    assert score.groups == {"qa": 70.0, "retrieval": 10.0}


def test_without_retrieval_is_none_where_all_is_retrieval() -> None:
    assert benchmark_score({"c": 10.0}, {"c": "retrieval"}).without_retrieval is None
