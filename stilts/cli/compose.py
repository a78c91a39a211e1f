"""The composition root: from a study file and a store's address to everything that a verb needs.

Floors below know nothing of each other's implementations; here they meet.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from stilts.errors import StudyError
from stilts.fingerprint import Json, plain
from stilts.ledger.study_record import load_study
from stilts.store import Store, make_store, open_store
from stilts.store.sealing import seal_store
from stilts.study.config import TaskConfig, TrainConfig
from stilts.study.planner import Planner
from stilts.study.policy_schema import GRID
from stilts.study.record import StudyRecord
from stilts.study.stage import MixturePart, TrainStage
from stilts.study.study import Study
from stilts.tasks.encoder import EncoderRef
from stilts.tasks.encoder_tensors import check_tensors
from stilts.tasks.registry import Registry, default_registry
from stilts.tasks.resolve import Resolver
from stilts.tasks.resolve_encoder import encoder_from_folder, encoder_from_hub
from stilts.tasks.task import Source
from stilts.tasks.user_tasks import load_user_tasks
from stilts.tasks.view import DataView
from stilts.tracking.address_check import check_address
from stilts.training.run_config import RunConfig

STORE_VARIABLE, TRACKING_VARIABLE = "STILTS_STORE", "MLFLOW_TRACKING_URI"
DEFAULT_STORE = "stilts_store"
DEFAULT_TRACKING = "sqlite:///mlflow.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A study with its tasks, its data pinned, and its planner. ``roots`` are the named roots on this machine."""

    study: Study
    registry: Registry
    resolver: Resolver
    planner: Planner
    roots: dict[str, str]


def store_url(given: str | None) -> str:
    """The store's address: what is given, else STILTS_STORE, else ``stilts_store`` in the working folder."""
    return given or os.environ.get(STORE_VARIABLE) or DEFAULT_STORE


def tracking_uri(given: str | None) -> str:
    """MLflow's address: what is given, else MLFLOW_TRACKING_URI, else ``sqlite:///mlflow.db`` in the working folder."""
    return given or os.environ.get(TRACKING_VARIABLE) or DEFAULT_TRACKING


def checked_tracking_uri(given: str | None) -> str:
    """MLflow's address, as ``tracking_uri``; InputError where MLflow cannot use it, before anything runs."""
    address = tracking_uri(given)
    check_address(address)
    return address


def assemble(study: Study) -> Workspace:
    """The study made ready to plan: registry, roots, pinned encoder. Errors of input surface here."""
    roots = _roots(study)
    registry = default_registry()
    if study.file.tasks is not None:
        with study.blamed("tasks"):
            load_user_tasks(study.folder / study.file.tasks, registry)
    data = study.file.data
    with study.blamed("data.sources"):
        for dataset in data.sources:
            registry.dataset(dataset)
    resolver = Resolver(
        registry,
        {name: Path(path) for name, path in roots.items()},
        source=Source(data.source),
        overrides={dataset: Source(source) for dataset, source in data.sources.items()},
    )
    with study.blamed("encoder"):
        encoder, pretraining = _encoder(study, registry, roots)
    planner = Planner(
        study=study,
        registry=registry,
        resolver=resolver,
        encoder=encoder,
        count_examples=lambda views: _count(views, roots),
        pretraining=pretraining,
    )
    return Workspace(study=study, registry=registry, resolver=resolver, planner=planner, roots=roots)


def run_config(
    workspace: Workspace,
    *,
    cache_dir: str | None,
    device: str,
    threads: int | None,
    checkpoint_every_s: float | None = None,
) -> RunConfig:
    """How this machine runs the study's stages."""
    config = RunConfig(
        device=device,
        threads=threads,
        micro_batch=workspace.study.file.resources.micro_batch,
        roots=workspace.roots,
        cache_dir=cache_dir,
    )
    return config if checkpoint_every_s is None else replace(config, checkpoint_every_s=checkpoint_every_s)


def check_before_running(workspace: Workspace) -> None:
    """Raises, as StudyErrors, what a run would only meet late: an impossible search, an encoder that lacks weights."""
    if any(content.search is not None for content in workspace.study.rows.values()):
        from stilts.cli.searching import check_searches

        check_searches(workspace)
    if workspace.study.file.pruning.policy != "none":
        from stilts.cli.pruned import check_pruning

        check_pruning(workspace)
    _check_filling(workspace)
    with workspace.study.blamed("encoder"):
        _check_encoder(workspace)


