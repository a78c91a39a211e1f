"""Whether a study's pruning can ever stop a recipe: its targets must be evaluated where recipes are compared."""

from __future__ import annotations

from stilts.app.workspace import Workspace
from stilts.errors import StudyError
from stilts.search.rung_history import FRACTION_TOLERANCE
from stilts.study.chains import fine_tuning_stage
from stilts.study.config import TrainConfig
from stilts.study.search_schema import TARGET, Search


def check_pruning(workspace: Workspace) -> None:
    """Raises StudyError where no stage of the study could be judged at any of ``pruning.at_fracs``."""
    study, wanted = workspace.study, workspace.study.file.pruning
    searches = [row.search for row in study.rows.values() if row.search is not None]
    if not searches:
        raise StudyError(
            study.at("pruning"),
            "no row is searched",
            "Recipes of a searched row are compared with each other; fixed rows are never stopped",
            "Leave pruning out, or set policy: none",
        )
    configs = [fine_tuning_stage(workspace.resolved, column, None, 0).config for column in _judged_columns(workspace)]
    if any(_is_compared(config, search, wanted.at_fracs) for config in configs for search in searches):
        return
    every = sorted({config.evaluate_every for config in configs})
    fracs = ", ".join(f"{at:g}" for at in wanted.at_fracs)
    raise StudyError(
        study.at("pruning"),
        f"no target is evaluated at {fracs} of its steps"
        + (f" (evaluate_every: {', '.join(map(str, every))})" if every else ": none that trains has a selection score"),
        "Recipes are compared there, and nowhere else, so nothing would ever be pruned",
        f"Set evaluate_every of the targets{_hint(configs, wanted.at_fracs)}, or leave pruning out",
    )


def _judged_columns(workspace: Workspace) -> list[str]:
    targets = [workspace.resolved.target(column) for column in workspace.study.columns]
    return [target.name for target in targets if target.task.is_trained and target.views.select]


def _is_compared(config: TrainConfig, search: Search, fracs: tuple[float, ...]) -> bool:
    """Whether some evaluation lies at one of ``fracs``; where the length is searched, it may."""
    if config.evaluate_every == 0:
        return False
    if {TARGET + "steps", TARGET + "epochs", TARGET + "batch_size"} & set(search.searched()):
        return True
    evaluated = [step / config.steps for step in range(config.evaluate_every, config.steps, config.evaluate_every)]
    return any(abs(at - done) <= FRACTION_TOLERANCE for at in fracs for done in evaluated)


def _hint(configs: list[TrainConfig], fracs: tuple[float, ...]) -> str:
    steps = min((config.steps for config in configs), default=0)
    return f" to {max(1, round(min(fracs) * steps))}, which is {min(fracs):g} of {steps} steps" if steps else ""
