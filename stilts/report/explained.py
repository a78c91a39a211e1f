"""A cell's story for a terminal: stages, settings beside the neighbours', proposals, flips, and checks of a loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from stilts.analysis.flips import SHOWN, CellFlips, Flip, LanguageFlips
from stilts.analysis.negative_transfer import NegativeCell
from stilts.analysis.neighbours import Neighbours
from stilts.analysis.story import CellStory, ProposalStory, ReplicateStory, StageStory
from stilts.report.gain_phrases import interval_words
from stilts.report.recipe_words import recipe_words
from stilts.shown import shown
from stilts.study.record import NONE_ROW
from stilts.study.stage_names import typed_replicate

_ANSWER_WIDTH = 34
_STATED = ("learning_rate", "steps", "batch_size", "max_length")


def story_lines(story: CellStory, *, language: str | None = None) -> Group:
    """The story, top down; flipped examples of ``language``, else of the language where most of them flipped."""
    parts: list[RenderableType] = [Text.assemble((f"{story.row} > {story.column}", "bold"), f"  {_figures(story)}")]
    if story.overlap:
        parts.append(Text(f"overlap: {shown(story.overlap)}"))
    if story.negative:
        parts += _negative(story.negative)
    parts += [Text(""), _heading("Lineage"), *(line for r in story.replicates for line in _lineage(r))]
    parts += [Text(""), _heading(f"Settings beside the other rows of {story.column}"), *_settings(story.settings)]
    if story.proposals:
        parts += [Text(""), _heading(f"Proposals of {story.row} on {story.column}"), *_proposals(story.proposals)]
    if story.flips:
        parts += [Text(""), _heading(f"Examples that flipped against {NONE_ROW}"), *_flips(story.flips, language)]
    return Group(*parts)


def _heading(text: str) -> Text:
    return Text(text, style="bold")


def _figures(story: CellStory) -> str:
    if story.score is None:
        return "no replicate is done"
    gain = f", gain {story.gain.estimate:+z.1f} ({interval_words(story.gain)})" if story.gain else ""
    given = ", conditional on seeds" if story.gain and story.gain.conditional else ""
    return f"score {story.score:.1f}{gain}{given}"


def _negative(cell: NegativeCell) -> Iterator[RenderableType]:
    how = "clearly" if cell.clear else "not clearly (beyond chance over the whole matrix)"
    yield Text(f"{how} below {NONE_ROW}; what the checks say, in order:")
    grid = _grid(3)
    for number, check in enumerate(cell.checks, 1):
        grid.add_row(f"{number}. {check.cause}", check.verdict.value, Text(shown(check.line)))
    yield Padding(grid, (0, 0, 0, 2))


def _lineage(replicate: ReplicateStory) -> Iterator[RenderableType]:
    yield Padding(Text(f"{typed_replicate(replicate.replicate)}  {_scores(replicate)}"), (0, 0, 0, 2))
    for stage in replicate.lineage:
        yield Padding(Text(f"{stage.stage}: {_stage(stage)}"), (0, 0, 0, 4))


def _scores(replicate: ReplicateStory) -> str:
    told = []
    for use, scores in replicate.scores.items():
        there = [score for score in scores.values() if score is not None]
        whole = f"{sum(there) / len(there):.1f}" if there and len(there) == len(scores) else "-"
        told.append(f"{use} {whole}" + (f" ({len(there)} of {len(scores)} languages)" if whole == "-" else ""))
    return ", ".join(told)


def _stage(stage: StageStory) -> str:
    state, comma, rest = stage.state.partition(", ")
    when = "" if stage.ended is None else f" {datetime.fromtimestamp(stage.ended, UTC):%Y-%m-%d %H:%M} UTC"
    told = [f"{state}{when}{comma}{rest}"]
    if stage.seconds is not None:
        told.append(f"{stage.seconds:.0f} s")
    if stage.node:
        told.append(shown(f"on {stage.device} of {stage.node}{stage.job and f' for job {stage.job}'}"))
    if stage.trouble:
        told.append(shown(stage.trouble))
    if stage.also_in:
        more = f" and {len(stage.also_in) - 5} more" if len(stage.also_in) > 5 else ""
        told.append(f"reused by {', '.join(map(typed_replicate, stage.also_in[:5]))}{more}")
    return ", ".join(told)


def _settings(settings: Neighbours) -> Iterator[RenderableType]:
    if settings.differing and len(settings.rows) > 1:
        table = _table("row", *settings.differing)
        for number, (row, values) in enumerate(settings.rows.items()):
            cells = [row, *(values.get(name, "-") for name in settings.differing)]
            table.add_row(*(Text(shown(text), style="" if number else "bold") for text in cells))
        yield table
    stated = [n for n in settings.same if n.removeprefix("target ") in _STATED]
    told = ", ".join(f"{name} {settings.same[name]}" for name in stated)
    others = len(settings.same) - len(stated)
    if settings.same:
        more = f"{others} {'more' if told else 'settings'} (--json)" if others else ""
        yield Padding(Text(f"the same in all rows: {' and '.join(filter(None, (told, more)))}"), (0, 0, 0, 2))
    if settings.unknown:
        yield Padding(Text(f"not known yet: {', '.join(settings.unknown)}"), (0, 0, 0, 2))


def _proposals(proposals: Sequence[ProposalStory]) -> Iterator[RenderableType]:
    table = _table("proposal", "select", "state", "parameters")
    for item in proposals:
        select = "-" if item.select_score is None else f"{item.select_score:.1f}"
        name = f"{item.number}{' *' if item.chosen else ''}"
        text = shown("; ".join(filter(None, (recipe_words(item.params), item.pruned))))
        table.add_row(*(Text(t, style="bold" if item.chosen else "") for t in (name, select, item.state, text)))
    yield table
    if any(item.chosen for item in proposals):
        yield Padding(Text("* chosen on select: it stands in the cell", style="dim"), (0, 0, 0, 2))


def _flips(flips: CellFlips, language: str | None) -> Iterator[RenderableType]:
    won, lost = ("right, none wrong", "wrong, none right") if flips.whole else ("better", "worse")
    yield Padding(
        Text(f"{typed_replicate(flips.row_replicate)} against {typed_replicate(flips.none_replicate)}"), (0, 0, 0, 2)
    )
    table = _table("language", "examples", won, lost, "net", right=(1, 2, 3, 4))
    for item in flips.languages:
        net = f"{item.num_won - item.num_lost:+d}"
        table.add_row(item.language, str(item.num_examples), str(item.num_won), str(item.num_lost), net)
    yield table
    if flips.skipped:
        yield Text(f"not the same examples in both: {', '.join(flips.skipped)}")
    found = _shown(flips, language)
    if found is not None and (found.won or found.lost):
        yield Text(f"{found.language}: the largest differences (--language for another)", style="dim")
        yield _examples(found, (won, lost))


def _shown(flips: CellFlips, language: str | None) -> LanguageFlips | None:
    if language is not None:
        return next((item for item in flips.languages if item.language == language), None)
    return max(flips.languages, key=lambda item: item.num_won + item.num_lost, default=None)


def _examples(language: LanguageFlips, names: tuple[str, str]) -> Table:
    gold = any(flip.gold is not None for flip in (*language.won, *language.lost))
    table = _table("", "item", "this row", NONE_ROW, *(["gold"] if gold else []))
    for name, found in zip(names, (language.won, language.lost), strict=True):
        for number, flip in enumerate(found[:SHOWN]):
            ours, base = _answers(flip)
            cells = [
                name if not number else "",
                shown(flip.item),
                ours,
                base,
                *([_cut(flip.gold or "")] if gold else []),
            ]
            table.add_row(*map(Text, cells))
    return table


def _answers(flip: Flip) -> tuple[str, str]:
    """Both answers cut to what fits; where they are tags of the same words, only the words that differ."""
    ours, base = flip.row_answer.split(), flip.none_answer.split()
    if len(ours) == len(base) > 3:
        at = [number for number, (one, other) in enumerate(zip(ours, base, strict=True), 1) if one != other]
        told = (" ".join(f"{number}:{tags[number - 1]}" for number in at) for tags in (ours, base))
        one, other = (_cut(text) for text in told)
        return one, other
    return _cut(flip.row_answer), _cut(flip.none_answer)


def _cut(text: str) -> str:
    flat = shown(" ".join(text.split()))
    return flat if len(flat) <= _ANSWER_WIDTH else f"{flat[: _ANSWER_WIDTH - 3]}..."


def _table(*names: str, right: Sequence[int] = ()) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), safe_box=True)
    for number, name in enumerate(names):
        table.add_column(name, justify="right" if number in right else "left")
    return table


def _grid(columns: int) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    for number in range(columns):
        grid.add_column(no_wrap=number < columns - 1)
    return grid
