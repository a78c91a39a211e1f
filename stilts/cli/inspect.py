"""What ``tasks``, ``validate`` and ``plan`` say, as plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from stilts.cli.compose import Workspace, assemble, check_before_running, store_url
from stilts.cli.filling import load_priors
from stilts.cli.measuring import study_tokenizer
from stilts.cli.preflight import check_encoder
from stilts.cli.searching import check_searches, drawn_proposals
from stilts.cli.soundness import tell_damage
from stilts.errors import DataError, StudyError
from stilts.ledger.view import StudyView
from stilts.search.expectation import Expectation
from stilts.search.objective import PER_TARGET
from stilts.store import find_store
from stilts.store.store import Store
from stilts.study.cost import Cost, StillToCome, assumed_seconds, estimate
from stilts.study.plan import Plan
from stilts.study.planner import Planner
from stilts.study.policy_schema import GRID
from stilts.study.search_space import Proposal, lowest
from stilts.study.settings import search_space
from stilts.study.stage import MixturePart, Stage, TrainStage
from stilts.study.study import Study
from stilts.tasks.registry import Registry, default_registry
from stilts.tasks.resolve import Resolver, TargetViews
from stilts.tasks.task import SplitRef, Task
from stilts.tasks.view import DataView

SHOWN_PER_KIND = 3


def task_lines(study: str | None, root: str | None = None, text_root: str | None = None) -> list[dict[str, Any]]:
    """One mapping per task. Where a study or a root says where data are, ``available`` lists the languages of its
    evaluation (or training) data, and ``trains`` says whether what it learns from is there; both are None elsewhere.
    """
    resolver = assemble(Study.load(study)).resolver if study else _resolver_of(root, text_root)
    registry = resolver.registry if resolver else default_registry()
    return [_task_line(task, registry, resolver) for task in sorted(registry.tasks(), key=lambda task: task.name)]


def _resolver_of(root: str | None, text_root: str | None) -> Resolver | None:
    """The catalogue on releases' folders; DataError where a folder is none."""
    roots = {name: Path(path) for name, path in (("data", root), ("text", text_root)) if path is not None}
    for name, path in roots.items():
        if not path.is_dir():
            option = "--root" if name == "data" else "--text-root"
            raise DataError(path, f"no such folder, for {option}", next_step="Give the folder that holds the releases")
    return Resolver(default_registry(), roots) if roots else None


def planned(study: str, store: str | None, *, at_once: int = 1) -> tuple[Cost, list[dict[str, Any]]]:
    """The cost of finishing a study with so many stages at once, and its stages grouped by kind and name."""
    workspace = assemble(Study.load(study))
    check_before_running(workspace)
    opened = find_store(store_url(store))
    if opened is not None:
        check_searches(workspace, opened)
        load_priors(workspace.study, opened)
    else:
        _check_rests_on_nothing(workspace.study, store_url(store))
    drawn = drawn_proposals(workspace.planner, opened)
    plan = workspace.planner.plan(drawn)
    view = StudyView(record=plan.record, store=opened) if opened else None
    damaged = view.faults if view else {}
    tell_damage(workspace.study.name, damaged)
    done = view.published - damaged.keys() if view else frozenset()
    gone = opened.gone_keys() if opened else frozenset()
    pruned = view.pruned_stages if view else frozenset()
    expectation = Expectation.measured(plan, done, opened) if opened else Expectation()
    resources = workspace.study.file.resources
    cost = estimate(
        plan,
        done,
        gone,
        pruned=pruned,
        measured=expectation.seconds,
        gpus=resources.gpus,
        concurrent=at_once,
        gpu_hour_price=workspace.study.file.gpu_hour_price,
        artifact_bytes=_artifact_bytes(plan, done, opened),
        still=_still_to_come(workspace, drawn),
        like=workspace.planner.plan(_trial_proposals(workspace.planner)),
    )
    needed = plan.needed(done, gone, plan.with_below(pruned))
    return cost, _grouped(plan, set(needed), expectation, resources.gpus)


def _check_rests_on_nothing(study: Study, url: str) -> None:
    """Raises StudyError where the study starts from another one, and there is no store yet to have it."""
    for place, name in _rests_on(study):
        raise StudyError(
            f"{study.path}: {place}",
            f'the store {url} has no study "{name}": there is no study of that name in a store that is not there yet',
            "What it starts from is read from the store",
            f"Run {name} first, or name the store that has it with --store",
        )


def _rests_on(study: Study) -> list[tuple[str, str]]:
    """The other studies that a study starts from, each with the field that names it."""
    starts = [(row, c.search.start_from) for row, c in study.rows.items() if c.search is not None]
    priors = [name for name in study.file.policy.priors if not name.endswith(".csv")]
    fields = [(f"intermediates.{row}.search.start_from", name) for row, name in starts if name is not None]
    return [*fields, *(("policy.priors", name) for name in priors)]