def _check_filling(workspace: Workspace) -> None:
    """Raises, as StudyErrors, a policy that cannot choose, and a budget that nothing is charged to."""
    study, wanted = workspace.study, workspace.study.file.policy
    if wanted.name != GRID and not any(workspace.planner.target(column).views.select for column in study.columns):
        raise StudyError(
            f"{study.path}: policy",
            "no target has a selection score",
            f"A policy asks for what settles a choice; under {study.file.selection} these targets make none",
            'Add a target with selection data, set "selection: target_dev", or leave policy out: a grid runs all',
        )
    if wanted.budget is not None and wanted.budget.gpu_hours is not None and study.file.resources.gpus == 0:
        raise StudyError(
            f"{study.path}: policy.budget.gpu_hours",
            "the study's stages hold no GPUs",
            "It would never be spent",
            "Give stage_hours instead, or resources.gpus",
        )


def _check_encoder(workspace: Workspace) -> None:
    """Raises TransferError or EncoderError where config.json and the weights do not fit; reads headers only."""
    where = workspace.planner.encoder.location
    if "path" in where:
        check_tensors(Path(os.path.normpath(Path(workspace.roots[str(where["root"])]) / str(where["path"]))))


def load_record(study: str, store: Store) -> StudyRecord:
    """The record of a study, given its file or its name in the store; StoreError when the store has none."""
    return load_study(store, study_name(study), typed=study)


def study_name(study: str) -> str:
    """The name of a study, given its file or its name."""
    return Study.load(study).name if Path(study).suffix in (".yaml", ".yml") else study


def open_store_at(given: str | None) -> Store:
    """The store at an address; StoreError for a place that is none."""
    return open_store(store_url(given))


def make_store_at(given: str | None) -> Store:
    """The store at an address, made where the place is new or empty; an old one is given its checksums."""
    store = make_store(store_url(given))
    return seal_store(store) if not store.documents.required else store


def settings_json(study: Study) -> Json:
    """The study file's fields as written, as JSON."""
    return plain(study.file.model_dump(mode="json", exclude_unset=True))


def _roots(study: Study) -> dict[str, str]:
    """Absolute folders of the named roots; a root that the study names must exist."""
    folder = study.folder.resolve()
    data = study.file.data
    roots = {"study": str(folder)}
    if study.file.tasks is not None:
        roots["tasks"] = str((folder / study.file.tasks).parent)
    for name, path in (("data", data.root), ("text", data.text_root)):
        if path is None:
            continue
        where = Path(os.path.normpath(folder / os.path.expanduser(path)))
        if not os.path.isdir(where):  # unlike Path.is_dir, False for a name that is too long
            raise StudyError(
                f"{study.path}: data.{'root' if name == 'data' else 'text_root'}",
                f"the folder {where} does not exist",
                "Paths are relative to the study file",
                "Correct the path, or make the folder",
            )
        roots[name] = str(where)
    return roots


def _encoder(study: Study, registry: Registry, roots: dict[str, str]) -> tuple[EncoderRef, TrainStage | None]:
    wanted = study.file.encoder
    if wanted.toy:
        return _toy_encoder(registry)
    if wanted.hub is not None:
        return encoder_from_hub(wanted.hub, wanted.revision), None
    assert wanted.path is not None
    paths = {name: Path(path) for name, path in roots.items()}
    return encoder_from_folder(Path(wanted.path).name, "study", wanted.path, paths), None


def _toy_encoder(registry: Registry) -> tuple[EncoderRef, TrainStage]:
    """The toy encoder, and the masked-LM stage that pretrains it."""
    from stilts.tasks.toy import TOY_ENCODER, TOY_PRETRAINING, TOY_VERSION

    layers, width, inner = (
        int(str(TOY_ENCODER[name])) for name in ("num_hidden_layers", "hidden_size", "intermediate_size")
    )
    encoder = EncoderRef(
        name="toy",
        fingerprint=f"toy:{TOY_VERSION}",
        tokenizer=f"toy:{TOY_VERSION}",
        num_layers=layers,
        max_length=int(str(TOY_ENCODER["max_position_embeddings"])) - 2,
        num_parameters=layers * (4 * width * width + 2 * width * inner),
        location={"toy": TOY_VERSION},
    )
    resolver = Resolver(registry, {}, source=Source.TOY)
    parts = []
    for name, weight in TOY_PRETRAINING.weights.items():
        task = registry.task(name)
        train, _ = resolver.intermediate_views(task, languages=TOY_PRETRAINING.languages)
        encoding = TaskConfig(
            batch_size=TOY_PRETRAINING.batch_size,
            max_length=TOY_PRETRAINING.max_length,
            mask_frac=TOY_PRETRAINING.mask_frac,
        )
        parts.append(MixturePart(task=task, weight=weight, config=encoding, train=train))
    config = TrainConfig(
        steps=TOY_PRETRAINING.steps,
        learning_rate=TOY_PRETRAINING.learning_rate,
        warmup_frac=TOY_PRETRAINING.warmup_frac,
    )
    return encoder, TrainStage(parent=None, encoder=encoder, mixture=tuple(parts), config=config, seed=0)


def _count(views: Sequence[DataView], roots: dict[str, str]) -> int:
    from stilts.data.load import load_examples

    return sum(len(load_examples(view, roots)) for view in views)
