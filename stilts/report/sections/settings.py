"""What was asked and what ran it: replicates by state, seeds, versions, the study's own file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from stilts.analysis.matrix import replicate_scores
from stilts.fingerprint import Json
from stilts.ledger.results import Result
from stilts.ledger.state import State
from stilts.report.markup import as_html
from stilts.report.sections.material import Material
from stilts.report.sections.section import Section
from stilts.study.record import outputs_of


def settings_section(material: Material) -> Section:
    """Settings and versions, as lists of facts and the study's YAML."""
    facts = {
        "study": material.record.name,
        "encoder": material.record.encoder,
        "selection": material.record.selection,
        "replicates": _states(material),
        "seeds": _seeds(material),
        **_ran(list(_executions(material))),
    }
    lines = "".join(f"<dt>{as_html(name)}</dt><dd>{as_html(value)}</dd>" for name, value in facts.items() if value)
    text = f"<pre>{as_html(material.record.text)}</pre>" if material.record.text else ""
    return Section(name="settings", title="Settings and versions", body=(f"<dl>{lines}</dl>", text))


def _states(material: Material) -> str:
    counts = Counter(replicate_scores(material.results.frame, "report")["state"])
    return ", ".join(f"{counts[state]} {state}" for state in State if counts[state])


def _seeds(material: Material) -> str:
    seeds = {"intermediate": set[int](), "target": set[int]()}
    for replicate in material.record.replicates:
        seeds["intermediate"] |= {replicate.intermediate_seed} - {None}  # type: ignore[arg-type]
        seeds["target"] |= {replicate.target_seed} - {None}  # type: ignore[arg-type]
    return "; ".join(f"{name} {', '.join(map(str, sorted(found)))}" for name, found in seeds.items() if found)


def _executions(material: Material) -> list[Result]:
    """The results of all training stages that are done: they say when, where and with what they ran."""
    trains = [stage for stage in material.record.stages.values() if stage["kind"] == "train"]
    keys = [key for stage in trains for key in outputs_of(stage)]
    return list(material.results.view.results(keys).values.values())


def _ran(results: Sequence[Result]) -> dict[str, str]:
    """Date of the last result, devices and versions; a version with its count of stages where there are several."""
    if not results:
        return {}
    last = max(result.ended or 0.0 for result in results)
    values: dict[str, Counter[str]] = {}
    for result in results:
        for name, value in _facts(result.execution):
            values.setdefault(name, Counter())[value] += 1
    said = {name: _counted(counter) for name, counter in values.items()}
    return {"last training ended": datetime.fromtimestamp(last, UTC).strftime("%Y-%m-%d %H:%M UTC"), **said}


def _facts(execution: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    for name in ("device", "device_name", "threads", "deterministic"):
        if execution.get(name) is not None:
            yield name.replace("_", " "), str(execution[name])
    versions = execution.get("versions")
    for name, value in (versions if isinstance(versions, Mapping) else {}).items():
        yield str(name), str(value)


def _counted(values: Counter[str]) -> str:
    if len(values) == 1:
        return next(iter(values))
    return ", ".join(f"{value} ({count} stages)" for value, count in values.most_common())
