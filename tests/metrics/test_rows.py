import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stilts.errors import InputError
from stilts.metrics.classification import accuracy_rows, guess_accuracy, majority_accuracy
from stilts.metrics.metric import metric
from stilts.metrics.qa import normalize, squad_rows
from stilts.metrics.retrieval import nearest
from stilts.metrics.spans import entities, entity_rows
from stilts.metrics.tagging import tag_rows

TAGS = st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-A-B", "I-A-B", "B", "I"])
SENTENCES = st.lists(st.lists(st.tuples(TAGS, TAGS), max_size=8), min_size=1, max_size=4)


@settings(deadline=None)  # the first call imports seqeval
@given(SENTENCES)
def test_spans_and_f1_are_seqevals(sentences: list[list[tuple[str, str]]]) -> None:
    from seqeval.metrics.sequence_labeling import f1_score, get_entities

    gold = [[g for g, _ in sentence] for sentence in sentences]
    predicted = [[p for _, p in sentence] for sentence in sentences]
    for tags in gold:
        assert entities(tags) == set(get_entities(tags))
    rows = entity_rows(gold, predicted)
    if rows.sum():
        sums = dict(zip(metric("span_f1").columns, rows.sum(axis=0), strict=True))
        assert metric("span_f1").score(sums) == pytest.approx(100 * f1_score(gold, predicted, zero_division=0))


def test_accuracy_rows_count_right_labels() -> None:
    assert accuracy_rows(["a", "b"], ["a", "a"]).tolist() == [[1, 1], [0, 1]]


def test_tag_rows_count_words() -> None:
    assert tag_rows([["N", "V"], ["N"]], [["N", "N"], ["N"]]).tolist() == [[1, 2], [1, 1]]


@pytest.mark.parametrize("rows", [accuracy_rows, tag_rows, entity_rows, squad_rows])
def test_a_placeholder_and_a_missing_prediction_are_refused(rows) -> None:
    with pytest.raises(InputError, match="None"):
        rows([None], [["x"]])
    with pytest.raises(InputError, match="1 gold values but 0 predictions"):
        rows([["x"]], [])


def test_a_dropped_word_is_refused() -> None:
    with pytest.raises(InputError, match="2 words but 1 predicted"):
        entity_rows([["O", "O"]], [["O"]])


@pytest.mark.parametrize(
    ("answers", "prediction", "row"),
    [
        (["The cat"], "cat!", [1, 1, 1]),
        (["red cat", "blue dog"], "the blue cow", [0, 0.5, 1]),
        (["the"], "", [1, 0, 1]),  # gold that normalises to nothing, as the official scorer has it
        ([], "", [1, 1, 1]),
        ([], "cat", [0, 0, 1]),
        (["cat"], None, [0, 0, 1]),
        ([], None, [0, 0, 1]),
    ],
)
def test_squad_rows(answers: list[str], prediction: str | None, row: list[float]) -> None:
    assert squad_rows([answers], [prediction]).tolist() == [row]


def test_mlqa_normalises_by_language_and_squad_does_not() -> None:
    assert normalize("Der Hund.", "de", "mlqa") == "hund"
    assert normalize("Der Hund.", "de") == "der hund"
    assert normalize("北京2008年", "zh", "mlqa") == "北 京 2008 年"


def test_nearest_is_by_angle_and_the_same_in_blocks() -> None:
    stream = np.random.default_rng(0)
    queries, candidates = stream.standard_normal((50, 8)), stream.standard_normal((40, 8))
    whole = nearest(queries, candidates)
    assert (nearest(queries * 7, candidates, block=7) == whole).all()
    similarity = queries @ (candidates / np.linalg.norm(candidates, axis=1, keepdims=True)).T
    assert (similarity.argmax(axis=1) == whole).all()


def test_levels_of_guessing() -> None:
    assert majority_accuracy("aab") == pytest.approx(200 / 3)
    assert guess_accuracy(4) == 25.0
