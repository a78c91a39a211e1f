"""StiltsModel: an encoder with one head per task, and how it is built, loaded and saved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import nn

from stilts.errors import EncoderError, StiltsError, TransferError
from stilts.fingerprint import Json
from stilts.models.adapter_files import ADAPTER_FILE, merge_into, stored_adapters, write_settings
from stilts.models.adapters import adapter_tensors, add_adapter, initialise, load_adapter
from stilts.models.architectures import ARCHITECTURES
from stilts.models.dropout import DropoutStream
from stilts.models.head_maker import HeadMaker, MakeHead
from stilts.models.transfer import Transfer, read_tensors, transfer, write_tensors
from stilts.models.unfilled import without_weights
from stilts.models.weight_folders import Weights
from stilts.seeds import derive_seed
from stilts.tasks.adapter import AdapterConfig
from stilts.tasks.encoder_config import encoder_config, read_config_json
from stilts.tasks.encoder_tensors import checkpoint
from stilts.tasks.families import FAMILIES
from stilts.tasks.safetensors_header import StoredTensor
from stilts.tasks.weight_files import ENCODER_FILE, LM_HEAD_FILE

# Of new heads' weights where a family says nothing: BERT's (Devlin et al. 2019, their release).
_SPREAD = 0.02
CONFIG_FILE, TOKENIZER_FILE = "config.json", "tokenizer.json"


class StiltsModel(nn.Module):
    """An encoder, a masked-LM head, and the heads of the tasks at hand.

    ``stream`` gives dropout its keys; set ``stream.keys`` (rows,) before a forward pass in training mode.
    """

    def __init__(self, config: Any, *, dropout: float | None = None, attention_dropout: float | None = None) -> None:
        super().__init__()
        self.config = config
        self.family, self.architecture = FAMILIES[config.model_type], ARCHITECTURES[config.model_type]
        self.stream = DropoutStream()
        usual = getattr(config, self.family.dropouts[0]) if self.family.dropouts else 0.0
        self.head_dropout = float(usual if dropout is None else dropout)
        shares = {"dropout": dropout, "attention_dropout": attention_dropout}
        self.encoder = self.architecture.build(config, self.stream, **shares)
        self.lm_head: nn.Module | None = self.architecture.lm_head(config)
        self.heads = nn.ModuleDict()
        self.adapters: list[AdapterConfig] = []

    def add_adapter(self, config: AdapterConfig, seed: int) -> None:
        """Gives the encoder an adapter, drawn from ``seed``: it trains, all else of the encoder is frozen."""
        add_adapter(self.encoder, config, self.stream, len(self.adapters))
        initialise(self.encoder, len(self.adapters), seed)
        self.adapters.append(config)

    def add_head(self, learner: str, make: MakeHead, seed: int) -> None:
        """Gives what is learned a new head, initialised from ``seed`` and the learner's name."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive_seed("head", learner, seed))
            head = make(HeadMaker(self.architecture, self.config, self.stream, self.head_dropout))
        for module in head.modules():
            if isinstance(module, nn.Linear):
                _reinitialise(module, self._spread, derive_seed("head", learner, seed))
        self.heads[learner] = head

    @property
    def _spread(self) -> float:
        """The standard deviation of a new head's weights."""
        name = self.family.initializer_range
        return float(getattr(self.config, name)) if name else _SPREAD

    def hidden(self, ids: torch.Tensor, mask: torch.Tensor | None, types: torch.Tensor | None = None) -> torch.Tensor:
        """The last hidden state (rows, tokens, width); ``mask`` (rows, tokens): where a token is, None: everywhere.

        ``types`` (rows, tokens) is 1 for tokens of a second text, where the tokenizer tells texts apart so.
        """
        return self.architecture.hidden(self.encoder, ids, mask, types)

    def hidden_at(
        self, ids: torch.Tensor, mask: torch.Tensor | None, layer: int, types: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Hidden state ``layer`` (rows, tokens, width): 0 is the embedding layer, k what the k-th layer gives out.

        Layers behind it are not run.
        """
        return self.architecture.hidden_at(self.encoder, ids, mask, layer, types)

    def masked_logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Vocabulary logits (tokens, vocabulary) of some hidden vectors (tokens, width)."""
        if self.lm_head is None:
            raise no_lm_head(self.config.model_type)
        logits: torch.Tensor = self.lm_head(hidden, self.architecture.word_embeddings(self.encoder))
        return logits


def fresh_model(
    config: Mapping[str, Any], seed: int, *, dropout: float | None = None, attention_dropout: float | None = None
) -> StiltsModel:
    """A model with random weights drawn from ``seed``: the start of a pretraining stage."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed("encoder", seed))
        return StiltsModel(_hf_config(config), dropout=dropout, attention_dropout=attention_dropout)


def load_model(
    source: Path | Weights,
    heads: Mapping[str, MakeHead] = MappingProxyType({}),
    *,
    dropout: float | None = None,
    attention_dropout: float | None = None,
    stacked: bool = False,
) -> tuple[StiltsModel, Transfer]:
    """The model of a folder: a pretrained encoder, or an artifact of a train stage with its ``heads``, by learner.

    Adapters are merged into the weights below them; ``stacked`` leaves them beside these, as layers. TransferError when
    tensors do not match; EncoderError when a file is not there.
    """
    weights = Weights(base=source) if isinstance(source, Path) else source
    encoder, lm_head = _checkpoint(weights.base)
    adapters = stored_adapters(weights, {name: tuple(tensor.shape) for name, tensor in encoder.items()})
    if not stacked:
        merge_into(encoder, adapters)
    if weights.lm_head.parent != weights.base:
        lm_head = read_tensors(weights.lm_head)
    config = _hf_config(read_config(weights.base))
    with torch.random.fork_rng(devices=[]), without_weights() if lm_head else nullcontext():
        torch.manual_seed(0)  # every tensor is replaced below, or named in ``fresh``
        model = StiltsModel(config, dropout=dropout, attention_dropout=attention_dropout)
    loaded = transfer(encoder, model.encoder, what=f"the encoder in {weights.base.name}")
    for adapter, folder in zip(adapters, weights.adapters, strict=True):
        if stacked:
            model.add_adapter(adapter.config, seed=0)
            depth = len(model.adapters) - 1
            load_adapter(model.encoder, depth, adapter.tensors, what=f"the adapter in {folder.name}")
        loaded += len(adapter.tensors)
    fresh = [] if lm_head or model.lm_head is None else ["lm_head"]
    if lm_head and model.lm_head is not None:
        loaded += transfer(lm_head, model.lm_head, what=f"the masked-LM head in {weights.top.name}")
    for learner, make in heads.items():
        model.add_head(learner, make, seed=0)
        path = weights.top / head_file(learner)
        loaded += transfer(read_tensors(path), model.heads[learner], what=f"the head of {learner}")
    return model, Transfer(loaded=loaded, fresh=tuple(fresh))


def save_model(model: StiltsModel, folder: Path, *, tokenizer: bytes) -> None:
    """Writes configuration, tokenizer, encoder, masked-LM head and task heads into ``folder``."""
    (folder / CONFIG_FILE).write_text(json.dumps(model.config.to_dict(), indent=1, sort_keys=True, default=str))
    (folder / TOKENIZER_FILE).write_bytes(tokenizer)
    write_tensors(folder / ENCODER_FILE, model.encoder.state_dict())
    if model.lm_head is not None:
        write_tensors(folder / LM_HEAD_FILE, model.lm_head.state_dict())
    _save_heads(model, folder)


def save_adapter(model: StiltsModel, folder: Path, on: Mapping[str, Json]) -> None:
    """Writes what was trained: the topmost adapter, the heads, the masked-LM head if it was.

    ``on`` names what the adapter lies on.
    """
    depth = len(model.adapters) - 1
    write_settings(folder, model.adapters[depth], on)
    write_tensors(folder / ADAPTER_FILE, adapter_tensors(model.encoder, depth))
    if model.lm_head is not None and any(parameter.requires_grad for parameter in model.lm_head.parameters()):
        write_tensors(folder / LM_HEAD_FILE, model.lm_head.state_dict())
    _save_heads(model, folder)


def trained_tensors(model: StiltsModel) -> dict[str, torch.Tensor]:
    """The tensors that training moves, by name: what a checkpoint holds; all else is what the stage starts from."""
    return {name: parameter.detach() for name, parameter in model.named_parameters() if parameter.requires_grad}


def load_trained(model: StiltsModel, tensors: Mapping[str, torch.Tensor], *, what: str) -> None:
    """Puts back what ``trained_tensors`` gave; TransferError where one is missing, or the model has no such tensor.

    Checkpoints from before hold frozen tensors too.
    """
    missing = sorted(trained_tensors(model).keys() - tensors.keys())
    unexpected = sorted(tensors.keys() - model.state_dict().keys())
    if missing or unexpected:
        raise TransferError(
            f"weights of {what}",
            f"missing: {missing[:3]}; unexpected: {unexpected[:3]}",
            "Training would go on from other weights than it stopped at",
            "Delete the checkpoint: the stage starts again",
        )
    model.load_state_dict(dict(tensors), strict=False)


def _save_heads(model: StiltsModel, folder: Path) -> None:
    for name, head in model.heads.items():
        write_tensors(folder / head_file(name), head.state_dict())


def head_file(learner: str) -> str:
    """The file name of the head of what was learned."""
    return f"head.{learner}.safetensors"


def read_config(folder: Path) -> dict[str, Any]:
    """The configuration in a folder, as written by transformers; EncoderError where it is none of an encoder's."""
    asked = f"encoder configuration {folder / CONFIG_FILE}"
    fields = read_config_json(asked, folder / CONFIG_FILE)
    return {**fields, "vocab_size": encoder_config(asked, fields).vocab_size}


def check_builds(folder: Path) -> None:
    """Raises EncoderError or TransferError unless the folder's configuration gives a model that its weights fit.

    The model is built without memory for its weights: what the fields of config.json do to its tensors is seen,
    whatever they are called. Reads headers only. Its sizes are bounded, as ``read_config`` checks them.
    """
    config = read_config(folder)
    try:
        with torch.device("meta"):
            model = StiltsModel(_hf_config(config))
    except (MemoryError, StiltsError):
        raise
    except Exception as error:  # transformers checks some fields, and trips over others with whatever comes
        raise _builds_nothing(folder / CONFIG_FILE, error) from error
    found = checkpoint(folder)
    _check_fits(folder, found.encoder, model.encoder, "weights of the encoder")
    if found.lm_head and model.lm_head is not None:
        _check_fits(folder, found.lm_head, model.lm_head, "masked-LM head of the encoder")


def _check_fits(folder: Path, found: Mapping[str, StoredTensor], module: nn.Module, what: str) -> None:
    there = {name: tensor.shape for name, tensor in found.items()}
    unlike = sorted(there.items() ^ {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}.items())
    if unlike:
        raise TransferError(
            f"{what} in {folder}",
            f"they and the model of its config.json differ in {len({name for name, _ in unlike})} tensors, "
            f"among them {unlike[0][0]}",
            "Tensors that do not match would leave random or forgotten weights in the model",
            "Use the config.json that belongs to the weights",
        )


def no_lm_head(model_type: str) -> EncoderError:
    """What is said where a family without a masked-LM head is asked for one."""
    return EncoderError(
        f"masked LM with a {model_type} encoder",
        "it has no masked-LM head",
        "It was pretrained otherwise, and a new head would guess at random whatever the encoder knows",
        "Leave masked LM out, or choose an encoder that was pretrained by it",
    )


def _hf_config(config: Mapping[str, Any]) -> Any:
    from transformers import AutoConfig

    # A dtype says how weights were stored; what a stage computes in is its precision.
    left_out = ("model_type", "architectures", "transformers_version", "dtype", "torch_dtype")
    fields = {k: v for k, v in config.items() if k not in left_out}
    try:
        return AutoConfig.for_model(config["model_type"], **fields)
    except Exception as error:  # transformers' checks of types raise errors of their own kinds
        raise _builds_nothing(Path(CONFIG_FILE), error) from error


def _builds_nothing(path: Path, error: Exception) -> EncoderError:
    reason = " ".join(str(error).split())[:200]
    return EncoderError(
        f"encoder configuration {path}",
        f"no model can be built from it ({type(error).__name__}: {reason})",
        "A field is of a type, or has a value, that its architecture does not know",
        "Use the config.json that belongs to the weights, or copy it again",
    )


def _checkpoint(folder: Path) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """The tensors of a folder as (encoder, masked-LM head), names without prefixes."""
    found = checkpoint(folder)
    places = [*found.encoder.values(), *found.lm_head.values()]
    files = {file: read_tensors(file) for file in sorted({place.file for place in places})}
    encoder, lm_head = (
        {short: files[place.file][place.name] for short, place in part.items()}
        for part in (found.encoder, found.lm_head)
    )
    return encoder, lm_head


def _reinitialise(module: nn.Linear, std: float, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed ^ module.out_features)
    with torch.no_grad():
        module.weight.normal_(0.0, std, generator=generator)
        if module.bias is not None:
            module.bias.zero_()
