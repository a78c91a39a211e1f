"""An encoder's config.json as a checked value: bounded, and fitting together, before anything is built of it.

Fields that are not named here are left to transformers; ``stilts.models.model.check_builds`` builds the model without
memory for its weights, which finds the rest.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

from stilts.bounded_file import not_a_file
from stilts.errors import EncoderError
from stilts.fingerprint import Json
from stilts.tasks.families import FAMILIES
from stilts.tasks.family import EncoderConfig, Family

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
    "head_dim": 1_000_000,
    "num_key_value_heads": 1_000_000,
    "embedding_size": 1_000_000,
}


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


def family_of(asked: str, fields: Mapping[str, Json]) -> Family:
    """The family that a config.json names; EncoderError where it is none that models/ knows."""
    model_type = fields.get("model_type")
    if not isinstance(model_type, str) or model_type not in FAMILIES:
        raise EncoderError(
            asked,
            f"its config.json says model_type {_shown(model_type)}",
            f"Known architectures: {', '.join(FAMILIES)}",
            "Choose an encoder of one of them",
        )
    return FAMILIES[model_type]


def encoder_config(asked: str, fields: Mapping[str, Json]) -> EncoderConfig:
    """The checked sizes; EncoderError, naming the field, for another architecture, a wrong type, size or sign."""
    family = family_of(asked, fields)
    filled = {**family.defaults, **fields}
    config = EncoderConfig(family=family, **{size: _size_in(asked, filled, family, size) for size in _MOST})
    _check_fit(asked, config)
    activation = filled[family.activation] if family.activation else ACTIVATIONS[0]
    if not isinstance(activation, str) or activation not in ACTIVATIONS:
        raise _wrong(asked, filled, family.activation, f"Known activations: {', '.join(ACTIVATIONS)}")
    for field in (*family.dropouts, *family.attention_dropouts):
        if not 0.0 <= _fraction(asked, filled, field) < 1.0:
            raise _wrong(asked, filled, field, "A share that is dropped is 0 or more, and less than 1")
    if not 0.0 < _fraction(asked, filled, family.norm_epsilon) < 1.0:
        raise _wrong(asked, filled, family.norm_epsilon, "It keeps a division from zero: more than 0, and small")
    spread = family.initializer_range
    if spread and not 0.0 <= _fraction(asked, filled, spread) <= 1.0:
        raise _wrong(asked, filled, spread, "It is the spread of new heads' weights, 0 to 1")
    return config


def _check_fit(asked: str, config: EncoderConfig) -> None:
    """Raises where one size rules out another."""
    named = config.family.sizes
    fields: dict[str, Json] = {field: getattr(config, size) for size, field in named.items()}
    if not config.head_dim and config.hidden_size % config.num_attention_heads:
        why = f"The {config.hidden_size} channels of {named['hidden_size']} are split evenly among the heads"
        raise _wrong(asked, fields, named["num_attention_heads"], why)
    if config.num_key_value_heads and config.num_attention_heads % config.num_key_value_heads:
        why = f"The {config.num_attention_heads} heads share keys and values evenly"
        raise _wrong(asked, fields, named["num_key_value_heads"], why)
    if config.pad_token_id >= config.vocab_size:
        raise _wrong(asked, fields, named["pad_token_id"], f"vocab_size is {config.vocab_size}")
    if config.max_length < 1:
        why = f"Positions are counted from behind pad_token_id, {config.pad_token_id}: none is left"
        raise _wrong(asked, fields, named["max_position_embeddings"], why)


def _size_in(asked: str, fields: Mapping[str, Json], family: Family, size: str) -> int:
    """A size of the family's; 0 for one that it does not have."""
    if size not in family.sizes:
        return 0
    return _size(asked, fields, family.sizes[size], 0 if size in family.from_zero else 1, _MOST[size])


def _size(asked: str, fields: Mapping[str, Json], field: str, least: int, most: int) -> int:
    value = fields.get(field)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise _wrong(asked, fields, field, f"It is a whole number from {least} to {most:,}")
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
