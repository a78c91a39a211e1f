"""From what a study file says to the configurations that stages carry: defaults, kinds, rows and columns merged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stilts.errors import StudyError
from stilts.study.config import Keep, Precision, TaskConfig, TrainConfig
from stilts.study.mixture_schema import NumberRange, Subset
from stilts.study.schema import Adapter, Encoding, Train
from stilts.study.search_schema import ADAPTER, LANGUAGES, MERGE, NUMBERS, Between, Search
from stilts.study.search_space import (
    Choices,
    FloatRange,
    IntRange,
    OneOf,
    Range,
    SearchSpace,
    Simplex,
    SubsetOf,
    Within,
)
from stilts.study.study import Study
from stilts.tasks.adapter import AdapterConfig, AdapterSites, ParentAdapter
from stilts.tasks.encoder import EncoderRef
from stilts.tasks.task import Task


def train_config(
    where: str,
    default: Train,
    own: Train,
    *,
    precision: Precision,
    encoder: EncoderRef,
    overrides: Mapping[str, Any],
    steps_per_epoch: Callable[[], float],
) -> TrainConfig:
    """The training of a stage: defaults, then its own fields, then a proposal's values; ``precision`` is that of none.

    ``steps_per_epoch`` is asked only where the study counts epochs. StudyError, naming ``where``, when neither
    steps nor epochs are given.
    """
    fields: dict[str, Any] = {}
    adapter = _adapter(where, default, own, overrides, encoder.adapter_sites)
    overrides = {name: value for name, value in overrides.items() if not name.startswith(ADAPTER)}
    for layer in (_written(default), _written(own), overrides):
        if "steps" in layer or "epochs" in layer:  # the last layer that gives a length gives it alone
            fields.pop("steps", None)
            fields.pop("epochs", None)
        fields |= layer
    for name in ("limit", "adapter", "parent_adapter"):
        fields.pop(name, None)
    epochs = fields.pop("epochs", None)
    if epochs is not None:
        fields["steps"] = max(1, round(epochs * steps_per_epoch()))
    if fields.get("steps") is None:
        raise StudyError(where, "neither steps nor epochs are given", "Training needs a length", "Add steps: 500")
    fields["precision"] = Precision(fields.get("precision", precision))
    if "keep" in fields:
        fields["keep"] = Keep(fields["keep"])
    return TrainConfig(**fields, adapter=adapter)


def has_adapter(default: Train, own: Train) -> bool:
    """Whether a row's or column's stages train an adapter."""
    return (own.adapter or default.adapter) not in (None, "none")


def parent_adapter(default: Train, own: Train) -> ParentAdapter:
    """What becomes of an adapter that a stage starts from; unless the study says so, it is merged."""
    return ParentAdapter(own.parent_adapter or default.parent_adapter or ParentAdapter.MERGE)


def _adapter(
    where: str, default: Train, own: Train, overrides: Mapping[str, Any], sites: AdapterSites
) -> AdapterConfig | None:
    """The adapter by the defaults, then the stage's own fields, then a proposal's values."""
    drawn = {name.removeprefix(ADAPTER): value for name, value in overrides.items() if name.startswith(ADAPTER)}
    if not has_adapter(default, own):
        if drawn:
            raise StudyError(
                f"{where}.adapter",
                f"adapter_{next(iter(drawn))} is searched, but all weights are trained",
                "Nothing would look at it",
                "Add adapter: {rank: 8}, or do not search it",
            )
        return None
    fields: dict[str, Any] = {}
    for layer in (default.adapter, own.adapter):
        fields |= _written(layer) if isinstance(layer, Adapter) else {}
    config = AdapterConfig.of(fields | drawn, sites.usual)
    if sites.linear is not None and (unknown := config.unknown(sites.linear)):
        ends = dict.fromkeys(module.rpartition(".")[2] for module in sites.linear)
        raise StudyError(
            f"{where}.adapter.modules",
            f'"{unknown[0]}" ends the name of no linear layer of the encoder',
            "An adapter stands at linear layers",
            f"Name some by their ends: {', '.join(ends)}; all of one name is {next(iter(sites.linear), 'none')}",
        )
    return config


def usual_precision(study: Study) -> Precision:
    """What stages compute in where the study does not say: bf16 on GPUs, fp32 elsewhere.

    It is identity, so it goes by what all stages hold, never by what one kind, row or column does.
    """
    return Precision.BF16 if study.file.resources.gpus > 0 else Precision.FP32


def train_limit(default: Train, own: Train) -> int | None:
    """At most how many training examples are used."""
    return own.limit if own.limit is not None else default.limit


# Hidden states by number of layers; in proportion to the large encoder, the small one would have 7.
_XTREME_LAYERS = {24: 14, 12: 8}


def task_config(where: str, study: Study, task: Task, own: Encoding, encoder: EncoderRef) -> TaskConfig:
    """How a task's examples enter the model; StudyError where the encoder cannot take them so."""
    defaults = study.file.defaults
    kind = defaults.kinds.get(task.kind.name, Encoding())
    fields: dict[str, Any] = {"layer": sentence_layer(encoder.num_layers)}
    fields.update({k: v for part in (defaults.encoding, kind, own) for k, v in part.given().items() if v is not None})
    config = TaskConfig(**fields)
    for name in ("max_length", "query_length", "candidate_length"):
        length = getattr(config, name)
        if length is not None and length > encoder.max_length:
            raise StudyError(
                f"{where}.{name}",
                f'{length} tokens, but encoder "{encoder.name}" takes at most {encoder.max_length}',
                "Longer sequences have no position embeddings",
                f"Set {name} to {encoder.max_length} or less",
            )
    if config.layer > encoder.num_layers:
        raise StudyError(
            f"{where}.layer",
            f'{config.layer}, but encoder "{encoder.name}" has {encoder.num_layers} layers',
            "Hidden states are numbered from 0, the embedding layer",
            f"Set layer between 0 and {encoder.num_layers}",
        )
    return config


