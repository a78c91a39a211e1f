"""Encoders whose sizes are known without the hub: they parse, and have as many weights as was published."""

from __future__ import annotations

import pytest

from stilts.tasks.encoder_config import encoder_config
from stilts.tasks.known_encoders import known_config

# Published counts, in millions: Conneau et al. 2020 (arXiv 1911.02116, table 1: 270M and 550M) as the hub counts them,
# Goyal et al. 2021 (arXiv 2105.00572: 3.5B and 10.7B).
PUBLISHED = {
    "FacebookAI/xlm-roberta-base": 278,
    "FacebookAI/xlm-roberta-large": 560,
    "facebook/xlm-roberta-xl": 3_500,
    "facebook/xlm-roberta-xxl": 10_700,
}


@pytest.mark.parametrize("repo", PUBLISHED)
def test_sizes_give_the_published_number_of_weights(repo: str) -> None:
    fields = known_config(repo)
    assert fields is not None
    assert encoder_config(repo, fields).shape.weights / 1e6 == pytest.approx(PUBLISHED[repo], rel=0.01)


def test_another_is_not_known() -> None:
    assert known_config("somebody/some-encoder") is None
