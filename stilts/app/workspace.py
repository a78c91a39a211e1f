"""Workspace: a study made ready to plan on this machine: its tasks, its roots, its encoder."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from stilts.app.hubless import MaybeHub, declared_count
from stilts.app.roots import DATA, ENCODERS, TASKS, TEXT, expanded
from stilts.data.load import load_examples
from stilts.errors import InputError, StudyError
from stilts.store.store import Store
from stilts.study.config import TaskConfig, TrainConfig
from stilts.study.resolved_study import ResolvedStudy
from stilts.study.slots import Resources
from stilts.study.stage import MixturePart, TrainStage
from stilts.study.study import Study
from stilts.tasks.encoder import EncoderRef
from stilts.tasks.encoder_config import encoder_config
from stilts.tasks.encoder_tensors import checkpoint
from stilts.tasks.registry import Registry, default_registry
from stilts.tasks.resolve import Resolver
from stilts.tasks.resolve_encoder import encoder_from_folder, encoder_from_hub
from stilts.tasks.sources import hub_commit
from stilts.tasks.task import Source
from stilts.tasks.toy import TOY_ENCODER, TOY_PRETRAINING, TOY_VERSION
from stilts.tasks.user_tasks import load_user_tasks
from stilts.tasks.view import DataView
from stilts.training.run_config import RunConfig

# Where a machine keeps tokenized data of a store that is a bucket: in the home of whoever runs stages there.
_NODE_CACHE = "~/.cache/stilts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A study whose encoder and data can be pinned here. ``roots`` are the named roots on this machine."""

    resolved: ResolvedStudy
    roots: dict[str, str]

    @property
    def study(self) -> Study:
        """The study as its file says it."""
        return self.resolved.study

    @property
    def encoder_path(self) -> Path | None:
        """The encoder's folder, where it is given as one."""
        return _folder_of(self.resolved.encoder, self.roots)

    def gaps(self) -> list[str]:
        """The languages of a target's release that have no data here, of targets that name none themselves."""
        found = []
        for name, content in self.study.columns.items():
            missing = self.resolved.resolver.languages_not_there(self.resolved.target(name).task)
            if missing and not content.languages:
                found.append(f"{name}: no data here for {', '.join(missing)}, which the release has: in no table.")
        return found

    def run_config(
        self,
        store: Store,
        *,
        held: Resources,
        device: str,
        ranks: int = 1,
        threads: int | None = None,
        checkpoint_every_s: float | None = None,
        job: str | None = None,
    ) -> RunConfig:
        """How a machine runs stages that hold so much; ``threads`` is torch's, None as many as a stage has CPUs."""
        config = RunConfig(
            device=device,
            ranks=ranks,
            threads=threads or max(1, int(held.cpus)),
            micro_batch=self.study.file.resources.micro_batch,
            gradient_checkpointing=self.study.file.resources.gradient_checkpointing,
            gpu_frac=min(1.0, held.gpus) if held.gpus > 0 else 1.0,
            held=held,
            job=job,
            roots=self.roots,
            cache_dir=str(Path(store.url) / "cache") if "://" not in store.url else _NODE_CACHE,
        )
        return config if checkpoint_every_s is None else replace(config, checkpoint_every_s=checkpoint_every_s)


def assemble(study: Study, hub: MaybeHub | None = None, *, roots: Mapping[str, str] | None = None) -> Workspace:
    """The study made ready to plan: registry, roots, pinned encoder. Errors of input surface here.

    ``hub`` is asked in place of the hub itself, which must be there for all but plans. ``roots`` are folders by the
    name of a root, in place of what the study file says.
    """
    roots = _roots(study, roots or {})
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
        resolve_commit=hub.commit if hub is not None else hub_commit,
    )
    with study.blamed("encoder"):
        encoder, pretraining = _encoder(study, registry, roots, hub)
    resolved = ResolvedStudy(
        study=study,
        registry=registry,
        resolver=resolver,
        encoder=encoder,
        count_examples=lambda views: _count(views, registry, roots, hub),
        pretraining=pretraining,
        lacks_head=lambda: _is_headless(encoder, roots),
    )
    return Workspace(resolved=resolved, roots=roots)


