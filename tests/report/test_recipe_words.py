"""Recipes are words, never a Python dict."""

from __future__ import annotations

import pytest

from stilts.fingerprint import Json
from stilts.report.recipe_words import recipe_words


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"learning_rate": 2e-5, "weights": {"mnli": 0.4}}, "learning rate 2e-5, share of mnli 0.4"),
        ({"target_learning_rate": 0.00115, "steps": 1_200_000}, "target learning rate 0.00115, steps 1200000"),
        ({"subset": ["mnli", "squad"]}, "subset mnli and squad"),
        ({"learning_rate": 1e-10, "warmup_frac": 0.1}, "learning rate 1e-10, warmup frac 0.1"),
        ({"flag": True, "masked_lm": {"share": 0.2}}, "flag yes, masked lm of share 0.2"),
        ({"steps": 2e6}, "steps 2e6"),
        ({}, ""),
    ],
)
def test_a_recipe_is_said_in_words(params: dict[str, Json], words: str) -> None:
    assert recipe_words(params) == words
