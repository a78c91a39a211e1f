"""Which targets and languages of a study XTREME and XTREME-R know, and why the others stay out of a submission."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stilts.analysis.scoring.benchmarks import BENCHMARKS, BenchmarkTask
from stilts.fingerprint import Json
from stilts.study.record import Column

# Targets beside our own of the benchmark's name that are its data scored, or trained, as the benchmark does: by the
# task whose folder they fill.
SCORED_AS: Mapping[str, str] = {"udpos_f1": "udpos", "xcopa_siqa": "xcopa"}
# Releases whose labelled files are not the benchmark's test set.
_OTHER_FILES: Mapping[tuple[str, str], str] = {
    ("panx", "files"): "these are the release's dev files: XTREME's test files carry no tags",
    ("mlqa", "files"): "these are the release's dev files, not its test files",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A target, or one language of it, that is not in the submission, and why."""

    target: str
    language: str | None
    reason: str


def reason_against(column: Column) -> str:
    """Why the column cannot be exported; empty where it can."""
    versions = versions_of(column.task)
    if not versions:
        return f'neither XTREME nor XTREME-R has a task "{column.task}"'
    task = next(iter(versions.values()))
    if task.format.name not in column.task_kind.submission:
        return f"XTREME's files of {task.name} do not hold predictions of the kind {column.kind}"
    return ""


def versions_of(task: str) -> dict[str, BenchmarkTask]:
    """The task as each benchmark has it, by the benchmark's name."""
    official = SCORED_AS.get(task, task)
    return {name: each.tasks[official] for name, each in BENCHMARKS.items() if official in each.tasks}


def is_known(task: str, language: str) -> bool:
    """Whether some version of the benchmark asks for the language."""
    return any(language in version.languages for version in versions_of(task).values())


def absent_languages(task: str, exported: frozenset[str]) -> dict[str, tuple[str, ...]]:
    """Per benchmark, the languages that its scorer wants and the submission does not have."""
    absent = {
        name: tuple(code for code in version.languages if code not in exported)
        for name, version in versions_of(task).items()
    }
    return {name: codes for name, codes in absent.items() if codes}


def caveats(view: Mapping[str, Json], num_examples: int) -> list[str]:
    """What of a view (its payload) keeps an evaluation from being the benchmark's own: a limit, a part, other files."""
    said = []
    limit, part = view.get("limit"), view.get("part")
    if isinstance(limit, int) and num_examples >= limit:
        said.append(f"at most {limit} examples of a language were evaluated; the official scorer wants all")
    if isinstance(part, str) and part != "all":
        said.append(f"the {part} part of the split was evaluated; the official scorer wants all")
    if view.get("exclude"):
        said.append("examples that stand in another split were left out; the official scorer wants all")
    if view.get("source") == "toy":
        said.append("these are toy languages")
    other = _OTHER_FILES.get((str(view.get("dataset")), str(view.get("source"))))
    return [*said, other] if other else said


def other_questions(config: Mapping[str, Json]) -> list[str]:
    """What of a task's settings (of an evaluation's payload) asks another question than the benchmark does."""
    if config.get("direction") == "to_english":
        return ["each sentence asked for its English one; the benchmark asks from English"]
    return []
