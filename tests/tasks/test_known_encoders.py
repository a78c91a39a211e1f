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
    # Liang et al. 2023 (arXiv 2301.10472, XLM-V), Devlin et al.'s README, He et al. 2021 (arXiv 2111.09543: 86M and
    # 190M), Chung et al. 2021 (arXiv 2010.12821), Qwen3's cards (0.6B, and 14.8B with an output matrix).
    "facebook/xlm-v-base": 779,
    "google-bert/bert-base-multilingual-cased": 178,
    "microsoft/mdeberta-v3-base": 276,
    "google/rembert": 576,
    "Qwen/Qwen3-0.6B-Base": 596,
    "Qwen/Qwen3-14B-Base": 14_768 - 778,
}


@pytest.mark.parametrize("repo", PUBLISHED)
def test_sizes_give_the_published_number_of_weights(repo: str) -> None:
    fields = known_config(repo)
    assert fields is not None
    assert encoder_config(repo, fields).shape.weights / 1e6 == pytest.approx(PUBLISHED[repo], rel=0.01)


def test_another_is_not_known() -> None:
    assert known_config("somebody/some-encoder") is None
