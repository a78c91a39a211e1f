"""The model card of one trained model: Markdown with the front matter that the Hugging Face hub reads.

It says what the study found of the model's row, and what it did not find: intervals, languages that lose, near
chance, overlaps, and the licences of all that it was trained on.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from stilts.analysis.best import answers_of
from stilts.analysis.glance import glance_of
from stilts.analysis.matrix import replicate_scores
from stilts.analysis.results import LanguageGain, StudyResults
from stilts.analysis.wording import notes_on
from stilts.errors import UnknownNameError
from stilts.fingerprint import Json
from stilts.ledger.records import PROPOSALS, number_part
from stilts.metrics.levels import FALSE_DISCOVERY
from stilts.metrics.uncertainty import Interval
from stilts.report import phrases
from stilts.report.front_matter import TOY_LICENCE, front_matter
from stilts.report.licences import Strictness, strictest, strictness
from stilts.report.markup import as_block, as_code, as_markdown
from stilts.report.model_use import PlainBase, usage
from stilts.study.record import NONE_ROW, Column, Replicate, Row, StudyRecord, lineage
from stilts.tasks.language_codes import known_language
from stilts.tasks.registry import default_registry

_NOT_RECORDED = "unknown, not recorded in the store"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardModel:
    """The model that a card describes: one replicate of a study.

    ``stage`` is the train stage with its weights, None for the pretrained encoder itself. ``layer`` is retrieval's
    hidden state. ``rebuild`` is the command line that makes the folder again. ``plain_class`` is the class of
    transformers that it is loaded as, "" where that is the one of its task kind; with ``base`` it is an adapter on
    that.
    """

    replicate: Replicate
    stage: str | None
    rebuild: str
    layer: int | None = None
    plain_class: str = ""
    base: PlainBase | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingData:
    """A dataset that a model was trained on: what for, in which form, under which licence."""

    name: str
    used_for: str
    source: str
    licence: str


def model_card(results: StudyResults, model: CardModel) -> str:
    """The card: front matter, use, matrix row, languages, caveats, data with licences, how it was made."""
    column = results.column(model.replicate.column)
    data = training_data(results, model.replicate)
    sections = [
        _opening(results, model),
        ["## Use", "", *usage(column, model.layer, model.plain_class, model.base)],
        ["## What the study found", "", *_matrix_row(results, model)],
        [f"## {as_markdown(column.name)} by language", "", *_languages(results, model.replicate)],
        ["## Beware", "", *(f"- {as_markdown(line)}" for line in _caveats(results, model.replicate, column))],
        ["## Training data and licences", "", *_licences(results.record, data)],
        ["## How it was made", "", *_making(results, model)],
    ]
    body = "\n\n".join("\n".join(section) for section in sections)
    matter = front_matter(
        results.record,
        model.replicate,
        column,
        licences={item.name: item.licence for item in data},
        score=_own_scores(results, model.replicate).get("report"),
    )
    return f"---\n{matter}---\n\n{body}\n"


def training_data(results: StudyResults, replicate: Replicate) -> tuple[TrainingData, ...]:
    """Every dataset behind the replicate's weights: the encoder's pretraining where the study did it, row, target.

    What records of earlier versions do not say is looked up in the catalogue.
    """
    record = results.record
    uses = [("", "pretraining of the encoder")] if "" in record.training_data else []
    uses += [(task, f"intermediate {task}") for task in _row_tasks(results, replicate)]
    if replicate.target_stage is not None:
        uses.append((results.column(replicate.column).task, f"target {replicate.column}, English"))
    found: dict[str, TrainingData] = {}
    for task, used_for in uses:
        for name in _datasets_of(record, task):
            before = found.get(name)
            joined = used_for if before is None else f"{before.used_for}; {used_for}"
            found[name] = _described(record, name, joined)
    return tuple(found.values())


def _row_tasks(results: StudyResults, replicate: Replicate) -> Sequence[str]:
    """The tasks of the replicate's row; in a searched mixture those that the proposal gives weight."""
    drawn = _drawn(results, replicate)
    return [name for name, weight in drawn.items() if weight] or list(_row(results, replicate).mixture)


