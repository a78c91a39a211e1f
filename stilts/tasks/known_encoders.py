"""Encoders of the hub whose sizes are known without asking it (``known_encoders.yaml``): what a plan costs by."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from stilts.fingerprint import Json


def known_config(repo: str) -> Mapping[str, Json] | None:
    """The fields of config.json that decide an encoder's sizes; None for one that is not known here."""
    return _all().get(repo)


@cache
def _all() -> Mapping[str, Mapping[str, Json]]:
    import yaml

    found: Mapping[str, Mapping[str, Json]] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text())
    return found
