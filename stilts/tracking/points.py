"""Metric points from stored results: the training curve, its costs, and the scores of a replicate.

Every time is taken from the result itself, so that rebuilding gives the same points.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stilts.fingerprint import Json
from stilts.tracking.run_view import Point, metric_name, milliseconds, system_name
from stilts.tracking.stored import mapping, number, sequence

# Numbers of a train result that are shown as they are.
_TRAIN_NUMBERS = ("kept_step", "tokens")


def train_points(result: Mapping[str, Json]) -> Iterator[Point]:
    """Loss and learning rate over steps, selection scores over steps, examples seen per task, system and costs."""
    yield from _curve(result)
    yield from _system_points(result)
    ended = milliseconds(number(result.get("ended")))
    for task, seen in mapping(result.get("examples")).items():
        yield _last(metric_name("examples", task), number(seen), ended)
    for name in _TRAIN_NUMBERS:
        if result.get(name) is not None:
            yield _last(name, number(result[name]), ended)
    yield _last("train_seconds", number(result.get("seconds")), ended)


def _system_points(result: Mapping[str, Json]) -> Iterator[Point]:
    """What was recorded of the machine: peak memory of the GPU, or of the process on CPU, and speed."""
    ended, seconds = milliseconds(number(result.get("ended"))), number(result.get("seconds"))
    where = "gpu" if _on_gpu(result) else "cpu"
    if result.get("peak_memory_gib") is not None:
        yield _last(system_name(f"{where}_peak_memory_gib"), number(result["peak_memory_gib"]), ended)
    if seconds > 0:
        yield _last(system_name("tokens_per_second"), number(result.get("tokens")) / seconds, ended)
        yield _last(system_name("steps_per_second"), number(result.get("steps")) / seconds, ended)


def _curve(result: Mapping[str, Json]) -> Iterator[Point]:
    for row in sequence(result.get("curve")):
        step, loss, rate = (number(value) for value in sequence(row))
        at = _time_of(result, step)
        yield Point(name="loss", value=loss, step=int(step), time_ms=at)
        yield Point(name="learning_rate", value=rate, step=int(step), time_ms=at)
    for row in sequence(result.get("select")):
        first, scores = sequence(row)
        step = number(first)
        for task, score in mapping(scores).items():
            name = metric_name("training.select", task)
            yield Point(name=name, value=number(score), step=int(step), time_ms=_time_of(result, step))


def score_points(results: Mapping[tuple[str, str], Mapping[str, Json]]) -> Iterator[Point]:
    """Score and parts per language, by (use, language); those of ``select`` under ``select.<language>``."""
    for (use, language), result in results.items():
        ended = milliseconds(number(result.get("ended")))
        prefix = "score" if use == "report" else use
        yield _last(metric_name(prefix, language), number(result.get("score")), ended)
        parts = mapping(result.get("parts"))
        for part, value in parts.items():
            # A metric's only part is the score itself under another name, as accuracy is.
            if use == "report" and value is not None and len(parts) > 1:
                yield _last(metric_name(part, language), number(value), ended)


def mean_point(name: str, results: Sequence[Mapping[str, Json]]) -> Point:
    """The plain mean of the results' scores, at the time of the last one (XTREME: mean over languages)."""
    return _last(name, mean_score(results), last_end_ms(results))


def mean_score(results: Sequence[Mapping[str, Json]]) -> float:
    """The plain mean of the results' scores, 0 to 100."""
    return sum(number(result.get("score")) for result in results) / len(results)


def last_end_ms(results: Sequence[Mapping[str, Json]]) -> int:
    """When the last of the results was finished."""
    return max(milliseconds(number(result.get("ended"))) for result in results)


def cost_points(results: Sequence[Mapping[str, Json]]) -> Iterator[Point]:
    """Seconds of compute and GPU hours that went into the results: wall time on one GPU each, 0 hours on CPU."""
    ended = last_end_ms(results)
    yield _last("compute_seconds", _seconds(results), ended)
    yield _last("gpu_hours", _seconds([each for each in results if _on_gpu(each)]) / 3600, ended)


def evaluate_seconds_point(results: Sequence[Mapping[str, Json]]) -> Point:
    """The seconds that scoring took, beside ``train_seconds``."""
    return _last("evaluate_seconds", _seconds(results), last_end_ms(results))


def _seconds(results: Sequence[Mapping[str, Json]]) -> float:
    return sum(number(result.get("seconds")) for result in results)


def value_point(name: str, value: float, time_ms: int) -> Point:
    """A value that stands for a whole run: its step is 0."""
    return _last(name, value, time_ms)


def _on_gpu(result: Mapping[str, Json]) -> bool:
    return str(mapping(result.get("execution")).get("device", "cpu")).startswith("cuda")


def _last(name: str, value: float, time_ms: int) -> Point:
    return Point(name=name, value=value, step=0, time_ms=time_ms)


def _time_of(result: Mapping[str, Json], step: float) -> int:
    # A result holds no time per step: spread them evenly between its start and its end.
    started, ended = number(result.get("started")), number(result.get("ended"))
    share = step / max(number(result.get("steps")), step, 1.0)
    return milliseconds(started + (ended - started) * share)
