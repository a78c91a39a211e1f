"""Verbs that run and watch a study: run, status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stilts import errors
from stilts.cli.notice import notice
from stilts.cli.options import JsonOption, RootOption, StoreOption, StudyName, StudyPath, TrackingOption, examples, say
from stilts.cli.serving import link_line, link_of
from stilts.errors import InputError, StageFailedError, StiltsError
from stilts.scheduling import signals
from stilts.shown import remark, shown

if TYPE_CHECKING:
    from rich.console import RenderableType

    from stilts.app.workspace import Workspace
    from stilts.search.conductor import Conductor


def register(app: typer.Typer) -> None:
    """Adds the verbs of this file."""
    app.command(
        epilog=examples(
            "stilts run search_spaces/demo.yaml",
            "stilts run search_spaces/mini_xtreme.yaml --store s3://bucket/stilts --address auto",
            "stilts run search_spaces/mini_smoke.yaml --local --tracking-uri none",
        )
    )(run)
    app.command(epilog=examples("stilts status search_spaces/demo.yaml", "stilts status demo --json"))(status)


def run(
    study: StudyPath,
    store: StoreOption = None,
    tracking_uri: TrackingOption = None,
    address: Annotated[str | None, typer.Option(help="A Ray cluster; without it a local one is started.")] = None,
    num_cpus: Annotated[int | None, typer.Option(min=1, help="CPUs of the local cluster. [default: all]")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Torch threads of a stage. [default: its CPUs]")] = None,
    device: Annotated[str | None, typer.Option(help="cpu or cuda. [default: cuda if a stage holds GPUs]")] = None,
    ranks: Annotated[
        int | None, typer.Option(min=1, max=64, help="Processes that work on a stage. [default: one for each GPU]")
    ] = None,
    checkpoint_every: Annotated[
        float | None, typer.Option(min=0.0, metavar="SECONDS", help="Time between a stage's checkpoints. [default: 30]")
    ] = None,
    root: RootOption = None,
    local: Annotated[bool, typer.Option("--local", help="One stage after the other in this process, no Ray.")] = False,
    keep_weights: Annotated[bool, typer.Option("--keep-weights", help="Keep weights that nothing needs.")] = False,
    json: JsonOption = False,
) -> None:
    """Fill the study's matrix. What the store has is not run again: the same command resumes.

    Ends with status 0 when every stage is done, 1 when some failed (the others are kept), 2 for bad input; Ctrl-C,
    SIGTERM and SIGHUP end it with a last checkpoint and status 130, 143 and 129, a second one at once.
    """
    remark(f"reading {study} ...")  # at once: what is loaded next takes seconds
    from stilts.app.places import tracking_uri as address_given
    from stilts.app.roots import named_roots
    from stilts.app.running import RunOptions
    from stilts.app.running import run as run_study
    from stilts.app.standing import failed_stages
    from stilts.scheduling.progress import ProgressDisplay
    from stilts.study.stage_names import NamesNow
    from stilts.study.study import Study

    uri = address_given(tracking_uri)
    options = RunOptions(
        store=store,
        tracking=tracking_uri,
        local=local,
        address=address,
        num_cpus=num_cpus,
        device=device,
        threads=threads,
        ranks=ranks,
        checkpoint_every_s=checkpoint_every,
        keep_weights=keep_weights,
        roots=named_roots(root or ()),
    )
    with ProgressDisplay() as display:

        def ready(_: Workspace, conductor: Conductor) -> None:
            display.names = NamesNow(lambda: conductor.whole.record)

        report = run_study(study, options, on_event=display, on_ready=ready)
    value = {
        "done": len(report.done),
        "executed": report.executed,
        "pruned": list(report.pruned),
        "failed": report.failed,
        "failures": failed_stages(study, store, report.failed) if report.failed else [],
        "seconds": round(report.seconds, 1),
        "interrupted": report.interrupted,
        "stopped": _stopped(study, store),
        "mlflow": link_of(uri, Study.load(study).name),
    }
    say(value, lambda: with_link(_with_failures(value), value, uri), as_json=json)
    if report.failed:
        raise failure(study, report.failed)
    if report.interrupted:
        raise typer.Exit(signals.exit_status())


def failure(study: str, failed: Mapping[str, str]) -> StiltsError:
    """What a run ends with: InputError where a stage met something that the user is to mend, else StageFailedError.

    ``failed`` maps stage ids to ``<exception class>: <message>``, the form in which a worker's errors reach the driver.
    """
    mendable = {stage: error for stage, error in failed.items() if _is_input_error(error)}
    stage, error = next(iter((mendable or failed).items()))
    kind: type[StiltsError] = InputError if mendable else StageFailedError
    number = "1 stage" if len(failed) == 1 else f"{len(failed)} stages"
    return kind(
        f"study {study}",
        f"{number} failed, among them {stage} ({error})" if len(failed) > 1 else f"{number} failed, {stage} ({error})",
        "The others are kept",
        f"Mend the cause and {_again(study)}; stilts explain {study} {stage} shows more",
    )


def _again(study: str) -> str:
    from stilts.scheduling.within_job import submission_id

    if submission_id() is not None:
        return "submit the study again, which tries them again"
    return f"type the same command again, which tries them again (stilts run {study}, with the options of before)"


def _is_input_error(error: str) -> bool:
    kind = getattr(errors, error.partition(":")[0], None)
    return isinstance(kind, type) and issubclass(kind, InputError)


def status(study: StudyName, store: StoreOption = None, json: JsonOption = False) -> None:
    """Show where each cell of the study stands: done, missing, failed, pending, pruned or damaged."""
    notice.begin(f"reading {study}")
    from stilts.app.places import tracking_uri
    from stilts.app.standing import standing
    from stilts.cli.status_lines import status_lines

    value, uri = standing(study, store), tracking_uri(None)
    value["mlflow"] = link_of(uri, value["study"])
    say(value, lambda: with_link(status_lines(value), value, uri), as_json=json)


def _stopped(study: str, store: str | None) -> str | None:
    """Why a study ended before its whole matrix was filled, where a budget or a policy ended it."""
    from stilts.app.places import open_store_at
    from stilts.ledger.decisions import decisions
    from stilts.study.study import Study

    ends = [one for one in decisions(open_store_at(store), Study.load(study).name) if one.kind == "stop"]
    return ends[-1].reason if ends else None


def summary(value: dict[str, Any]) -> str:
    """What a run did, in a line, with why it ended early where a budget or a policy ended it."""
    ended = f" {value['stopped']}" if value["stopped"] and not value["interrupted"] else ""
    return _counts(value) + ended


def _with_failures(value: dict[str, Any]) -> RenderableType:
    """The summary of a run, and below it a table of what failed, on which node, and why."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    if not value["failures"]:
        return summary(value)
    table = Table("failed", "on node", "why", box=None, pad_edge=False)
    for one in value["failures"]:
        table.add_row(*(Text(shown(text), overflow="fold") for text in (one["name"], one["node"], one["error"])))
    return Group(summary(value), table)


def with_link(shown: RenderableType, value: dict[str, Any], tracking_uri: str) -> RenderableType:
    """What is shown, and below it the link to the study in MLflow, where there is one."""
    from rich.console import Group
    from rich.text import Text

    link = link_line(value["mlflow"], tracking_uri)
    return Group(shown, Text(link, overflow="fold")) if link else shown


def _counts(value: dict[str, Any]) -> str:
    left = f", {len(value['failed'])} failed" if value["failed"] else ""
    if not (value["done"] or value["failed"] or value["pruned"] or value["interrupted"]):
        return "Nothing to do: every stage of the study is done."
    return f"{value['done']} stages done ({value['executed']} executed now){left} in {value['seconds']:.0f} s."
