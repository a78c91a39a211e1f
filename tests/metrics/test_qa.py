"""Question answering: normalisation by language, questions without an answer, and the threshold that says so.

The references are written after the official scripts' description, the slow way, so that they err in other places.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stilts.errors import InputError, UnknownNameError
from stilts.metrics.answers import ANSWER_METRICS, answer_rows
from stilts.metrics.metric import metric
from stilts.metrics.no_answer import best_threshold, predictions_at, squad_v2_rows
from stilts.metrics.qa import normalize, squad_rows, token_f1

LANGUAGES = ("en", "es", "vi", "de", "ar", "hi", "zh", "th", "ja")
# Words that lie near what is dropped: articles of five languages, within words too, and marks of several scripts.
WORDS_OF_MANY = "the a an Der die un la của cái الكتاب ال في क्या 北京 北 ไทย という 42 a.b U.S. l' the-cat İ ß".split()
MARKS = [*"()。、؟।«'\"-", " ", "\u3000", "\xa0", "\t", ""]
PIECES = st.sampled_from([*WORDS_OF_MANY, *MARKS])
TEXTS = st.lists(PIECES, max_size=6).map(" ".join) | st.lists(PIECES, max_size=4).map("".join) | st.text(max_size=12)


# --- normalisation ---


@settings(deadline=None)
@given(TEXTS, st.sampled_from(LANGUAGES), st.sampled_from(["squad", "mlqa"]))
def test_a_normalised_text_has_single_spaces_and_no_punctuation(text: str, language: str, flavour: Any) -> None:
    found = normalize(text, language, flavour)
    assert found == " ".join(found.split())
    assert not set(found) & set(string.punctuation)
    if flavour == "mlqa":
        assert not any(unicodedata.category(each).startswith("P") for each in found)


@settings(deadline=None)
@given(TEXTS, st.sampled_from(LANGUAGES), st.sampled_from(["squad", "mlqa"]))
def test_normalising_again_changes_nothing(text: str, language: str, flavour: Any) -> None:
    """A taken article leaves a space, so that its neighbours never make another one."""
    once = normalize(text, language, flavour)
    assert normalize(once, language, flavour) == once


@pytest.mark.parametrize(
    ("text", "language", "flavour", "found"),
    [
        ("The U.S. a-team", "en", "squad", "us ateam"),
        ("An «apple» (the)", "en", "squad", "«apple»"),
        ("An «apple» (the)", "en", "mlqa", "apple"),
        ("Los gatos, un perro", "es", "mlqa", "gatos perro"),
        ("Los gatos, un perro", "es", "squad", "los gatos un perro"),
        ("Die Katze der Nachbarin", "de", "mlqa", "katze nachbarin"),
        ("Những con mèo của tôi", "vi", "mlqa", "con mèo tôi"),
        # Wherever it stands: at the start of a word, and within one.
        ("الكتاب في المكتبة", "ar", "mlqa", "كتاب في مكتبة"),
        ("مقال", "ar", "mlqa", "مق"),
        ("الكتاب", "ar", "squad", "الكتاب"),
        ("क्या, यह है।", "hi", "mlqa", "क्या यह है"),
        ("在2008年、北京。", "zh", "mlqa", "在 2008 年 北 京"),
        ("在2008年、北京。", "zh", "squad", "在2008年、北京。"),
        # MLQA has neither language: nothing is segmented, Unicode punctuation goes.
        ("ประเทศไทย๚", "th", "mlqa", "ประเทศไทย"),
        ("東京「都」は", "ja", "mlqa", "東京都は"),
        ("東京「都」は", "ja", "squad", "東京「都」は"),
        ("?!", "en", "squad", ""),
        ("。、", "zh", "mlqa", ""),
    ],
)
def test_each_language_is_normalised_as_its_scorer_does(text: str, language: str, flavour: Any, found: str) -> None:
    assert normalize(text, language, flavour) == found


def slow_mlqa_chinese(text: str) -> str:
    """Character by character, as MLQA's mixed segmentation goes."""
    kept = "".join(each for each in text.lower() if not unicodedata.category(each).startswith("P"))
    kept = "".join(each for each in kept if each not in string.punctuation)
    segments, run = [], ""
    for each in kept:
        if "\u4e00" <= each <= "\u9fa5":
            segments += [*run.split(), each]
            run = ""
        else:
            run += each
    return " ".join([*segments, *run.split()])


@settings(deadline=None)
@given(TEXTS)
def test_chinese_is_cut_as_mixed_segmentation_cuts_it(text: str) -> None:
    assert normalize(text, "zh", "mlqa") == slow_mlqa_chinese(text)


# --- rows ---


@pytest.mark.parametrize("name", ANSWER_METRICS)
@pytest.mark.parametrize(
    ("answers", "prediction", "wanted"),
    [
        (["42 km"], "", (0, 0)),
        (["42 km"], "?!", (0, 0)),
        (["42 km"], "...", (0, 0)),
        (["42 km"], None, (0, 0)),
        ([], "", (1, 1)),
        ([], "42", (0, 0)),
        ([], None, (0, 0)),
    ],
)
def test_an_empty_prediction_is_right_where_there_is_no_answer(
    name: str, answers: list[str], prediction: str | None, wanted: tuple[float, float]
) -> None:
    row = answer_rows(name, [answers], [prediction], language="de")[0]
    assert tuple(row[:3]) == (*wanted, 1) and row.shape == (len(metric(name).columns),)


