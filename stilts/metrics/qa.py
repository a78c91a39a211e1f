"""Exact match and token F1 of span answers, with SQuAD 1.1's normalisation and MLQA's per language.

XQuAD and TyDiQA are scored with SQuAD's (English articles) in every language, MLQA with its own, as XTREME does.
"""

from __future__ import annotations

import re
import string
import sys
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Literal, TypeAlias

import numpy as np

from stilts.errors import UnknownNameError
from stilts.metrics.classification import check_pairs
from stilts.metrics.metric import FloatArray

Flavour: TypeAlias = Literal["squad", "mlqa"]

_SQUAD_ARTICLES = re.compile(r"\b(a|an|the)\b")
_ASCII_PUNCTUATION = str.maketrans("", "", string.punctuation)
# Articles that MLQA's scorer leaves out (Lewis et al. 2020); Arabic drops "al-" wherever it stands, inside words too.
_MLQA_ARTICLES: dict[str, re.Pattern[str]] = {
    "en": _SQUAD_ARTICLES,
    "es": re.compile(r"\b(un|una|unos|unas|el|la|los|las)\b"),
    "vi": re.compile(r"\b(của|là|cái|chiếc|những)\b"),
    "de": re.compile(r"\b(ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b"),
    "ar": re.compile("ال"),
}
_HAN = re.compile("([\u4e00-\u9fa5])")


def squad_rows(
    answers: Sequence[Sequence[str]],
    predictions: Sequence[str | None],
    *,
    language: str = "en",
    flavour: Flavour = "squad",
) -> FloatArray:
    """Columns (em, f1, total) of each question, shape (questions, 3), em and f1 in 0..1.

    Each is the best over the question's answers. A question without answers is unanswerable: both are 1
    exactly when the prediction is empty. A prediction of None (missing) scores 0. InputError when a
    question's answers are None (unlabelled) or the lengths differ.
    """
    check_pairs("question answering", answers, predictions)
    rows = [_row(texts, text, language, flavour) for texts, text in zip(answers, predictions, strict=True)]
    return np.array(rows, np.float64).reshape(-1, 3)


def normalize(text: str, language: str = "en", flavour: Flavour = "squad") -> str:
    """The answer in the form that is compared: lower case, no punctuation, no articles, single spaces.

    ``squad`` drops ASCII punctuation and English articles whatever the language; ``mlqa`` drops Unicode punctuation
    and the language's own articles, and sets Chinese characters apart. UnknownNameError for another flavour.
    """
    if flavour == "squad":
        return " ".join(_SQUAD_ARTICLES.sub(" ", text.lower().translate(_ASCII_PUNCTUATION)).split())
    if flavour != "mlqa":
        raise UnknownNameError("answer normalisation", flavour, ("squad", "mlqa"))
    text = text.lower().translate(_unicode_punctuation())
    if language in _MLQA_ARTICLES:
        text = _MLQA_ARTICLES[language].sub(" ", text)
    if language == "zh":
        text = _HAN.sub(r" \1 ", text)
    return " ".join(text.split())


def token_f1(gold: str, predicted: str) -> float:
    """F1, 0..1, of the bags of words of two normalised answers; 0 when either has no words."""
    gold_words, words = gold.split(), predicted.split()
    shared = (Counter(gold_words) & Counter(words)).total()
    return 2.0 * shared / (len(gold_words) + len(words)) if shared else 0.0


def _row(answers: Sequence[str], prediction: str | None, language: str, flavour: Flavour) -> tuple[float, float, float]:
    if prediction is None:
        return 0.0, 0.0, 1.0
    if not answers:
        empty = float(not prediction.strip())
        return empty, empty, 1.0
    text = normalize(prediction, language, flavour)
    golds = [normalize(answer, language, flavour) for answer in answers]
    return float(text in golds), max(token_f1(gold, text) for gold in golds), 1.0


@cache
def _unicode_punctuation() -> dict[int, None]:
    """Every character of a Unicode category P, and ASCII's punctuation, as a table for ``str.translate``."""
    points = (point for point in range(sys.maxunicode + 1) if unicodedata.category(chr(point)).startswith("P"))
    return {**dict.fromkeys(points), **dict.fromkeys(map(ord, string.punctuation))}
