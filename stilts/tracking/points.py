"""Metric points from stored results: the training curve, its costs, and the scores of a replicate.

Every time is taken from the result itself, so that rebuilding gives the same points. MLflow lists metrics by the
alphabet: gains, scores and selection come first, then what they cost and how they were trained.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from stilts.ledger.results import EvaluateResult, TrainResult
from stilts.tracking.run_view import MetricPoint, metric_name, milliseconds
from stilts.tracking.stored import mapping, sequence

_Result: TypeAlias = TrainResult | EvaluateResult


def train_points(result: TrainResult) -> Iterator[MetricPoint]:
    """Loss, learning rate and selection scores over steps; examples seen per task, memory, speed and costs."""
    yield from _curve(result)
    yield from _machine_points(result)
    ended = milliseconds(result.ended)
    for task, seen in result.examples.items():
        yield value_point(metric_name("training", "examples", task), seen, ended)
    yield value_point("training.kept_step", result.kept_step, ended)
    yield value_point("training.tokens", result.tokens, ended)
    yield value_point("training.seconds", result.seconds, ended)


def _machine_points(result: TrainResult) -> Iterator[MetricPoint]:
    """What was recorded of the machine: peak memory of the GPU, or of the process on CPU, and speed."""
    ended = milliseconds(result.ended)
    where = "gpu" if _on_gpu(result) else "cpu"
    yield value_point(f"training.{where}_peak_memory_gib", result.peak_memory_gib, ended)
    if result.seconds > 0:
        yield value_point("training.tokens_per_second", result.tokens / result.seconds, ended)
        yield value_point("training.steps_per_second", result.steps / result.seconds, ended)


def _curve(result: TrainResult) -> Iterator[MetricPoint]:
    for row in sequence(result.curve):
        step, loss, rate = (_number(value) for value in sequence(row))
        at = _time_of(result, step)
        yield MetricPoint(name="training.loss", value=loss, step=int(step), time_ms=at)
        yield MetricPoint(name="training.learning_rate", value=rate, step=int(step), time_ms=at)
    for row in sequence(result.select):
        first, scores = sequence(row)
        step = _number(first)
        for task, score in mapping(scores).items():
            name = metric_name("training", "select", task)
            yield MetricPoint(name=name, value=_number(score), step=int(step), time_ms=_time_of(result, step))


def score_points(results: Mapping[tuple[str, str], EvaluateResult]) -> Iterator[MetricPoint]:
    """Score and parts (``subscore``) per language, by (use, language); scores of ``select`` under ``select``."""
    for (use, language), result in results.items():
        ended = milliseconds(result.ended)
        prefix = "score" if use == "report" else use
        if result.score is not None:
            yield value_point(metric_name(prefix, language), result.score, ended)
        # A metric's only part is the score itself under another name, as accuracy is.
        if use == "report" and len(result.parts) > 1:
            for part, value in result.parts.items():
                yield value_point(metric_name("subscore", part, language), value, ended)


def stress_points(
    stressed: Mapping[str, Mapping[str, str]], results: Mapping[tuple[str, str], EvaluateResult]
) -> Iterator[MetricPoint]:
    """Scores under each stress by language, and their mean once all languages are there; what attacks took."""
    for label, keys in stressed.items():
        known = {code: results[label, code] for code in keys if (label, code) in results}
        scores = {code: result.score for code, result in known.items() if result.score is not None}
        for code, score in scores.items():
            yield value_point(metric_name("stressed", label, code), score, milliseconds(known[code].ended))
        if scores and len(known) == len(keys):
            mean = sum(scores.values()) / len(scores)
            yield value_point(metric_name("stressed", label), mean, last_end_ms(list(known.values())))
        for code, result in known.items():
            for part in ("attack_success", "queries"):
                if part in result.parts:
                    at = milliseconds(result.ended)
                    yield value_point(metric_name(part, label, code), result.parts[part], at)


def last_end_ms(results: Sequence[_Result]) -> int:
    """When the last of the results was finished."""
    return max(milliseconds(result.ended) for result in results)


def cost_points(results: Sequence[_Result]) -> Iterator[MetricPoint]:
    """Seconds of compute and GPU hours that went into the results: wall time on one GPU each, 0 hours on CPU."""
    ended = last_end_ms(results)
    yield value_point("spent.compute_seconds", _seconds(results), ended)
    yield value_point("spent.gpu_hours", _seconds([each for each in results if _on_gpu(each)]) / 3600, ended)


def evaluate_seconds_point(results: Sequence[EvaluateResult]) -> MetricPoint:
    """The seconds that scoring took, beside ``training.seconds``."""
    return value_point("spent.evaluate_seconds", _seconds(results), last_end_ms(results))


def value_point(name: str, value: float, time_ms: int) -> MetricPoint:
    """A value that stands for a whole run: its step is 0."""
    return MetricPoint(name=name, value=float(value), step=0, time_ms=time_ms)


def _seconds(results: Sequence[_Result]) -> float:
    return sum(result.seconds for result in results)


def _on_gpu(result: _Result) -> bool:
    return str(result.execution.get("device", "cpu")).startswith("cuda")


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _time_of(result: TrainResult, step: float) -> int:
    # A result holds no time per step: spread them evenly between its start and its end.
    started, ended = result.started or 0.0, result.ended or 0.0
    share = step / max(result.steps, step, 1.0)
    return milliseconds(started + (ended - started) * share)