def sentence_layer(num_layers: int) -> int:
    """The hidden state to pool for retrieval: 14 of 24, 8 of 12 as in XTREME's scripts, elsewhere as deep as 14 of 24.

    Hidden state 0 is the embedding layer, so number k is what the k-th transformer layer gives out. XTREME's
    run_tatoeba.sh (google-research/xtreme) asks for ``--specific_layer`` 13 of 24 layers and 7 of 12: its
    evaluate_retrieval.py leaves the embedding layer out and counts the others from 0.
    """
    return _XTREME_LAYERS.get(num_layers, round(14 / 24 * num_layers))


# A masked-LM share is identity as it is: in hundredths.
_SHARE_STEP = 0.01


def search_space(search: Search) -> SearchSpace:
    """The ranges of a searched row, and the conditions under which each is drawn."""
    params: dict[str, Range] = {name: _range(name, numbers) for name, numbers in search.numbers().items()}
    if search.masked_lm is not None and LANGUAGES in search.searched():
        params[LANGUAGES] = Choices(values=tuple(list(choice) for choice in search.masked_lm.language_choices))
    if search.weights is not None:
        params["weights"] = Simplex(tasks=search.weights)
    if search.merge is not None:
        params[MERGE] = Simplex(tasks=search.merge)
    if search.subset is not None:
        params["subset"] = _subset(search.subset)
    when: dict[str, dict[str, OneOf | Within]] = {
        name: {
            other: Within(low=condition.low, high=condition.high)
            if isinstance(condition, Between)
            else OneOf(values=condition)
            for other, condition in conditions.items()
        }
        for name, conditions in search.when.items()
    }
    if LANGUAGES in params and "masked_lm_weight" in params:
        # Where the task is left out, its languages say nothing: proposals that differ in them only would be one recipe.
        when.setdefault(LANGUAGES, {}).setdefault("masked_lm_weight", Within(low=_SHARE_STEP, high=1.0))
    return SearchSpace(params=params, when=when)


def _range(name: str, numbers: NumberRange) -> FloatRange | IntRange | Choices:
    whole = NUMBERS[name].whole
    if numbers.choices is not None:
        return Choices(values=tuple(int(value) if whole else value for value in numbers.choices))
    low, high = numbers.ends
    if whole:
        return IntRange(low=max(1, round(low)), high=round(high), log=numbers.log)
    return FloatRange(low=low, high=high, log=numbers.log, step=_SHARE_STEP if name == "masked_lm_weight" else None)


def _subset(subset: Subset) -> Range:
    low, high = subset.counts
    if high == 1:  # one of n: a plain choice, which a grid can walk
        return Choices(values=tuple([task] for task in subset.tasks))
    return SubsetOf(tasks=subset.tasks, low=low, high=high)


def _written(train: Train | Adapter) -> dict[str, Any]:
    """The fields that say something: null is as good as nothing."""
    return {name: value for name, value in train.given().items() if value is not None}