def test_the_metrics_part_where_their_scripts_do() -> None:
    # SQuAD 1.1: a gold answer that normalises to nothing gives EM without F1. SQuAD 2.0 takes it out.
    assert squad_rows([["the"]], [""]).tolist() == [[1, 0, 1]]
    assert squad_v2_rows([["the"]], [""])[:, :2].tolist() == [[1, 1]]
    assert squad_v2_rows([["the", "cat"]], ["the"])[:, :2].tolist() == [[0, 0]]
    # A prediction of punctuation is no answer to SQuAD 2.0's script.
    assert squad_v2_rows([[]], ["?"])[:, :2].tolist() == [[1, 1]]
    assert answer_rows("mlqa", [["der Hund"]], ["Hund"], language="de").tolist() == [[1, 1, 1]]
    assert answer_rows("squad", [["der Hund"]], ["Hund"], language="de")[0, 0] == 0
    with pytest.raises(UnknownNameError, match='"squad_2"'):
        answer_rows("squad_2", [[]], [""], language="en")
    with pytest.raises(InputError):
        squad_v2_rows([None], ["a"])  # type: ignore[list-item]


WORDS = st.lists(st.sampled_from("the cat a dog , red".split()), max_size=4).map(" ".join)
ANSWERED = st.lists(st.tuples(st.lists(WORDS.filter(bool), max_size=3), WORDS), min_size=1, max_size=12)


def slow_scores(answers: Sequence[str], said: str) -> tuple[float, float]:
    """One question by the rules of evaluate-v2.0.py."""

    def tokens(text: str) -> list[str]:
        kept = "".join(each for each in text.lower() if each not in string.punctuation)
        return re.sub(r"\b(a|an|the)\b", " ", kept).split()

    def f1(gold: list[str], words: list[str]) -> float:
        if not gold or not words:
            return float(gold == words)
        same = sum((Counter(gold) & Counter(words)).values())
        if not same:
            return 0.0
        precision, recall = same / len(words), same / len(gold)
        return 2 * precision * recall / (precision + recall)

    golds = [tokens(each) for each in answers if tokens(each)] or [[]]
    words = tokens(said)
    return max(float(gold == words) for gold in golds), max(f1(gold, words) for gold in golds)


@settings(deadline=None)
@given(ANSWERED)
def test_squad_v2_is_scored_as_its_script_does(asked: list[tuple[list[str], str]]) -> None:
    answers, said = [each for each, _ in asked], [text for _, text in asked]
    rows = squad_v2_rows(answers, said)
    slow = np.array([slow_scores(each, text) for each, text in asked])
    assert rows[:, :2] == pytest.approx(slow)
    sums = dict(zip(metric("squad_v2").columns, rows.sum(axis=0), strict=True))
    parts, score = metric("squad_v2").parts(sums), metric("squad_v2").score(sums)
    assert score == pytest.approx(50 * slow.sum() / len(asked))
    has = np.array([bool(each) for each in answers])
    for name, chosen in (("has_ans", has), ("no_ans", ~has)):
        for number, part in enumerate(("em", "f1")):
            wanted = 100 * slow[chosen, number].mean() if chosen.any() else 0.0
            assert parts[f"{name}_{part}"] == pytest.approx(wanted)


# --- the threshold ---


def f1_at(answers: list[list[str]], spans: list[str], differences: np.ndarray, threshold: float) -> float:
    return float(squad_v2_rows(answers, predictions_at(spans, differences, threshold))[:, 1].sum())


@settings(deadline=None)
@given(st.data(), ANSWERED)
def test_no_threshold_is_better_than_the_one_chosen(data: st.DataObject, asked: list[tuple[list[str], str]]) -> None:
    answers, spans = [each for each, _ in asked], [text for _, text in asked]
    number = st.integers(-3, 3).map(float) | st.just(np.inf)
    differences = np.array(data.draw(st.lists(number, min_size=len(asked), max_size=len(asked))))
    chosen = best_threshold(answers, spans, differences)
    assert np.isfinite(chosen)
    reached = f1_at(answers, spans, differences, chosen)
    others = {each: f1_at(answers, spans, differences, each) for each in np.arange(-5.0, 5.0, 0.5)}
    assert reached >= max(others.values()) - 1e-9
    better_or_equal = [each for each, value in others.items() if value >= reached - 1e-9]
    finite = differences[np.isfinite(differences)]
    if len(finite) and min(better_or_equal) >= finite.min():
        assert chosen == min(each for each in np.unique(finite) if each in better_or_equal)


def test_the_threshold_on_examples_worked_by_hand() -> None:
    answers = [["cat"], [], ["dog"], []]
    spans, differences = ["cat", "cat", "dog", "red"], np.array([-2.0, -1.0, 0.5, 3.0])
    # At 0.5: right but for the second. At -2: the third is lost instead. Equals go to the lower.
    assert best_threshold(answers, spans, differences) == -2.0
    assert predictions_at(spans, differences, -2.0) == ("cat", "", "", "")
    assert best_threshold([["cat"], [], ["dog"], ["red"]], spans, differences) == 3.0
    assert best_threshold([[]] * 4, spans, differences) == -3.0, "below all, so that nothing is answered"
    assert best_threshold([], [], np.zeros(0)) == 0.0


def test_f1_is_symmetric_and_one_for_equal_bags() -> None:
    assert token_f1("a b b", "b a b") == 1.0 and token_f1("a b", "b") == token_f1("b", "a b")
