"""Questions that may have no answer, scored as SQuAD 2.0's script does, and the threshold that decides when to say so.

A model gives each question its best span and the difference by which "no answer" beats that span. The answer is
empty where the difference exceeds a threshold (Rajpurkar et al. 2018, arXiv 1806.03822; Devlin et al. 2019, 4.3).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stilts.metrics.classification import check_pairs
from stilts.metrics.metric import FloatArray
from stilts.metrics.qa import normalize, token_f1


def squad_v2_rows(answers: Sequence[Sequence[str]], predictions: Sequence[str | None]) -> FloatArray:
    """Columns (em, f1, total, has_em, has_f1, has) of each question, shape (questions, 6), all in 0..1.

    ``has`` is 1 where the question has an answer, ``has_em`` and ``has_f1`` are its scores there and 0 elsewhere. As in
    evaluate-v2.0.py: right answers that normalise to nothing ("the") are left out, and a question without any is right
    exactly when the prediction normalises to nothing too. A prediction of None (missing) scores 0; the script
    leaves such a question out of its means. InputError when a question's answers are None (unlabelled).
    """
    check_pairs("question answering", answers, predictions)
    rows = [_row(texts, text) for texts, text in zip(answers, predictions, strict=True)]
    return np.array(rows, np.float64).reshape(-1, 6)


def predictions_at(spans: Sequence[str], differences: FloatArray, threshold: float) -> tuple[str, ...]:
    """The predictions: each span, or the empty text where its difference (logits) exceeds the threshold."""
    none = np.asarray(differences, np.float64) > threshold
    return tuple("" if empty else span for span, empty in zip(spans, none, strict=True))


def best_threshold(answers: Sequence[Sequence[str]], spans: Sequence[str], differences: FloatArray) -> float:
    """The threshold (logits) with the highest F1 on these questions, the lowest among equals.

    Candidates are the differences themselves, and one logit below the lowest, which leaves everything unanswered; a
    difference that is not finite (no span fits) is none. The script's ``find_best_thresh`` goes over the same
    candidates. Two of its habits are not ours, for they do not give the F1 that is then scored: it counts equal
    differences one by one, and it writes 0 for the threshold that leaves all unanswered.
    """
    candidates = np.unique(differences[np.isfinite(differences)])
    if not len(candidates):
        return 0.0
    candidates = np.concatenate([[candidates[0] - 1.0], candidates])
    gain = squad_v2_rows(answers, list(spans))[:, 1] - squad_v2_rows(answers, [""] * len(spans))[:, 1]
    # A question is answered from the first candidate that its difference does not exceed.
    first = np.searchsorted(candidates, differences, side="left")
    total = np.cumsum(np.bincount(first, weights=gain, minlength=len(candidates) + 1))[: len(candidates)]
    # Sums of the same F1 in another order differ by rounding: that is no better threshold.
    return float(candidates[int(np.argmax(total >= total.max() - 1e-9))])


def _row(answers: Sequence[str], prediction: str | None) -> tuple[float, ...]:
    has = float(bool(answers))
    em, f1 = (0.0, 0.0) if prediction is None else _scores(answers, normalize(prediction))
    return em, f1, 1.0, has * em, has * f1, has


def _scores(answers: Sequence[str], text: str) -> tuple[float, float]:
    golds = [gold for gold in map(normalize, answers) if gold]
    if not golds or not text:
        right = float(not golds and not text)
        return right, right
    return float(text in golds), max(token_f1(gold, text) for gold in golds)