def folder_encoder(study: Study, roots: Mapping[str, str]) -> EncoderRef:
    """The encoder in the folder that the study names, pinned as its files are now."""
    path = study.file.encoder.path
    assert path is not None
    known = {name: Path(root) for name, root in roots.items()}
    name = Path(path).name
    if ENCODERS in roots:
        return encoder_from_folder(name, ENCODERS, name, known)
    return encoder_from_folder(name, "study", expanded(study.at("encoder.path"), path), known)


def _roots(study: Study, given: Mapping[str, str]) -> dict[str, str]:
    """Absolute folders of the named roots; a root that the study names, or that is given for it, must exist."""
    folder = study.folder.resolve()
    data = study.file.data
    roots = {"study": str(folder)}
    if study.file.tasks is not None:
        roots[TASKS] = str((folder / study.file.tasks).parent)
    for name, path in ((DATA, data.root), (TEXT, data.text_root)):
        if path is not None and name not in given:
            field = study.at(f"data.{'root' if name == DATA else 'text_root'}")
            where = Path(os.path.normpath(folder / os.path.expanduser(expanded(field, path))))
            _check_folder(field, where, "Paths are relative to the study file")
            roots[name] = str(where)
    for name, path in given.items():
        where = Path(os.path.abspath(os.path.expanduser(path)))
        _check_folder(f"root {name} of {study.path}", where, "It was named beside the study: --root")
        roots[name] = str(where)
    return roots


def _check_folder(asked: str, where: Path, why: str) -> None:
    if not os.path.isdir(where):  # unlike Path.is_dir, False for a name that is too long
        raise StudyError(asked, f"the folder {where} does not exist", why, "Correct the path, or make the folder")


def _encoder(
    study: Study, registry: Registry, roots: dict[str, str], hub: MaybeHub | None
) -> tuple[EncoderRef, TrainStage | None]:
    wanted = study.file.encoder
    if wanted.toy:
        return _toy_encoder(registry)
    if wanted.hub is not None:
        return encoder_from_hub(wanted.hub, wanted.revision, ask=hub.encoder if hub is not None else None), None
    return folder_encoder(study, roots), None


def _folder_of(encoder: EncoderRef, roots: Mapping[str, str]) -> Path | None:
    where = encoder.location
    return Path(os.path.normpath(Path(roots[str(where["root"])]) / str(where["path"]))) if "path" in where else None


def _is_headless(encoder: EncoderRef, roots: Mapping[str, str]) -> bool:
    """Whether the encoder's checkpoint has no masked-LM head; of the hub's that is not known before it is fetched."""
    folder = _folder_of(encoder, roots)
    try:
        return folder is not None and not checkpoint(folder).lm_head
    except InputError:  # what is wrong with the files, ``check_tensors`` tells
        return False


def _toy_encoder(registry: Registry) -> tuple[EncoderRef, TrainStage]:
    """The toy encoder, and the masked-LM stage that pretrains it."""
    config = encoder_config("the toy encoder", {"model_type": "xlm-roberta", **TOY_ENCODER})
    encoder = EncoderRef(
        name="toy",
        fingerprint=f"toy:{TOY_VERSION}",
        tokenizer=f"toy:{TOY_VERSION}",
        num_layers=config.num_hidden_layers,
        max_length=config.max_length,
        shape=config.shape,
        adapter_sites=config.adapter_sites,
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
    training = TrainConfig(
        steps=TOY_PRETRAINING.steps,
        learning_rate=TOY_PRETRAINING.learning_rate,
        warmup_frac=TOY_PRETRAINING.warmup_frac,
    )
    return encoder, TrainStage(parent=None, encoder=encoder, mixture=tuple(parts), config=training, seed=0)


def _count(views: Sequence[DataView], registry: Registry, roots: dict[str, str], hub: MaybeHub | None) -> int:
    if hub is not None and hub.is_away and (declared := declared_count(views, registry)) is not None:
        return declared
    return sum(len(load_examples(view, roots)) for view in views)
