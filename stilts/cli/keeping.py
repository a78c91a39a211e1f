"""Verbs that keep house: track, gc, ui."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stilts.addresses import has_secret, shown_address
from stilts.cli.notice import notice
from stilts.cli.options import JsonOption, StoreOption, TrackingOption, examples, say
from stilts.cli.serving import PORT, address_of, command_of, how_to_open, pages, serve
from stilts.shown import shown

if TYPE_CHECKING:
    from rich.console import RenderableType

_SHOWN_STRAYS = 5
_SHOWN_EMPTY = 3


def register(app: typer.Typer) -> None:
    """Adds the verbs of this file."""
    app.command(
        epilog=examples(
            "stilts track --study demo --stopped",
            "stilts track --rebuild --study demo --tracking-uri http://127.0.0.1:5000",
        )
    )(track)
    app.command(epilog=examples("stilts gc --dry-run", "stilts gc --store s3://bucket/stilts --json"))(gc)
    app.command(epilog=examples("stilts ui", "stilts ui --port 5001", "stilts ui --how"))(ui)


def track(
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Throw the studies' runs away and write all anew.")
    ] = False,
    study: Annotated[str | None, typer.Option(help="A study file or name. [default: all studies of the store]")] = None,
    running: Annotated[
        bool | None,
        typer.Option("--running/--stopped", help="Whether a run goes on. [default: whether one holds a stage]"),
    ] = None,
    runs_only: Annotated[
        bool, typer.Option("--runs-only", help="Leave report, note and champions in MLflow as they are.")
    ] = False,
    store: StoreOption = None,
    tracking_uri: TrackingOption = None,
    json: JsonOption = False,
) -> None:
    """Bring MLflow up to date with the store; needs nothing but the store.

    Without --rebuild only what is new or differs is sent. A run has this typed for it while it works, and at its end.
    """
    notice.begin(f"bringing MLflow up to date with {study or 'every study of the store'}")
    from stilts.app.places import checked_tracking_uri, load_record, open_store_at
    from stilts.app.showcase import is_running, show
    from stilts.ledger.study_record import all_studies

    address = checked_tracking_uri(tracking_uri)
    opened = open_store_at(store)
    known = all_studies(opened)
    names = [load_record(study, opened).name] if study else list(known.values)
    unreadable = {} if study else {name: str(fault) for name, fault in known.faults.items()}
    studies: dict[str, Any] = {}
    for name in names:
        works = is_running(name, opened) if running is None else running
        studies[name] = show(name, opened, address, running=works, rebuild=rebuild, runs_only=runs_only)
    value = {"tracking_uri": shown_address(address), "studies": studies, "rebuild": rebuild, "unreadable": unreadable}
    say(value, lambda: _track_table(value), as_json=json)


def gc(
    store: StoreOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would go.")] = False,
    unreferenced: Annotated[
        bool, typer.Option("--unreferenced", help="Drop also weights that no recorded study asks for.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Drop weights that nothing needs any more; results stay. Lists bytes and what a rebuild would cost."""
    notice.begin("looking for what nothing needs any more")
    from stilts.analysis.champion import pinned_stages
    from stilts.app.places import open_store_at
    from stilts.ledger.gc import apply_gc, plan_gc

    opened = open_store_at(store)
    plan = plan_gc(opened, pinned=pinned_stages(opened), include_unreferenced=unreferenced)
    freed = None if dry_run else apply_gc(opened, plan).bytes
    value = {
        "dry_run": dry_run,
        "bytes": plan.bytes,
        "freed_bytes": freed,
        "rebuild_s": plan.rebuild_s,
        "drops": [
            {
                "kind": drop.kind.value,
                "key": drop.key,
                "bytes": drop.bytes,
                "why": drop.why,
                "rebuild_s": drop.rebuild_s,
            }
            for drop in plan.drops
        ],
        "unreferenced": [{"key": found.key, "bytes": found.bytes} for found in plan.unreferenced],
        "unreadable_studies": {name: str(fault) for name, fault in plan.faults.items()},
        "strays": list(plan.strays),
    }
    say(value, lambda: _gc_table(value), as_json=json)


