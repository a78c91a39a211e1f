"""The verb doctor: whether this machine's device does what it should, and how fast."""

from __future__ import annotations

import sys
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stilts.cli.notice import notice
from stilts.cli.options import JsonOption, RootOption, StoreOption, TrackingOption, examples, say
from stilts.errors import InputError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from stilts.execute.finding import Finding


class TimedEncoder(StrEnum):
    """Encoders of XLM-R's family whose training is timed."""

    SMALL = "small"
    BASE = "base"
    LARGE = "large"


def register(app: typer.Typer) -> None:
    """Adds the verb of this file."""
    app.command(
        epilog=examples(
            "stilts doctor --device cuda > page.txt",
            "stilts doctor --shape base",
            "stilts doctor --address http://HEAD:8265 --store s3://BUCKET/stilts --tracking-uri http://MLFLOW:5000",
        )
    )(doctor)


def doctor(
    device: Annotated[str | None, typer.Option(help="What to check: cpu, cuda, or cuda:1. [default: cpu]")] = None,
    shape: Annotated[
        TimedEncoder | None, typer.Option(help="Whose training is timed. [default: large on a GPU, small else]")
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="Check every node of this cluster instead: its job server's address.")
    ] = None,
    store: StoreOption = None,
    tracking_uri: TrackingOption = None,
    root: RootOption = None,
    json: JsonOption = False,
) -> None:
    """Check that the device does what the CPU does (numbers, masks, the same bits twice), and time it.

    Random weights and tokens: no study, no data, no store. With --address every node of the cluster is asked instead
    for versions, token, clock, disk, GPUs and ports, and for the store, MLflow and roots that are named, here or in
    cluster.yaml. Exit 1 where a check failed; the page is made to be sent.
    """
    notice.begin(f"checking {address or device or 'cpu'}")
    if address is None:
        _of_a_cluster({"--store": store, "--tracking-uri": tracking_uri, "--root": root})
        from stilts.app.doctor import findings

        found = findings(device or "cpu", None if shape is None else shape.value)
        value: dict[str, Any] = {"device": device or "cpu"}
    else:
        _one_question(device, shape)
        from stilts.app.cluster_doctor import cluster_findings
        from stilts.app.cluster_file import cluster_places

        places = cluster_places(address=address, store=store, tracking=tracking_uri, roots=tuple(root or ()))
        found, versions = cluster_findings(places)
        value = {"address": address, "versions": versions}
    value["findings"] = [asdict(one) for one in found]
    say(value, lambda: _page(found), as_json=json)
    if any(one.verdict == "failed" for one in found):
        sys.exit(1)


def _of_a_cluster(given: dict[str, object]) -> None:
    for option in (name for name, value in given.items() if value):
        found = f"{option} says what a cluster's nodes are asked for, and no cluster is named"
        raise InputError(f"stilts doctor {option}", found, "", f"Add --address, or leave out {option}")


def _one_question(device: str | None, shape: TimedEncoder | None) -> None:
    if device is not None or shape is not None:
        option = "--device" if device is not None else "--shape"
        raise InputError(f"stilts doctor --address {option}", "it asks for two things", "", f"Leave out {option}")


def _page(found: list[Finding]) -> RenderableType:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), safe_box=True)
    for name in ("check", "", "found"):
        table.add_column(name, overflow="fold")
    for one in found:
        advice = f". {one.advice}." if one.advice else ""
        table.add_row(one.check, one.verdict.value, Text(one.found + advice))
    return table
