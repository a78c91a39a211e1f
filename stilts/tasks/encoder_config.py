"""An encoder's config.json as a checked value: bounded, and fitting together, before anything is built of it.

Fields that are not named here are left to transformers; ``stilts.models.model.check_builds`` builds the model without
memory for its weights, which finds the rest.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stilts.bounded_file import not_a_file
from stilts.errors import EncoderError
from stilts.fingerprint import Json
from stilts.tasks.encoder_shape import EncoderShape

# The architectures that models/ can take apart into encoder and head.
MODEL_TYPES = ("xlm-roberta", "xlm-roberta-xl")
# transformers' activations that have no weights of their own; a test holds the two lists together.
ACTIVATIONS = (
    "gelu gelu_10 gelu_accurate gelu_fast gelu_new gelu_python gelu_python_tanh gelu_pytorch_tanh hardswish laplace "
    "leaky_relu linear mish quick_gelu relu relu2 relu6 sigmoid silu sqrtsoftplus swish tanh"
).split()
# A config.json has a few hundred bytes; one that names the labels of a large task has a few megabytes.
LONGEST_CONFIG = 16 * 2**20
# Sizes beyond these are no encoder's: XLM-R XXL has 48 layers, 4,096 channels and 250,880 words.
_MOST = {
    "num_hidden_layers": 10_000,
    "hidden_size": 1_000_000,
    "num_attention_heads": 1_000_000,
    "intermediate_size": 10_000_000,
    "vocab_size": 100_000_000,
    "max_position_embeddings": 100_000_000,
    "pad_token_id": 100_000_000,
    "type_vocab_size": 1_000_000,
}
# What transformers takes where a config.json is silent; a test holds the two together.
DEFAULTS: Mapping[str, Mapping[str, Json]] = {
    "xlm-roberta": {
        "num_attention_heads": 12,
        "vocab_size": 30522,
        "type_vocab_size": 2,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-12,
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "initializer_range": 0.02,
    },
    "xlm-roberta-xl": {
        "num_attention_heads": 32,
        "vocab_size": 250880,
        "type_vocab_size": 1,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-05,
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "initializer_range": 0.02,
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderConfig:
    """The sizes of an encoder of XLM-R's family, each within bounds, and fitting each other.

    ``max_length`` is the longest sequence in tokens.
    """

    model_type: str
    num_hidden_layers: int
    hidden_size: int
    num_attention_heads: int
    intermediate_size: int
    vocab_size: int
    max_position_embeddings: int
    type_vocab_size: int
    pad_token_id: int

    @property
    def max_length(self) -> int:
        """Positions are counted from behind the padding id, as XLM-R does."""
        return self.max_position_embeddings - self.pad_token_id - 1

    @property
    def shape(self) -> EncoderShape:
        """What it costs by."""
        return EncoderShape(
            layers=self.num_hidden_layers,
            width=self.hidden_size,
            inner=self.intermediate_size,
            heads=self.num_attention_heads,
            key_value_heads=self.num_attention_heads,
            head_width=self.hidden_size // self.num_attention_heads,
            vocabulary=self.vocab_size,
            embedding_width=self.hidden_size,
            positions=self.max_position_embeddings,
        )


def read_config_json(asked: str, path: Path) -> dict[str, Json]:
    """The fields of a config.json; EncoderError for what is no file, too long, no JSON, or no JSON object."""
    kind = not_a_file(path)
    if kind is not None:
        raise EncoderError(asked, f"{path} is {kind}, not a file", next_step="Copy the encoder's config.json there")
    try:
        with path.open("rb") as stream:
            raw = stream.read(LONGEST_CONFIG + 1)
    except OSError as error:
        raise EncoderError(
            asked, f"{path} cannot be read ({error.strerror})", next_step="Point to a folder with a config.json"
        ) from error
    if len(raw) > LONGEST_CONFIG:
        found = f"{path} has more than {LONGEST_CONFIG:,} bytes"
        raise EncoderError(asked, found, "No encoder's configuration is so long", "Copy it again")
    try:
        config = json.loads(raw)
    except RecursionError:
        found = f"{path} cannot be read as JSON (it is nested too deep)"
        raise EncoderError(asked, found, next_step="Copy it again") from None
    except ValueError as error:
        raise EncoderError(asked, f"{path} is not JSON ({error})", next_step="Copy it again") from error
    if not isinstance(config, dict):
        raise EncoderError(asked, f"{path} holds no JSON object", next_step="Copy it again")
    return config


def encoder_config(asked: str, fields: Mapping[str, Json]) -> EncoderConfig:
    """The checked sizes; EncoderError, naming the field, for another architecture, a wrong type, size or sign."""
    model_type = fields.get("model_type")
    if not isinstance(model_type, str) or model_type not in MODEL_TYPES:
        raise EncoderError(
            asked,
            f"its config.json says model_type {_shown(model_type)}",
            f"Known architectures: {', '.join(MODEL_TYPES)}",
            "Choose an encoder of XLM-R's family",
        )
    filled = {**DEFAULTS[model_type], **fields}
    sizes = {field: _size(asked, filled, field) for field in _MOST}
    config = EncoderConfig(model_type=model_type, **sizes)
    _check_fit(asked, config)
    activation = filled["hidden_act"]
    if not isinstance(activation, str) or activation not in ACTIVATIONS:
        raise _wrong(asked, filled, "hidden_act", f"Known activations: {', '.join(ACTIVATIONS)}")
    for field in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
        if not 0.0 <= _fraction(asked, filled, field) < 1.0:
            raise _wrong(asked, filled, field, "A share that is dropped is 0 or more, and less than 1")
    if not 0.0 < _fraction(asked, filled, "layer_norm_eps") < 1.0:
        raise _wrong(asked, filled, "layer_norm_eps", "It keeps a division from zero: more than 0, and small")
    if not 0.0 <= _fraction(asked, filled, "initializer_range") <= 1.0:
        raise _wrong(asked, filled, "initializer_range", "It is the spread of new heads' weights, 0 to 1")
    return config


def _check_fit(asked: str, config: EncoderConfig) -> None:
    """Raises where one size rules out another."""
    fields: dict[str, Json] = {field: getattr(config, field) for field in _MOST}
    if config.hidden_size % config.num_attention_heads:
        why = f"The {config.hidden_size} channels of hidden_size are split evenly among the heads"
        raise _wrong(asked, fields, "num_attention_heads", why)
    if config.pad_token_id >= config.vocab_size:
        raise _wrong(asked, fields, "pad_token_id", f"vocab_size is {config.vocab_size}")
    if config.max_length < 1:
        why = f"Positions are counted from behind pad_token_id, {config.pad_token_id}: none is left"
        raise _wrong(asked, fields, "max_position_embeddings", why)


def _size(asked: str, fields: Mapping[str, Json], field: str) -> int:
    value = fields.get(field)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST[field]:
        raise _wrong(asked, fields, field, f"It is a whole number from 1 to {_MOST[field]:,}")
    return value


def _fraction(asked: str, fields: Mapping[str, Json], field: str) -> float:
    """A number of at most 1; infinity for a larger one."""
    value = fields.get(field)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(asked, fields, field, "It is a number")
    return float(value) if abs(value) <= 1 else math.inf  # NaN and 10**400 come out as out of every range


def _wrong(asked: str, fields: Mapping[str, Json], field: str, why: str) -> EncoderError:
    found = f"its config.json says {field} {_shown(fields[field])}" if field in fields else f"no {field} in config.json"
    return EncoderError(asked, found, why, "Use the config.json that belongs to the weights, or copy it again")


def _shown(value: Json) -> str:
    """A value as JSON writes it, in a few words where it is long."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    if isinstance(value, int) and abs(value) >= 10**30:
        return "a number of more than 30 digits"
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
