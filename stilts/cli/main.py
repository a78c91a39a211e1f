"""``stilts``: the command line. One file per group of verbs; errors of input end it with status 2 and one message."""

from __future__ import annotations

import os
import sys

import typer

from stilts.cli import (
    answer,
    doctoring,
    estimating,
    exporting,
    fetching,
    jobs,
    keeping,
    mending,
    planning,
    profiling,
    replaying,
    reporting,
    rescoring,
    running,
    scoring,
    starting,
)
from stilts.cli.ending import disk_explained, told
from stilts.cli.only_text import show_only_text
from stilts.cli.overlaid import with_overlays
from stilts.cli.verbs import Verbs
from stilts.errors import StiltsError
from stilts.shown import remark

app = typer.Typer(
    name="stilts",
    cls=Verbs,
    help="Fill a transfer matrix: fine-tune on an intermediate, then on a target, score zero-shot in many languages.",
    no_args_is_help=True,
    rich_markup_mode=None,  # its help would load a Markdown reader and a highlighter, which takes longer than all else
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for group in (
    starting,
    planning,
    fetching,
    running,
    jobs,
    answer,
    reporting,
    replaying,
    estimating,
    exporting,
    keeping,
    mending,
    doctoring,
    profiling,
    scoring,
    rescoring,
):
    group.register(app)
for command in app.registered_commands:
    if command.callback is not None:
        command.callback = with_overlays(command.callback)


@told
def main() -> None:
    """Runs the command line; every error that stilts explains becomes one message on standard error."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # Sums in another order differ in the last bit: with one thread the same store gives the same report everywhere.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    show_only_text()
    try:
        with disk_explained():
            app()
    except StiltsError as error:
        remark(f"{type(error).__name__}: {error}")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
