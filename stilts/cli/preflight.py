"""Before a study trains: its encoder is tried, and its splits are proved disjoint, once per data.

The proof that splits are disjoint is noted in the store.
"""

from __future__ import annotations

from stilts.cli.compose import Workspace
from stilts.fingerprint import digest
from stilts.ledger.records import DISJOINT, Disjoint
from stilts.store.store import Store
from stilts.study.resolved_target import ResolvedTarget
from stilts.tasks.encoder_config import encoder_config, read_config_json
from stilts.tasks.encoder_numbers import check_numbers
from stilts.tasks.encoder_tensors import check_tensors


def check_splits(workspace: Workspace, store: Store) -> int:
    """Raises SplitOverlapError where a target's train, select and report share an item (DESIGN rule 6).

    Reads only what no earlier run on this store has read and found disjoint; returns how many targets were read.
    """
    from stilts.data.disjoint import check_disjoint

    checked = 0
    for column in workspace.study.columns:
        target = workspace.planner.target(column)
        data = _digest(target)
        if DISJOINT.known(store, data) is None:
            views = target.views
            chosen_by = views.select or views.calibration
            check_disjoint(views.train, chosen_by, views.report, workspace.roots, labels=target.task.labels or None)
            DISJOINT.write(store, Disjoint(target=target.task.name, languages=target.languages), data)
            checked += 1
    return checked


def check_encoder(workspace: Workspace, *, fetch: bool = False) -> None:
    """Raises, as StudyErrors, what the study's encoder would do to a run: it builds, holds numbers, and can tokenize.

    Reads the weights once. An encoder of the hub is looked at only with ``fetch``, which downloads it: else it is the
    stages that do, each on its machine.
    """
    encoder = workspace.planner.encoder
    if "toy" in encoder.location or ("repo" in encoder.location and not fetch):
        return
    from stilts.data.tokenizer_probe import check_tokenizer
    from stilts.execute.inputs import encoder_folder
    from stilts.models.model import CONFIG_FILE, TOKENIZER_FILE, check_builds
    from stilts.training.run_config import RunConfig

    with workspace.study.blamed("encoder"):
        folder = encoder_folder(encoder, RunConfig(roots=workspace.roots))
        asked = f"encoder in {folder}"
        config = encoder_config(asked, read_config_json(asked, folder / CONFIG_FILE))
        check_tensors(folder)
        check_tokenizer(folder / TOKENIZER_FILE, config.vocab_size)
        check_numbers(folder)
        check_builds(folder)


def _digest(target: ResolvedTarget) -> str:
    views = target.views
    groups = (views.train, views.select or views.calibration, views.report)
    return digest([[view.digest for view in group] for group in groups])
