"""What is checked before a study trains: that its searches can be, its encoder, and that its splits are disjoint.

The proof that splits are disjoint is noted in the store, so that it is made once per data.
"""

from __future__ import annotations

from pathlib import Path

from stilts.app.findings import remembered
from stilts.app.mixed import check_mixtures
from stilts.app.pruned import check_pruning
from stilts.app.searching import check_searches
from stilts.app.workspace import Workspace, folder_encoder
from stilts.data.sound_target import CHECKS_VERSION, check_target
from stilts.data.tokenizer_probe import check_tokenizer
from stilts.errors import EncoderError, StudyError
from stilts.fingerprint import Json, digest
from stilts.ledger.records import DISJOINT, Disjoint
from stilts.store.store import Store
from stilts.study.adapted import check_adapters
from stilts.study.holding import Holding
from stilts.study.policy_schema import GRID
from stilts.study.resolved_target import ResolvedTarget
from stilts.tasks.encoder_config import encoder_config, read_config_json
from stilts.tasks.encoder_numbers import check_numbers
from stilts.tasks.encoder_tensors import check_tensors
from stilts.tasks.weight_files import weight_files
from stilts.training.run_config import RunConfig


def check_before_running(workspace: Workspace) -> None:
    """Raises, as StudyErrors, what a run would only meet late: an impossible search, an encoder that lacks weights."""
    check_adapters(workspace.study, lambda column: workspace.resolved.target(column).task.is_trained)
    if any(content.search is not None for content in workspace.study.rows.values()):
        check_searches(workspace)
    if workspace.study.file.pruning.policy != "none":
        check_pruning(workspace)
    _check_filling(workspace)
    check_mixtures(workspace)
    with workspace.study.blamed("encoder"):
        _check_tensors(workspace)


def check_splits(workspace: Workspace, store: Store) -> int:
    """Raises SplitOverlapError where a target's train, select and report share an item (DESIGN rule 6), and DataError
    for what else ``check_target`` finds.

    Reads only what no earlier run on this store has read and found disjoint; returns how many targets were read.
    """
    checked = 0
    for column in workspace.study.columns:
        target = workspace.resolved.target(column)
        data = _digest(target)
        if DISJOINT.known(store, data) is None:
            check_target(target.task, target.views, workspace.roots)
            DISJOINT.write(store, Disjoint(target=target.task.name, languages=target.languages), data)
            checked += 1
    return checked


def check_encoder(workspace: Workspace, *, fetch: bool = False) -> None:
    """Raises, as StudyErrors, what the study's encoder would do to a run: it builds, holds numbers, and can tokenize.

    One that lies in a folder is tried once, and again when a byte of it changes (``findings``). An encoder of the hub
    is looked at only with ``fetch``, which downloads it: else it is the stages that do, each on its machine.
    """
    with workspace.study.blamed("encoder"):
        folder = _folder_to_check(workspace, fetch=fetch)
        if folder is None:
            return
        encoder = workspace.resolved.encoder
        names: list[Json] = [path.name for path in weight_files(folder)]
        about: list[Json] = ["encoder", encoder.fingerprint, encoder.tokenizer, names]
        remembered(about, lambda: _sound(workspace, folder), unless=workspace.encoder_path is None)


def _sound(workspace: Workspace, folder: Path) -> dict[str, Json]:
    """Nothing, where the folder holds an encoder that can be used, and what the study pinned; raises what is wrong."""
    check_encoder_folder(folder)
    pinned = workspace.resolved.encoder
    if workspace.encoder_path is not None and folder_encoder(workspace.study, workspace.roots) != pinned:
        raise EncoderError(
            f"encoder in {folder}",
            "its files changed while they were read",
            "What was found good is no longer what lies there",
            "Wait until they are all there, then type the command again",
        )
    return {}


def _folder_to_check(workspace: Workspace, *, fetch: bool) -> Path | None:
    """The folder of the encoder that is to be looked at: none for a toy, and the hub's only where it may be fetched."""
    encoder = workspace.resolved.encoder
    if workspace.encoder_path is not None:
        return workspace.encoder_path
    if "repo" not in encoder.location or not fetch:
        return None
    from stilts.execute.inputs import encoder_folder

    return encoder_folder(encoder, RunConfig(roots=workspace.roots))


def check_encoder_folder(folder: Path) -> None:
    """Raises EncoderError or TransferError for an encoder that does not build, hold numbers or tokenize."""
    from stilts.models.model import CONFIG_FILE, TOKENIZER_FILE, check_builds

    asked = f"encoder in {folder}"
    config = encoder_config(asked, read_config_json(asked, folder / CONFIG_FILE))
    check_tensors(folder)
    check_tokenizer(folder / TOKENIZER_FILE, config.vocab_size, config.model_type)
    check_numbers(folder)
    check_builds(folder)


def _check_filling(workspace: Workspace) -> None:
    """Raises, as StudyErrors, a policy that cannot choose, and a budget that nothing is charged to."""
    study, wanted = workspace.study, workspace.study.file.policy
    if wanted.name != GRID and not any(workspace.resolved.target(column).views.select for column in study.columns):
        raise StudyError(
            study.at("policy"),
            "no target has a selection score",
            f"A policy asks for what settles a choice; under {study.file.selection} these targets make none",
            'Add a target with selection data, set "selection: target_dev", or leave policy out: a grid runs all',
        )
    if wanted.budget is not None and wanted.budget.gpu_hours is not None and not Holding(file=study.file).most_gpus:
        raise StudyError(
            study.at("policy.budget.gpu_hours"),
            "the study's stages hold no GPUs",
            "It would never be spent",
            "Give stage_hours instead, or resources.gpus",
        )


def _check_tensors(workspace: Workspace) -> None:
    """Raises TransferError or EncoderError where config.json and the weights do not fit; reads headers only."""
    folder = workspace.encoder_path
    if folder is not None:
        check_tensors(folder)


def _digest(target: ResolvedTarget) -> str:
    views = target.views
    groups = (views.train, views.select or views.calibration, views.report)
    return digest([CHECKS_VERSION, *([view.digest for view in group] for group in groups)])