def _rests_well(workspace: Workspace, given: str | None) -> list[str]:
    """What was checked of the studies that this one starts from, or why nothing was; StudyError where one cannot serve.

    Their recipes are held against the search spaces here, so a store is needed: the one given, or the usual one.
    """
    url = store_url(given)
    opened = find_store(url)  # a place that is none is refused, whether anything is asked of it or not
    resting = ", ".join(f"{place} {name}" for place, name in _rests_on(workspace.study))
    if not resting:
        return []
    if opened is None:
        return [f"Not checked: {resting}. There is no store at {url}; --store names the one that has it."]
    check_searches(workspace, opened)
    load_priors(workspace.study, opened)
    return [f"Checked in the store {url}: {resting}."]


def filling_text(path: str) -> str:
    """What of the planned grid a policy or a budget will leave out; empty where all of it is run."""
    wanted = Study.load(path).file.policy
    limits = wanted.budget.given() if wanted.budget else {}
    within = " and ".join(f"{value:g} {name.replace('_', ' ')}" for name, value in limits.items())
    budget = f" within {within}" if within else ""
    if wanted.name == GRID:
        return f"Of these it runs what fits{budget}." if budget else ""
    asked = f'the policy "{wanted.name}" asks for what settles the answer{budget}'
    return f"That is the whole grid; {asked}."


def validated(path: str, store: str | None = None) -> dict[str, Any]:
    """Every view of a study read and encoded, its splits proved disjoint; raises what a run would raise, before it."""
    from stilts.data.disjoint import check_disjoint

    workspace = assemble(Study.load(path))
    check_before_running(workspace)
    check_encoder(workspace, fetch=True)
    views: list[dict[str, Any]] = []
    decoded: list[dict[str, str]] = []
    notes = _rests_well(workspace, store)
    for column in workspace.study.columns:
        target = workspace.planner.target(column)
        labels = target.task.labels or None
        parts = target.views
        chosen_by = parts.select or parts.calibration
        counts = check_disjoint(parts.train, chosen_by, parts.report, workspace.roots, labels=labels)
        del counts
        part = MixturePart(task=target.task, weight=1.0, config=target.config, train=parts.train, select=parts.select)
        for use, group in _uses(parts):
            shown = decoded if use in ("train", "report") else []
            views.extend(_view_lines(column, use, group, part, workspace, shown))
        if target.before is not None:
            views.extend(_view_lines(column, "train", target.before.train, target.before, workspace, decoded))
    plan = workspace.planner.plan(_trial_proposals(workspace.planner))
    for row in workspace.study.rows:
        for part in workspace.planner.parts(row):
            views.extend(_view_lines(row, "train", part.train, part, workspace, decoded))
    notes.extend(f"Overlap: {row} x {column}: {why}." for row, column, why in plan.record.overlaps)
    truncated: dict[str, int] = {}
    for view in views:
        truncated[view["task"]] = truncated.get(view["task"], 0) + view["truncated"]
    shown = _enough_of_each(decoded)
    return {"study": path, "views": views, "truncated": truncated, "decoded": shown, "notes": notes}


def _task_line(task: Task, registry: Registry, resolver: Resolver | None) -> dict[str, Any]:
    ref = task.test or task.train
    assert ref is not None
    dataset = registry.dataset(ref.dataset)
    role = " and ".join(
        name for name, is_one in (("intermediate", task.train is not None), ("target", task.test is not None)) if is_one
    )
    return {
        "task": task.name,
        "kind": task.kind.name,
        "metric": task.metric,
        "role": role,
        "labels": list(task.labels),
        "num_train": registry.dataset(task.train.dataset).num_train if task.train else None,
        "languages": list(dataset.languages[ref.split]),
        "available": list(_available(task, ref, resolver)) if resolver else None,
        "trains": _trains(task, resolver) if resolver else None,
        "sources": [name for name in ("hub", "files", "toy") if getattr(dataset, name) is not None],
        "licence": dataset.licence,
        "domain": dataset.domain,
        "citation": dataset.citation,
        "group": task.group,
        "description": task.description,
    }


def _trains(task: Task, resolver: Resolver) -> bool | None:
    """Whether the data are there that a task is learned from; None for a task that is not learned."""
    if task.train is None:
        return None
    before = resolver.registry.task(task.after).train if task.after else None
    return all(resolver.available_languages(ref) for ref in (task.train, before) if ref is not None)


def _available(task: Task, ref: SplitRef, resolver: Resolver) -> tuple[str, ...]:
    """The languages that the data at hand have: of a target those that it can be evaluated in."""
    return resolver.available_languages(ref) if task.test is None else resolver.target_languages(task)


def _uses(parts: TargetViews) -> Iterator[tuple[str, tuple[DataView, ...]]]:
    """A target's data by use: also what only a threshold is chosen on, and the candidates of a pool."""
    yield "train", parts.train
    yield "select", parts.select
    yield "report", parts.report
    if parts.calibration != parts.select:
        yield "threshold", parts.calibration
    yield "pool", parts.pool