def _mixture(results: StudyResults, replicate: Replicate) -> str:
    """The tasks of the row with their shares of steps, in brackets; empty for one task of the row's name."""
    row = _row(results, replicate)
    weights = _drawn(results, replicate) or dict(row.mixture)
    if list(weights) == [row.name]:
        return ""
    return f" ({as_markdown(', '.join(f'{name} {weight}' for name, weight in weights.items() if weight))})"


def _row(results: StudyResults, replicate: Replicate) -> Row:
    return next(row for row in results.record.rows if row.name == replicate.row)


def _drawn(results: StudyResults, replicate: Replicate) -> Mapping[str, Json]:
    """The shares of the replicate's proposal; earlier versions recorded them in the proposal only."""
    recorded = results.record.drawn_mixture(replicate)
    weights = proposal_params(results, replicate).get("weights")
    return dict(recorded) if recorded else weights if isinstance(weights, dict) else {}


def proposal_params(results: StudyResults, replicate: Replicate) -> dict[str, Json]:
    """The values of the replicate's proposal; none where its row was not searched."""
    if replicate.proposal is None:
        return {}
    own = number_part(replicate.proposal)
    kept = PROPOSALS.read(results.store, results.record.name, replicate.row, own)
    return dict(kept.params) if kept else {}


def _datasets_of(record: StudyRecord, task: str) -> Sequence[str]:
    if task in record.training_data:
        return record.training_data[task]
    try:
        train = default_registry().task(task).train
    except UnknownNameError:  # a task of the study's own file, in a record that does not say what it learns from
        return [f"that of the task {task}"]
    return [train.dataset] if train is not None else []


def _described(record: StudyRecord, name: str, used_for: str) -> TrainingData:
    kept = record.datasets.get(name)
    source = kept["source"] if kept else _source(record, name)
    if source == "toy":
        licence = TOY_LICENCE
    elif kept:
        licence = kept["licence"]
    else:
        known = {dataset.name: dataset.licence for dataset in default_registry().datasets()}
        licence = known.get(name, _NOT_RECORDED)
    return TrainingData(name=name, used_for=used_for, source=source, licence=licence)


def _source(record: StudyRecord, dataset: str) -> str:
    data = record.settings.get("data")
    if not isinstance(data, dict):
        return "unknown"
    overrides = data.get("sources")
    return str((overrides if isinstance(overrides, dict) else {}).get(dataset, data.get("source", "unknown")))


def _opening(results: StudyResults, model: CardModel) -> list[str]:
    record, replicate = results.record, model.replicate
    row = f"{as_code(replicate.row)}{_mixture(results, replicate)}"
    first = "" if replicate.row == NONE_ROW else f"fine-tuned first on the intermediate {row}"
    then = "" if replicate.target_stage is None else f"fine-tuned on English {as_code(replicate.column)}"
    path = ", then ".join(part for part in (first, then) if part) or "as it is"
    lines = [
        f"# {as_markdown(record.name)}: {as_markdown(replicate.row)} > {as_markdown(replicate.column)}",
        "",
        f"The encoder {as_code(record.encoder)}, {path}; evaluated zero-shot in other languages. "
        f"One model of the study {as_code(record.name)}: {as_markdown(phrases.question(record))}",
    ]
    return [*lines, "", f"**{phrases.TOY_WARNING}**"] if record.toy else lines


