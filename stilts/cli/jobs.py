"""Verbs for a Ray cluster: submit, jobs, logs, stop."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stilts import __version__
from stilts.cli.notice import notice
from stilts.cli.options import JsonOption, RootOption, StudyPath, examples, say
from stilts.shown import remark, shown

if TYPE_CHECKING:
    from rich.console import RenderableType

    from stilts.scheduling.jobs import Job, JobServer

AddressOption = Annotated[
    str | None,
    typer.Option(help="The cluster's job server. [default: $RAY_API_SERVER_ADDRESS, or address: in cluster.yaml]"),
]
JobName = Annotated[str, typer.Argument(metavar="STUDY", help="A study's name or file: its newest job; or a job's id.")]


def register(app: typer.Typer) -> None:
    """Adds the verbs of this file."""
    head, bucket = "--address http://HEAD:8265", "--store s3://bucket/stilts --tracking-uri http://MLFLOW:5000"
    app.command(
        epilog=examples(
            f"stilts submit search_spaces/demo.yaml {head} {bucket}",
            "stilts submit search_spaces/mini_xtreme.yaml --root data=/mnt/data --root text=/mnt/text --follow",
            "stilts submit search_spaces/demo.yaml -- --keep-weights",
        )
    )(submit)
    app.command(epilog=examples("stilts jobs", f"stilts jobs {head} --json"))(jobs)
    app.command(epilog=examples("stilts logs demo", "stilts logs demo --follow", "stilts logs demo --json"))(logs)
    app.command(epilog=examples("stilts stop demo", "stilts stop demo-20260131-180000 --json"))(stop)


def submit(
    study: StudyPath,
    run_options: Annotated[
        list[str] | None, typer.Argument(metavar="[-- OPTIONS]", help="Options of stilts run, behind --.")
    ] = None,
    address: AddressOption = None,
    store: Annotated[
        str | None,
        typer.Option(help="Bucket URL, or a folder of all nodes. [default: $STILTS_STORE, or store: in cluster.yaml]"),
    ] = None,
    tracking_uri: Annotated[
        str | None,
        typer.Option(
            help='MLflow\'s address; "none" for no tracking. '
            "[default: $MLFLOW_TRACKING_URI, or tracking: in cluster.yaml]"
        ),
    ] = None,
    root: RootOption = None,
    priority: Annotated[
        int | None,
        typer.Option(
            min=-1000,
            max=1000,
            help="Where studies share the cluster, those of higher priority begin their stages first. "
            "[default: 0, or priority: in cluster.yaml]",
        ),
    ] = None,
    owner: Annotated[str | None, typer.Option(help="Whose study it is. [default: owner: in cluster.yaml]")] = None,
    join: Annotated[bool, typer.Option("--join", help="Where a job fills the study already, follow that one.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Print the job's log until it ends.")] = False,
    json: JsonOption = False,
) -> None:
    """Have a Ray cluster fill the study's matrix. Submitting again is the resume, whatever else was changed.

    What travels is the code, the study, and the tasks file beside it; data, text and encoders are named by --root. What
    is not given stands in the environment or in cluster.yaml (STILTS_CLUSTER names another).
    """
    notice.begin(f"submitting {study}")
    from dataclasses import asdict

    from rich.text import Text

    from stilts.app.cluster_file import cluster_places
    from stilts.app.jobs import submit as submit_study
    from stilts.scheduling.jobs import connect

    places = cluster_places(
        address=address, store=store, tracking=tracking_uri, roots=tuple(root or ()), owner=owner, priority=priority
    )
    made = submit_study(study, places, version=__version__, join=join, run_options=run_options or (), connect=connect)
    value = asdict(made)
    say(value, lambda: Text(_submitted(value)), as_json=json)
    if follow or made.joined:
        _follow(connect(places.need_address()), made.submission_id, quiet=json)


def jobs(address: AddressOption = None, json: JsonOption = False) -> None:
    """List the cluster's jobs with their studies and states, the newest first."""
    server = _server(address, "asking the cluster for its jobs")
    value = [_line(job) for job in server.jobs()]
    say(value, lambda: _job_table(value), as_json=json)


