"""What validate prints: that the study is valid, what stands in its data, an example of each kind, and what to know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from stilts.app.looked_at import SAMPLE
from stilts.shown import shown

_MOST_LANGUAGES = 8


def validation(value: Mapping[str, Any]) -> RenderableType:
    """A line for each use of each row and column, its languages together; then labels, examples and notes."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), safe_box=True)
    for name in ("of", "use", "languages", "examples", "left out", "cut"):
        right = name in ("examples", "left out", "cut")
        table.add_column(name, justify="right" if right else "left", no_wrap=right, overflow="fold")
    labels: list[Text] = []
    for (of, use), group in groupby(value["views"], key=lambda view: (view["of"], view["use"])):
        views = list(group)
        table.add_row(of, use, _languages(views), _range(views), _sum(views, "left_out"), _sum(views, "truncated"))
        labels += [Text(line) for line in _labels(of, views)]
    examples = [Text(f"An example of {one['kind']}, decoded ({one['of']}):\n{one['text']}") for one in value["decoded"]]
    closing = "Train, select and report share no item in any target."
    return Group(
        Text(f"{value['study']}: valid", style="bold"),
        table,
        Text(f"cut: of the first {SAMPLE} examples in each language, those longer than max_length", style="dim"),
        *labels,
        *examples,
        Text("\n".join([closing, *map(shown, value["notes"])])),
    )


def _languages(views: Sequence[Mapping[str, Any]]) -> str:
    codes = list(dict.fromkeys(view["language"] for view in views))
    more = f" and {len(codes) - _MOST_LANGUAGES} more" if len(codes) > _MOST_LANGUAGES else ""
    return f"{', '.join(codes[:_MOST_LANGUAGES])}{more}"


def _range(views: Sequence[Mapping[str, Any]]) -> str:
    """The number of examples of a view, or the least and the most."""
    numbers = [view["examples"] for view in views]
    return str(numbers[0]) if min(numbers) == max(numbers) else f"{min(numbers)} to {max(numbers)}"


def _sum(views: Sequence[Mapping[str, Any]], name: str) -> str:
    return str(sum(view[name] for view in views) or "")


def _labels(of: str, views: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for view in views:
        if view["labels"]:
            shares = ", ".join(f"{label} {share:.0%}" for label, share in view["labels"].items())
            yield f"labels of {of} ({view['task']}, {view['use']}): {shown(shares)}"
