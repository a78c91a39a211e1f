"""The stage that scores a finished model under what a study's ``robustness`` lists: one beside each evaluation.

It is an evaluate stage of the same weights; every (stress, language) is an output with an identity of its own, so that
one more is scored alone. Nothing is trained for it.
"""

from __future__ import annotations

from dataclasses import replace

from stilts.errors import StudyError
from stilts.study.chains import evaluation_stage
from stilts.study.resolved_study import ResolvedStudy
from stilts.study.robust import Attack, Perturb, Stress, why_not
from stilts.study.robust_schema import USUAL_QUERIES, Robustness
from stilts.study.stage import EvaluateItem, EvaluateStage, Use
from stilts.tasks.task import SplitRef
from stilts.tasks.view import DataView


def stressed_stage(resolved: ResolvedStudy, column: str, parent: str | None) -> EvaluateStage | None:
    """The stage that stresses a column's model; None where nothing is asked of the column."""
    items = stressed_items(resolved, column)
    if not items:
        return None
    return resolved.once(("stressed", column, parent), lambda: _stage(resolved, column, parent, items))


def stressed_items(resolved: ResolvedStudy, column: str) -> tuple[EvaluateItem, ...]:
    """Every (stress, language) that is asked of a column, in the study's order."""
    return resolved.once(("stressed", column), lambda: _items(resolved, column))


def check_robustness(resolved: ResolvedStudy) -> None:
    """Raises StudyError where an entry of ``robustness`` can be done to none of its targets."""
    for number, entry in enumerate(resolved.study.file.robustness):
        where = f"{resolved.study.path}: robustness[{number}]"
        for column in entry.targets or ():
            if column not in resolved.study.columns:
                raise StudyError(f"{where}.targets", f'no target "{column}"', "", "Name targets of this study")
        asked = entry.targets or tuple(resolved.study.columns)
        reasons = {column: _why_idle(resolved, column, entry) for column in asked}
        idle = [column for column, reason in reasons.items() if reason is not None]
        if idle and (entry.targets or len(idle) == len(asked)):
            raise StudyError(
                where,
                f"{_what(entry)} on {idle[0]}: {reasons[idle[0]]}",
                "There would be nothing to score",
                "Name other targets, or leave it out",
            )


def _stage(resolved: ResolvedStudy, column: str, parent: str | None, items: tuple[EvaluateItem, ...]) -> EvaluateStage:
    plain = evaluation_stage(resolved, column, parent)
    return replace(plain, items=(*plain.threshold_items, *items))


def _items(resolved: ResolvedStudy, column: str) -> tuple[EvaluateItem, ...]:
    found: list[EvaluateItem] = []
    for number, entry in enumerate(resolved.study.file.robustness):
        if entry.targets is not None and column not in entry.targets:
            continue
        for item in resolved.target(column).items:
            if item.use is not Use.REPORT or why_not(_what(entry), resolved.target(column).task, item.view.language):
                continue
            with resolved.study.blamed(f"robustness[{number}]"):
                aligned = _aligned(resolved, entry, item.view.language)
            if entry.dictionary is None or aligned is not None:
                limits = [limit for limit in (item.view.limit, entry.limit) if limit is not None]
                view = replace(item.view, limit=min(limits, default=None))
                found.append(replace(item, view=view, stress=_stress(entry, aligned)))
    return tuple(found)


def _stress(entry: Robustness, aligned: DataView | None) -> Stress:
    return Stress(
        what=_what(entry),
        strength=entry.strength,
        seed=entry.seed,
        queries=None if entry.attack is None else entry.queries or USUAL_QUERIES,
        dictionary=aligned,
    )


def _what(entry: Robustness) -> Perturb | Attack:
    return Attack(entry.attack) if entry.attack is not None else Perturb(str(entry.perturb))


def _aligned(resolved: ResolvedStudy, entry: Robustness, language: str) -> DataView | None:
    """English text aligned with a language, of the dataset that the entry names; None where it has none of it."""
    if entry.dictionary is None:
        return None
    dataset = resolved.registry.dataset(entry.dictionary)
    ref = SplitRef(dataset=dataset.name, split="train")
    if language not in resolved.resolver.available_languages(ref):
        return None
    aligned = [task for task in resolved.registry.tasks() if task.train is not None and task.train == ref]
    if not aligned:
        raise StudyError("dictionary", f'no task learns from dataset "{dataset.name}"', "", "Name aligned text")
    return resolved.resolver.views(ref, aligned[0].kind, [language])[0]


def _why_idle(resolved: ResolvedStudy, column: str, entry: Robustness) -> str | None:
    task, languages = resolved.target(column).task, resolved.target(column).languages
    reasons = [why_not(_what(entry), task, language) for language in languages]
    return why_not(_what(entry), task) or (reasons[0] if all(reasons) else None)