def _matrix_row(results: StudyResults, model: CardModel) -> Iterator[str]:
    replicate = model.replicate
    row, cells = replicate.row, phrases.cells_by_name(results.cells)
    yield f"The row {as_code(row)} of the transfer matrix: means over languages and replicates, 0 to 100, on `report`."
    yield ""
    yield f"| target | metric | score | gain over `{NONE_ROW}` | 95 % interval | replicates |"
    yield "| --- | --- | ---: | ---: | ---: | ---: |"
    for column in results.record.columns:
        cell, interval = cells[row, column.name], results.gain(row, column.name)
        name = as_markdown(column.name)
        name = f"**{name}**" if column.name == replicate.column else name
        figures = phrases.cell_figures(cell)
        count = f"{cell['num_done']} of {cell['num_planned']}"
        told = " | ".join(map(as_markdown, (column.metric, figures.score, _gain(interval), _interval(interval), count)))
        yield f"| {name} | {told} |"
    yield ""
    own = _own_scores(results, replicate)
    told = ", ".join(f"{score:.1f} on `{use}`" for use, score in own.items())
    yield f"This folder holds one replicate, {as_code(replicate.replicate_id)}: {told or 'not scored yet'}."
    if cells[row, replicate.column]["num_planned"] > 1:
        yield "The row's mean is the fairer figure of the recipe: this replicate may have been chosen for its score."


def _own_scores(results: StudyResults, replicate: Replicate) -> dict[str, float]:
    """The replicate's own score by use, where all languages of the use are done."""
    found = {}
    for use in ("select", "report"):
        if use in replicate.outputs:
            lines = replicate_scores(results.frame, use).set_index("replicate_id")
            score = float(lines["score"].get(replicate.replicate_id, math.nan))
            if not math.isnan(score):
                found[use] = score
    return found


def _gain(interval: Interval | None) -> str:
    return "" if interval is None else f"{interval.estimate:+z.1f}"


def _interval(interval: Interval | LanguageGain | None) -> str:
    return "" if interval is None else f"{interval.low:+z.1f} to {interval.high:+z.1f}"


def _languages(results: StudyResults, replicate: Replicate) -> Iterator[str]:
    row, column = replicate.row, replicate.column
    gains = {item.language: item for item in results.language_gains(row, column)}
    losing = [] if _is_near_chance(results, replicate) else _losing(gains.values())
    if _is_near_chance(results, replicate):
        yield "The scores are near guessing, so no language is said to be hurt or helped."
    elif losing:
        told = ", ".join(f"{_name(item.language)} ({item.gain:+z.1f})" for item in losing)
        yield f"**Languages hurt** (gain below 0 at a false discovery rate of 5 %): {told}."
    elif gains:
        yield "Languages hurt: none beyond chance (false discovery rate 5 %)."
    else:
        yield f"Gains by language are not known: the row is `{NONE_ROW}` itself, or one of the two is not done."
    yield ""
    yield f"| language | score | gain over `{NONE_ROW}` | 95 % interval | |"
    yield "| --- | ---: | ---: | ---: | --- |"
    scores = results.language_scores
    mine = scores[(scores["row"] == row) & (scores["column"] == column)]
    for code, score in zip(mine["language"], mine["score"], strict=True):
        item = gains.get(str(code))
        gain = "" if item is None else f"{item.gain:+z.1f}"
        hurt = "hurt" if item in losing else ""
        yield f"| {_name(str(code))} | {score:.1f} | {gain} | {_interval(item)} | {hurt} |"


def _is_near_chance(results: StudyResults, replicate: Replicate) -> bool:
    """Whether the row scores on the target little better than guessing."""
    cell = phrases.cells_by_name(results.cells)[replicate.row, replicate.column]
    return bool(cell["near_chance"])


def _losing(gains: Any) -> list[LanguageGain]:
    """The languages that lose, worst first."""
    lose = [item for item in gains if item.gain < 0 and item.p_adjusted <= FALSE_DISCOVERY]
    return sorted(lose, key=lambda item: item.gain)


def _name(code: str) -> str:
    known = known_language(code)
    return as_markdown(f"{known.name} ({code})" if known else code)


def _caveats(results: StudyResults, replicate: Replicate, column: Column) -> Iterator[str]:
    report = results.cells[results.cells["column"] == column.name].set_index("row")
    interval = results.gain(replicate.row, column.name)
    answer = next((item for item in answers_of(results) if item.target == column.name), None)
    if answer is not None and answer.row == replicate.row:
        yield f"The study's verdict on this row: {glance_of(answer).sure}."
    if _is_near_chance(results, replicate):
        chance = float(report["chance"][replicate.row])
        level = "" if math.isnan(chance) else f" ({chance:.1f})"
        yield f"Near chance{level}: read nothing into the differences."
    if interval is not None and interval.conditional:
        yield f"The gain's interval is conditional on {'; '.join(interval.conditions)}."
    if interval is not None and not interval.excludes_zero:
        yield f"The gain over `{NONE_ROW}` may be nothing: its interval holds 0."
    yield from notes_on(results.record, column, replicate.row, report, results.unscored)
    yield "Only English was trained on; languages outside the table above were not evaluated."


