"""How a study's settings become a stage's: the hidden state that retrieval pools."""

from __future__ import annotations

import pytest

from stilts.study.settings import sentence_layer


@pytest.mark.parametrize(
    ("num_layers", "hidden_state"),
    [
        (12, 8),  # run_tatoeba.sh: 7, the embedding layer left out and the others counted from 0
        (24, 14),  # the same: 13
        (1, 1),
        (4, 2),
        (6, 4),
        (36, 21),
        (48, 28),
    ],
)
def test_retrieval_pools_the_layer_of_xtremes_scripts_and_elsewhere_as_deep(num_layers: int, hidden_state: int) -> None:
    assert sentence_layer(num_layers) == hidden_state
