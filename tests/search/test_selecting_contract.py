"""The contract of selecting policies, for every one that replays know."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stilts.analysis.replay.policies import POLICIES, find_policy
from stilts.errors import InputError, UnknownNameError
from stilts.search.selecting.policy import Budget, Observation, Policy, Question, Trial
from stilts.search.selecting.select import Select
from tests.search.selecting_worlds import played, question, scored, spent

WORLDS = {
    "cells": question(),
    "stages": question(stage=0.1),
    "a prior": question(seeds=1, priors=(np.arange(20.0).reshape(5, 4),)),
    "one source": question(rows=1),
    "one target": question(columns=1),
    "holes": question(exists=np.arange(20).reshape(5, 4) % 3 > 0),
}


@pytest.fixture(params=sorted(POLICIES))
def policy(request: pytest.FixtureRequest) -> Policy:
    return find_policy(request.param).make()


@pytest.fixture(params=sorted(WORLDS))
def asked(request: pytest.FixtureRequest) -> Question:
    return WORLDS[request.param]


class TestContract:
    def test_never_a_trial_twice_nor_one_that_does_not_exist(self, policy: Policy, asked: Question) -> None:
        seen, _ = played(policy, asked, 0.9)
        trials = [one.trial for one in seen]
        assert len(trials) == len(set(trials))
        rows, columns = list(asked.sources), list(asked.targets)
        assert all(asked.exists[rows.index(t.source), columns.index(t.target)] for t in trials)

    def test_stays_within_the_budget(self, policy: Policy, asked: Question) -> None:
        seen, _ = played(policy, asked, 0.63)
        assert spent(asked, seen) <= 0.63 + 1e-6

    def test_stops_without_a_budget(self, policy: Policy, asked: Question) -> None:
        suggestion = policy.suggest(asked, [], Budget(left=0.0), np.random.default_rng(0))
        assert suggestion.stops
        assert suggestion.reason

    def test_chooses_an_existing_source_for_every_target_that_has_one(self, policy: Policy, asked: Question) -> None:
        for seen in ([], played(policy, asked, 0.5)[0]):
            choices = policy.choose(asked, seen)
            wanted = [name for t, name in enumerate(asked.targets) if asked.exists[:, t].any()]
            assert [choice.target for choice in choices] == wanted
            for choice in choices:
                assert asked.exists[asked.sources.index(choice.source), asked.targets.index(choice.target)]

    def test_is_a_function_of_its_arguments_in_any_order(self, policy: Policy, asked: Question) -> None:
        seen = played(policy, asked, 0.4)[0]
        rows, columns = np.arange(len(asked.sources))[::-1], np.arange(len(asked.targets))[::-1]
        turned = replace(
            asked,
            sources=asked.sources[::-1],
            targets=asked.targets[::-1],
            cell_price=asked.cell_price[np.ix_(rows, columns)],
            stage_price=asked.stage_price[rows],
            exists=asked.exists[np.ix_(rows, columns)],
            priors=tuple(prior[np.ix_(rows, columns)] for prior in asked.priors),
        )
        first = policy.suggest(asked, seen, Budget(left=0.5), np.random.default_rng(3))
        again = policy.suggest(turned, seen[::-1], Budget(left=0.5), np.random.default_rng(3))
        assert again == first
        assert set(policy.choose(turned, seen[::-1])) == set(policy.choose(asked, seen))

    def test_neither_failed_nor_pending_trials_are_asked_for(self, policy: Policy, asked: Question) -> None:
        first = policy.suggest(asked, [], Budget(left=0.5), np.random.default_rng(0)).trials
        half = len(first) // 2
        seen = [Observation(trial=trial, score=None) for trial in first[:half]]
        later = policy.suggest(asked, seen, Budget(left=0.5, pending=first[half:]), np.random.default_rng(0))
        assert not set(later.trials) & set(first)
        assert policy.choose(asked, seen)

    def test_all_scores_equal_is_no_trouble(self, policy: Policy, asked: Question) -> None:
        trials = policy.suggest(asked, [], Budget(left=0.5), np.random.default_rng(0)).trials
        seen = [Observation(trial=trial, score=50.0) for trial in trials]
        assert policy.choose(asked, seen)
        policy.suggest(asked, seen, Budget(left=0.5), np.random.default_rng(0))


def test_what_is_no_score_is_refused() -> None:
    with pytest.raises(InputError):
        Observation(trial=Trial(source="s", target="t"), score=float("nan"))


def test_an_observation_of_another_question_is_refused() -> None:
    stranger = Observation(trial=Trial(source="who", target="t0"), score=1.0)
    with pytest.raises(InputError):
        Select().choose(question(), [stranger])


def test_an_unknown_policy_is_named() -> None:
    with pytest.raises(UnknownNameError):
        find_policy("sellect")


def test_a_grid_is_whole_where_the_budget_is() -> None:
    asked = question()
    seen, _ = played(find_policy("full_grid_2").make(), asked, 2.0)
    assert len(seen) == 2 * asked.exists.sum()
    assert {one.trial.seed for one in seen} == {0, 1}
    assert all(one.score == scored(one.trial) for one in seen)