def _licences(record: StudyRecord, data: Sequence[TrainingData]) -> Iterator[str]:
    if not data:
        yield f"The study trained nothing here: the licence is that of the encoder {as_code(record.encoder)}."
        return
    yield "| dataset | used for | source | licence | binds as |"
    yield "| --- | --- | --- | --- | --- |"
    for item in data:
        cells = (item.name, item.used_for, item.source, item.licence, strictness(item.licence).words)
        yield f"| {' | '.join(map(as_markdown, cells))} |"
    worst, which = strictest(item.licence for item in data)
    yield ""
    named = as_markdown("; ".join(which))
    yield f"Together the data bind at least as the strictest of them: **{worst.words}** ({named})."
    if worst is Strictness.UNKNOWN:
        yield "What is unknown counts as the strictest: read the dataset's own terms before you use the model."
    if not record.toy:
        yield f"The licence of the encoder {as_code(record.encoder)} itself is not recorded here: see its own card."
    yield "This is a summary of what the catalogue states, not legal advice."


def _making(results: StudyResults, model: CardModel) -> Iterator[str]:
    record, replicate = results.record, model.replicate
    for stage in _lineage(record, model.stage or replicate.evaluate_stage):
        yield f"- stage {as_code(stage)}"
    yield f"- scored by {as_code(replicate.evaluate_stage)}"
    seeds = {"intermediate": replicate.intermediate_seed, "target": replicate.target_seed}
    told = ", ".join(f"{name} {seed}" for name, seed in seeds.items() if seed is not None)
    yield f"- seeds: {told or 'none'}"
    if replicate.proposal is not None:
        yield f"- proposal {replicate.proposal} of the search: {as_markdown(str(proposal_params(results, replicate)))}"
    payload = model_payload(results, model)
    encoder = payload.get("encoder")
    for name, value in (encoder if isinstance(encoder, dict) else {}).items():
        yield f"- encoder {as_markdown(name)}: {as_code(str(value))}"
    yield f"- stilts {_stilts_version()}{as_markdown(_versions(results, model.stage))}"
    yield ""
    file = as_code(f"{record.name}.yaml")
    yield f"The study file lies beside this card as {file}: put it where the paths in it hold. This line"
    yield "makes the folder again, and trains what the store does not have:"
    yield ""
    yield as_block(model.rebuild, "sh")


def _stilts_version() -> str:
    try:
        return version("stilts")
    except PackageNotFoundError:  # a checkout on the path that was never installed
        return "of unknown version"


def _lineage(record: StudyRecord, stage: str) -> list[str]:
    """The train stages behind the weights, first to last."""
    known = [at for at in lineage(stage, record.stages) if at in record.stages]
    return [at for at in reversed(known) if record.stages[at]["kind"] == "train"]


def model_payload(results: StudyResults, model: CardModel) -> Mapping[str, Json]:
    """The identity payload of the target's training, or, for a target that does not train, of its evaluation."""
    scored = [key for outputs in model.replicate.outputs.values() for key in outputs.values()]
    keys = scored if model.replicate.target_stage is None else [model.replicate.target_stage]
    return next((payload for key in keys if (payload := results.view.payload(key))), {})


def _versions(results: StudyResults, stage: str | None) -> str:
    """The libraries that the weights were trained with, as recorded beside them."""
    result = None if stage is None else results.view.result(stage)
    versions = None if result is None else result.execution.get("versions")
    told = ", ".join(f"{name} {value}" for name, value in versions.items()) if isinstance(versions, dict) else ""
    return f"; trained with {told}" if told else ""