def _view_lines(
    of: str, use: str, views: Sequence[DataView], part: MixturePart, workspace: Workspace, decoded: list[dict[str, str]]
) -> Iterator[dict[str, Any]]:
    from stilts.data.encode import TaskTokenizer
    from stilts.data.load import load_examples
    from stilts.kinds.learning import decoded as decoded_text
    from stilts.kinds.learning import encode

    tokenizer = study_tokenizer(workspace)
    for view in views:
        examples = load_examples(view, workspace.roots, labels=part.task.labels or None)
        encoder = TaskTokenizer(
            tokenizer=tokenizer,
            labels=part.task.labels,
            **part.config.lengths,
        )
        encoded = encode(part.task.kind, examples[:200], encoder)
        kind = part.task.kind.name
        for number in range(min(SHOWN_PER_KIND, encoded.num_examples)):
            decoded.append({"of": of, "kind": kind, "text": decoded_text(part.task, encoded, tokenizer, number)})
        left_out = _left_out(view, workspace)
        yield {
            "of": of,
            "task": part.task.name,
            "use": use,
            "language": view.language,
            "examples": len(examples),
            "left_out": left_out,
            "truncated": encoded.num_truncated,
        }


def _left_out(view: DataView, workspace: Workspace) -> int:
    """How many examples of a view stand in evaluation data too and are left out for that."""
    from dataclasses import replace

    from stilts.data.load import load_examples

    if not view.exclude:
        return 0
    unlimited = replace(view, limit=None)
    return len(load_examples(replace(unlimited, exclude=()), workspace.roots)) - len(
        load_examples(unlimited, workspace.roots)
    )


def _enough_of_each(decoded: list[dict[str, str]]) -> list[dict[str, str]]:
    """The first decoded example of each row and column, and further ones of a kind that has fewer than three."""
    first = {line["of"]: line for line in reversed(decoded)}
    chosen = [line for line in decoded if first[line["of"]] is line]
    for line in decoded:
        is_new = line["text"] not in [other["text"] for other in chosen]
        if is_new and sum(other["kind"] == line["kind"] for other in chosen) < SHOWN_PER_KIND:
            chosen.append(line)
    kinds = list(dict.fromkeys(line["kind"] for line in chosen))
    return sorted(chosen, key=lambda line: kinds.index(line["kind"]))


def _trial_proposals(planner: Planner) -> dict[str, list[Proposal]]:
    """A made-up first proposal of every searched row: to look at its data, never run."""
    return {
        row: [Proposal(number=0, params=lowest(search_space(content.search)))]
        for row, content in planner.study.rows.items()
        if content.search is not None
    }


def _still_to_come(workspace: Workspace, drawn: Mapping[str, Sequence[Proposal]]) -> list[StillToCome]:
    """Of each searched row the proposals to be drawn, each under all its seeds, or one where they race; and what is
    to be confirmed: of a row whose choice is made, nothing, because the plan has it.
    """
    study, planner = workspace.study, workspace.planner
    found = []
    for row, search in ((row, content.search) for row, content in study.rows.items() if content.search is not None):
        known = drawn.get(row, ())
        waits = search.confirm and not any(one.stands_for for one in known)
        per_column = PER_TARGET in search.objectives
        found.append(
            StillToCome(
                row=row,
                proposals=max(0, search.proposals - len(known)),
                seeds=search.seeds if search.racing.policy == "none" else 1,
                confirming={column: planner.num_confirming(row, column) for column in study.columns} if waits else {},
                recipes=1 if per_column else len(search.objectives),
                per_column=per_column,
            )
        )
    return found


def _artifact_bytes(plan: Plan, done: frozenset[str], store: Store | None) -> int:
    """Bytes of a train stage's weights: measured where one is done, else four for each weight of the layers."""
    for stage_id, stage in plan.stages.items():
        if store is not None and isinstance(stage, TrainStage) and plan.is_done(stage_id, done):
            return sum(store.sizes(stage_id).values())
    return 4 * max((stage.encoder.num_parameters for stage in plan.stages.values()), default=0)


def _grouped(plan: Plan, needed: set[str], expectation: Expectation, gpus: float) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str], dict[str, Any]] = {}
    for stage_id, stage in plan.stages.items():
        group = groups.setdefault(
            (stage.kind.value, stage.name),
            {
                "kind": stage.kind.value,
                "name": stage.name,
                "stages": 0,
                "requested": 0,
                "to_run": 0,
                "seconds": 0.0,
                "ids": [],
            },
        )
        group["stages"] += 1
        group["ids"].append(stage_id)
        group["requested"] += plan.requested[stage_id]
        if stage_id in needed:
            group["to_run"] += 1
            group["seconds"] += _expected(stage, expectation, gpus)
    return list(groups.values())


def _expected(stage: Stage, expectation: Expectation, gpus: float) -> float:
    measured = expectation.seconds(stage)
    return measured if measured is not None else assumed_seconds(stage, gpus)
