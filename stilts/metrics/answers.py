"""The row maker of each metric of question answering, by the metric's name: evaluations and rescoring use the same."""

from __future__ import annotations

from collections.abc import Sequence

from stilts.errors import UnknownNameError
from stilts.metrics.metric import FloatArray
from stilts.metrics.no_answer import squad_v2_rows
from stilts.metrics.qa import squad_rows

ANSWER_METRICS = ("squad", "mlqa", "squad_v2")


def answer_rows(
    name: str, answers: Sequence[Sequence[str]], predictions: Sequence[str | None], *, language: str
) -> FloatArray:
    """The statistics of each question, shape (questions, columns of the metric).

    ``language`` is that of the context, and so of the answers: ``mlqa`` normalises by it, the others do not look at it.
    UnknownNameError for a metric of another kind of task; otherwise as ``squad_rows``.
    """
    if name == "squad":
        return squad_rows(answers, predictions)
    if name == "mlqa":
        return squad_rows(answers, predictions, language=language, flavour="mlqa")
    if name == "squad_v2":
        return squad_v2_rows(answers, predictions)
    raise UnknownNameError("metric of question answering", name, ANSWER_METRICS)
