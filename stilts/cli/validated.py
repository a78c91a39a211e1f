"""What validate prints: that the study is valid, what stands in its data, an example of each kind, and what to know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, TypeAlias

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from stilts.app.looked_at import SAMPLE
from stilts.shown import shown

_MOST_LANGUAGES, _MOST_ROWS = 8, 4
View: TypeAlias = Mapping[str, Any]


def validation(value: Mapping[str, Any]) -> RenderableType:
    """A line for each use of each row and column, its languages together; then labels, examples and notes.

    Rows that learn the same of one task have one line.
    """
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), safe_box=True)
    for name in ("of", "use", "languages", "examples", "left out", "cut"):
        right = name in ("examples", "left out", "cut")
        table.add_column(name, justify="right" if right else "left", no_wrap=right, overflow="fold")
    labels: list[Text] = []
    before = ""
    for of, views in _once(value["views"]):
        use, name, before = views[0]["use"], "" if of == before else of, of
        table.add_row(name, use, _languages(views), _range(views), _sum(views, "left_out"), _sum(views, "truncated"))
        labels += [Text(line) for line in _labels(of, views)]
    examples = [Text(f"An example of {one['kind']}, decoded ({one['of']}):\n{one['text']}") for one in value["decoded"]]
    closing = "Train, select and report share no item in any target."
    return Group(
        Text(f"{value['study']}: valid", style="bold"),
        *([_overlays(value["overlays"])] if value["overlays"] else []),
        table,
        Text(f"cut: of the first {SAMPLE} examples in each language, those longer than max_length", style="dim"),
        *labels,
        *examples,
        Text("\n".join([closing, *map(shown, value["notes"])])),
    )


def _overlays(changes: Sequence[Mapping[str, str]]) -> Table:
    """What overlays changed, key by key."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), safe_box=True)
    for name in ("overlay", "key", "before", "after"):
        table.add_column(name, overflow="fold")
    for one in changes:
        cells = (Path(one["file"]).name, one["key"], one["before"] or "-", one["after"] or "-")
        table.add_row(*(Text(shown(cell)) for cell in cells))
    return table


def _once(views: Sequence[View]) -> Iterator[tuple[str, list[View]]]:
    """The views of each use, with what has them: a target, or all rows that have the same; and its task, if another."""
    of_same: dict[str, tuple[list[str], list[View]]] = {}
    for (of, use, _), group in groupby(views, key=lambda view: (view["of"], view["use"], view["task"])):
        own = list(group)
        same = repr([use, *({key: each for key, each in view.items() if key != "of"} for view in own)])
        of_same.setdefault(same, ([], own))[0].append(of)
    for names, own in of_same.values():
        more = f" and {len(names) - _MOST_ROWS} more" if len(names) > _MOST_ROWS else ""
        task = "" if own[0]["task"] in names else f" ({own[0]['task']})"
        yield f"{', '.join(names[:_MOST_ROWS])}{more}{task}", own


def _languages(views: Sequence[View]) -> str:
    codes = list(dict.fromkeys(view["language"] for view in views))
    more = f" and {len(codes) - _MOST_LANGUAGES} more" if len(codes) > _MOST_LANGUAGES else ""
    return f"{', '.join(codes[:_MOST_LANGUAGES])}{more}"


def _range(views: Sequence[View]) -> str:
    """The number of examples of a view, or the least and the most."""
    numbers = [view["examples"] for view in views]
    return str(numbers[0]) if min(numbers) == max(numbers) else f"{min(numbers)} to {max(numbers)}"


def _sum(views: Sequence[View], name: str) -> str:
    return str(sum(view[name] for view in views) or "")


def _labels(of: str, views: Sequence[View]) -> Iterator[str]:
    for view in views:
        if view["labels"]:
            shares = ", ".join(f"{label} {share:.0%}" for label, share in view["labels"].items())
            yield f"labels of {of} ({view['use']}): {shown(shares)}"
