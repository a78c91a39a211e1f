"""The verb estimates: what a study's cheap estimates would have said of its finished matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from stilts.cli.notice import notice
from stilts.cli.options import JsonOption, StoreOption, StudyName, examples, say
from stilts.errors import UnknownNameError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from stilts.analysis.score_card import ScoreCard

_USES = ("report", "select")


def register(app: typer.Typer) -> None:
    """Adds the verb of this file."""
    app.command(epilog=examples("stilts estimates search_spaces/demo.yaml", "stilts estimates demo --json"))(estimates)


def estimates(
    study: StudyName,
    store: StoreOption = None,
    against: Annotated[str, typer.Option(help="Judge by the matrix on report, or on select.")] = "report",
    json: JsonOption = False,
) -> None:
    """Score the study's estimates against its matrix: rank correlation, regret of the first rows, NDCG, seconds.

    Rows are ordered by each estimate per target; none and searched rows are left out. Figures are means over targets.
    """
    notice.begin(f"reading the results of {study}")
    from stilts.analysis.score_card import score_card
    from stilts.app.results import results_at

    if against not in _USES:
        raise UnknownNameError("use", against, _USES)
    card = score_card(results_at(study, store), against)
    value = {
        "study": study,
        "against": card.use,
        "rows": list(card.rows),
        "targets": list(card.targets),
        "estimates": [line.to_json() for line in card.lines],
        "notes": list(card.notes),
    }
    say(value, lambda: _shown(card), as_json=json)


def _shown(card: ScoreCard) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    from stilts.report.blocks import BlockColumn, Blocks
    from stilts.report.sections.estimates import HEAD, card_caption, card_figures

    title = f"Estimates against {card.use}: {len(card.rows)} rows, {len(card.targets)} targets"
    told = [(card_figures(line), "dim" if line.is_reference else "") for line in card.lines]
    columns = [
        BlockColumn(name=name, cells=[Text(figures[number], style=style) for figures, style in told])
        for number, name in enumerate(HEAD[1:])
    ]
    table = Blocks(heading=HEAD[0], rows=[line.name for line in card.lines], columns=columns)
    return Group(Text(title, style="italic"), table, Text(card_caption(card)), *(Text(f"{n}.") for n in card.notes))