def logs(
    study: JobName,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the job ends.")] = False,
    address: AddressOption = None,
    json: JsonOption = False,
) -> None:
    """Print what a study's newest job says; with --follow until it ends, with its exit status."""
    server = _server(address, f"asking the cluster for the log of {study}")
    from stilts.app.jobs import job_named

    job = job_named(study, server.jobs())
    if json:
        say({**_line(job), "log": server.log(job.submission_id)}, lambda: "", as_json=True)
    elif follow:
        notice.end()
        _follow(server, job.submission_id)
    else:
        notice.end()
        sys.stdout.write(shown(server.log(job.submission_id), keep="\n\t"))


def stop(study: JobName, address: AddressOption = None, json: JsonOption = False) -> None:
    """Stop a study's newest job: it saves a checkpoint first. Submitting the study again goes on from there."""
    server = _server(address, f"stopping {study}")
    from rich.text import Text

    from stilts.app.jobs import job_named

    job = job_named(study, server.jobs())
    value = {**_line(job), "stopped": job.is_live and server.stop(job.submission_id)}
    told = (
        f"Asked {job.submission_id} to end: it saves a checkpoint first, for at most a minute.\n"
        f"To see it end: stilts logs {job.submission_id} --follow\n"
        "To go on: type the same stilts submit again."
        if value["stopped"]
        else f"{job.submission_id} has ended already ({job.state})."
    )
    say(value, lambda: Text(told), as_json=json)


def _server(address: str | None, doing: str) -> JobServer:
    notice.begin(doing)
    from stilts.app.cluster_file import cluster_places
    from stilts.scheduling.jobs import connect

    return connect(cluster_places(address=address).need_address())


def _follow(server: JobServer, submission_id: str, *, quiet: bool = False) -> None:
    """Prints a job's log until it ends, and ends as it did; Ctrl-C ends the printing alone."""
    from stilts.app.jobs import exit_status, job_named

    try:
        for piece in server.follow(submission_id):
            if not quiet:
                sys.stdout.write(shown(piece, keep="\n\t"))
                sys.stdout.flush()
    except KeyboardInterrupt:
        remark(f"{submission_id} goes on; stilts stop {submission_id} ends it.")
        raise
    ended = job_named(submission_id, server.jobs())
    remark(f"{submission_id}: {ended.state}")
    raise typer.Exit(exit_status(ended))


def _line(job: Job) -> dict[str, Any]:
    return {
        "submission_id": job.submission_id,
        "study": job.study,
        "owner": job.owner,
        "priority": job.priority,
        "state": job.state,
        "started": job.started,
        "ended": job.ended,
        "store": job.metadata.get("stilts_store"),
        "tracking": job.metadata.get("stilts_tracking"),
        "version": job.metadata.get("stilts_version"),
        "message": job.message,
    }


def _submitted(value: dict[str, Any]) -> str:
    name = value["submission_id"]
    if value["joined"]:
        return f"{name} fills {value['study']} already: joined it, nothing was submitted."
    from stilts.bounded_file import sized

    return (
        f"Submitted {name}: {value['files']} files, {sized(value['bytes'])}.\n"
        f"  store   {value['store']}\n"
        f"  MLflow  {value['tracking']}\n"
        f"To follow it: stilts logs {name} --follow\n"
        f"To stop it:   stilts stop {name}"
    )


def _job_table(value: list[dict[str, Any]]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    if not value:
        return Text("The cluster has no jobs.")
    rows = [_row(one) for one in value]
    headings = [name for name in rows[0] if name not in ("owner", "priority") or any(row[name] for row in rows)]
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold", no_wrap=heading not in ("job", "study", "owner"))
    for row in rows:
        table.add_row(*(Text(shown(row[heading] or "-")) for heading in headings))
    return table


def _row(one: dict[str, Any]) -> dict[str, str]:
    """A job's cells by their headings; empty where nobody said."""
    started = one["started"]
    return {
        "job": one["submission_id"],
        "study": one["study"] or "",
        "owner": one["owner"] or "",
        "priority": f"{one['priority'] or ''}",
        "state": one["state"],
        "started": "" if started is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(started)),
        "took": _took(one),
    }


def _took(one: dict[str, Any]) -> str:
    from stilts.scheduling.progress import duration

    if one["started"] is None:
        return "-"
    return duration((one["ended"] or time.time()) - one["started"])
