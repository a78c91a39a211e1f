"""Task kinds by name: each stands for one thing, is the same value everywhere, and is sent by where it is declared."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace

import pytest

from stilts.errors import InputError, UnknownNameError
from stilts.metrics.metric import METRICS
from stilts.tasks.kind import TaskKind
from stilts.tasks.kinds import Kinds, kind_named, known_kinds, metric_named, register_kind
from stilts.tasks.kinds.classification import CLASSIFICATION
from stilts.tasks.kinds.tagging import TAGGING
from tests.ninth_kind.ordinal_rating import KAPPA, ORDINAL_RATING


@pytest.mark.parametrize("kind", known_kinds().all(), ids=str)
def test_a_kind_is_one_value_in_every_process(kind: TaskKind) -> None:
    assert kind_named(kind.name) is kind
    assert pickle.loads(pickle.dumps(kind)) is kind and copy.deepcopy(kind) is kind
    assert str(kind) == kind.name and kind.about


def test_every_metric_that_ships_scores_some_kind() -> None:
    assert dict(known_kinds().metrics()) == dict(METRICS)


def test_a_kind_from_outside_is_registered_with_its_metric_and_reader() -> None:
    kinds = Kinds()
    kinds.register(CLASSIFICATION)
    kinds.register(ORDINAL_RATING)
    kinds.register(ORDINAL_RATING)  # the same once more: an entry point and a call
    assert kinds.named("ordinal_rating") is ORDINAL_RATING and kinds.metrics()["quadratic_kappa"] is KAPPA
    assert kinds.formats()["graded_tsv"][0] is ORDINAL_RATING
    assert pickle.loads(pickle.dumps(ORDINAL_RATING)) is ORDINAL_RATING


def test_a_name_stands_for_one_thing() -> None:
    kinds = Kinds()
    kinds.register(CLASSIFICATION)
    (accuracy,) = CLASSIFICATION.scored_by
    other = replace(accuracy, measure=replace(accuracy.measure, description="another"))
    for clash in (
        replace(TAGGING, name="classification"),
        replace(TAGGING, scored_by=(other,)),
        replace(TAGGING, formats=dict(CLASSIFICATION.formats)),
    ):
        with pytest.raises(InputError, match="has that name already"):
            kinds.register(clash)
    assert kinds.all() == (CLASSIFICATION,)


def test_unknown_names_are_told_with_a_close_one() -> None:
    with pytest.raises(UnknownNameError, match='Did you mean "tagging"'):
        kind_named("taging")
    with pytest.raises(UnknownNameError, match='Did you mean "pearson"'):
        metric_named("pearso")
    with pytest.raises(UnknownNameError, match="metric of tagging"):
        TAGGING.scoring("squad")
    with pytest.raises(UnknownNameError, match="reader of tagging"):
        TAGGING.format("squad_json")
    with pytest.raises(InputError, match="has that name already"):
        register_kind(replace(TAGGING, module="elsewhere"))