def ui(
    tracking_uri: TrackingOption = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on the loopback interface.")] = PORT,
    how: Annotated[bool, typer.Option("--how", help="Only say how to open it.")] = False,
    json: JsonOption = False,
) -> None:
    """Serve the MLflow UI on this machine's loopback interface, until Ctrl-C."""
    notice.begin("looking for the studies' runs in MLflow")
    from rich.text import Text

    from stilts.app.places import checked_tracking_uri

    program = sys.argv[0] if Path(sys.argv[0]).name == "stilts" else "stilts"  # as it was typed: it may not be on PATH
    uri = checked_tracking_uri(tracking_uri)
    url = address_of(uri, port)
    studies = {name: f"{url}{page}" for name, page in pages(uri).items()}
    value = {"command": command_of(program, uri, port), "url": url, "studies": studies}
    listed = "".join(f"\n  {shown(name)}: {shown(page)}" for name, page in studies.items())
    if how or json:
        text = how_to_open(str(value["command"]), url, listed, secret=has_secret(uri))
        say(value, lambda: Text(text, overflow="fold"), as_json=json)
        return
    notice.end()
    if listed:
        print(shown(f"The studies' runs, once MLflow is up:{listed}", keep="\n"), flush=True)
    serve(uri, port)


def _track_table(value: dict[str, Any]) -> RenderableType:
    from rich.table import Table

    table = Table(title=f"MLflow at {value['tracking_uri']}", title_justify="left")
    for name in ("study", "created", "updated", "unchanged", "removed"):
        table.add_column(name, justify="left" if name == "study" else "right")
    for name, report in value["studies"].items():
        table.add_row(name, *(str(report[key]) for key in ("created", "updated", "unchanged", "removed")))
    return table


def _gc_table(value: dict[str, Any]) -> RenderableType:
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(title="What may go", title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("kind", "key", "MiB", "rebuild", "why"):
        right = name in ("MiB", "rebuild")
        table.add_column(name, justify="right" if right else "left", overflow="fold", no_wrap=right or name == "kind")
    for drop in _together(value["drops"]):
        table.add_row(
            drop["kind"], drop["key"], f"{drop['bytes'] / 2**20:.1f}", f"{drop['rebuild_s']:.0f} s", drop["why"]
        )
    done = "would be freed" if value["dry_run"] else "freed"
    lines = [f"{value['bytes'] / 2**20:.1f} MiB {done}; rebuilding all of it would take {value['rebuild_s']:.0f} s."]
    if value["unreferenced"]:
        size = sum(found["bytes"] for found in value["unreferenced"]) / 2**20
        lines.append(
            f"{len(value['unreferenced'])} artifacts ({size:.1f} MiB) belong to no recorded study; "
            "--unreferenced drops them."
        )
    for name, fault in value["unreadable_studies"].items():
        lines.append(f"Held back for study {name}, whose record cannot be read: {fault}")
    if value["strays"]:
        lines.append(f"Not made by stilts, and left alone: {strays_text(value['strays'])}.")
    return Group(table, *(Text(line) for line in lines))


def _together(drops: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The drops, those that free nothing as one line for each reason where they are many."""
    alike: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for drop in drops:
        if not drop["bytes"] and not drop["rebuild_s"]:
            alike.setdefault((drop["kind"], drop["why"]), []).append(drop)
    many = {of: found for of, found in alike.items() if len(found) > _SHOWN_EMPTY}
    kept = [drop for drop in drops if drop not in many.get((drop["kind"], drop["why"]), ())]
    return kept + [{**found[0], "key": f"{len(found)} of them (--json lists them)"} for found in many.values()]


def strays_text(paths: Sequence[str]) -> str:
    """The first strays of a store by name, and how many more there are."""
    more = f" and {len(paths) - _SHOWN_STRAYS} more" if len(paths) > _SHOWN_STRAYS else ""
    return ", ".join(map(shown, paths[:_SHOWN_STRAYS])) + more  # a name may have lines
