"""What the default policy believes and does: sharing between targets, priors, features, stopping."""

from __future__ import annotations

import time

import numpy as np

from stilts.search.selecting.beliefs import Beliefs
from stilts.search.selecting.best_source import standing
from stilts.search.selecting.knowledge import after, gain, gaps, improvement, together
from stilts.search.selecting.policy import Budget, Observation, Trial
from stilts.search.selecting.row_model import posterior
from stilts.search.selecting.scaling import scaled
from stilts.search.selecting.select import Select
from stilts.search.selecting.tally import tally
from tests.search.selecting_worlds import played, question, scored


def test_probability_of_the_best_and_expected_regret_are_those_of_drawing() -> None:
    mean, sd = np.array([[1.0], [0.6], [-2.0]]), np.array([[0.5], [1.0], [0.3]])
    found = standing(mean, sd**2, np.ones((3, 1), np.bool_))
    drawn = np.random.default_rng(0).normal(mean, sd, size=(200_000, 3, 1))[:, :, 0].T
    share = np.bincount(drawn.argmax(axis=0), minlength=3) / drawn.shape[1]
    np.testing.assert_allclose(found.probability[:, 0], share, atol=0.01)
    np.testing.assert_allclose(found.regret[0], drawn.max(axis=0).mean() - 1.0, atol=0.01)


def test_knowledge_gradient_is_the_expected_rise_of_the_best_mean() -> None:
    cov = np.array([[1.0, 0.6], [0.6, 0.8]])
    gap, weight, noise = np.array([0.5, 1.2]), np.array([2.0, 1.0]), 0.4
    moved = np.random.default_rng(0).normal(size=400_000) * cov[0][:, None] / np.sqrt(cov[0, 0] + noise)
    drawn = np.maximum(moved - gap[:, None], 0).mean(axis=1) @ weight
    both = np.array([noise, 1e9])
    np.testing.assert_allclose(gain(cov, gap, both[None], weight)[0, 0], drawn, rtol=0.02)
    np.testing.assert_allclose(together(cov, gap, np.array([0, 1]), both, weight), drawn, rtol=0.02)
    assert after(cov, 0, noise)[1, 1] < cov[1, 1]


def test_improvement_is_that_of_students_distribution() -> None:
    drawn = np.random.default_rng(0).standard_t(5, size=1_000_000)
    for mean in (-2.0, -0.5, 0.7):
        found = improvement(np.array(mean), np.array(0.64), np.array(0.0), np.array(5.0))
        np.testing.assert_allclose(found, np.maximum(mean + 0.8 * drawn, 0).mean(), rtol=0.02)
    certain = improvement(np.array([0.3, -0.3]), np.zeros(2), np.zeros(2), np.full(2, 5.0))
    np.testing.assert_allclose(certain, [0.3, 0.0], atol=1e-9)


def test_improvement_is_finite_far_away_and_without_deviation() -> None:
    far = improvement(np.array([-1e9, -np.inf, 5.0]), np.zeros(3), np.zeros(3), np.full(3, 2.0))
    np.testing.assert_allclose(far, [0.0, 0.0, 5.0], atol=1e-6)


def test_a_row_of_few_degrees_of_freedom_is_worth_more_where_the_gap_is_wide() -> None:
    cov, gap, at = np.eye(2), np.array([3.0, 3.0]), np.array([0, 1])
    few, many, sure = (together(cov, gap, at, np.full(2, 0.1), np.ones(2), f) for f in (3.0, 1e6, np.inf))
    assert few > 2 * many
    np.testing.assert_allclose(many, sure, rtol=1e-3)


def test_gaps_are_to_the_best_other_cell() -> None:
    mean, exists = np.array([[3.0, 1.0], [1.0, 5.0], [2.5, 0.0]]), np.ones((3, 2), np.bool_)
    exists[1, 1] = False
    np.testing.assert_allclose(gaps(mean, exists)[:, 0], [0.5, 2.0, 0.5])
    np.testing.assert_allclose(gaps(mean, exists)[[0, 2], 1], [1.0, 1.0])


def test_finds_the_best_sources_for_less_than_a_grid() -> None:
    asked = question(rows=8, columns=5, seeds=3)
    seen, batches = played(Select(), asked, 0.8)
    assert len(batches) > 3
    truth = {
        t: {s: np.mean([scored(Trial(source=s, target=t, seed=k)) for k in range(3)]) for s in asked.sources}
        for t in asked.targets
    }
    choices = Select().choose(asked, seen)
    lost = [max(truth[c.target].values()) - truth[c.target][c.source] for c in choices]
    assert np.mean(lost) < 0.5
    assert all(c.probability is not None and 0 <= c.probability <= 1 for c in choices)


def test_a_score_on_one_target_tells_of_the_others() -> None:
    asked = question(rows=8, columns=5)
    grid = [Trial(source=s, target=t) for s in asked.sources for t in asked.targets if t != "t0"]
    seen = [Observation(trial=trial, score=scored(trial)) for trial in grid]
    [choice] = [c for c in Select().choose(asked, seen) if c.target == "t0"]
    means = {s: np.mean([o.score for o in seen if o.trial.source == s]) for s in asked.sources}
    assert choice.source == max(means, key=means.__getitem__)


def test_a_prior_is_followed_first_and_distrusted_when_it_misleads() -> None:
    rows, columns = 8, 5
    asked = question(rows=rows, columns=columns)
    truth = np.array([[scored(Trial(source=s, target=t)) for t in asked.targets] for s in asked.sources])
    good, bad = (
        question(rows=rows, columns=columns, priors=(truth,)),
        question(rows=rows, columns=columns, priors=(-truth,)),
    )
    best = [asked.sources[s] for s in truth.argmax(axis=0)]
    assert [c.source for c in Select().choose(good, [])] == best
    seen = played(Select(), bad, 0.9)[0]
    lost = [
        truth[:, t].max() - truth[asked.sources.index(c.source), t] for t, c in enumerate(Select().choose(bad, seen))
    ]
    assert np.mean(lost) < 2.0


def test_a_prior_that_knows_only_some_cells_is_welcome() -> None:
    prior = np.full((5, 4), np.nan)
    prior[1, :] = [70.0, 71.0, np.nan, 69.0]
    prior[2, :] = [50.0, 52.0, np.nan, 51.0]
    choices = Select().choose(question(priors=(prior,)), [])
    assert {c.source for c in choices if c.target != question().targets[2]} == {question().sources[1]}


def test_a_prior_sets_the_scale_where_only_the_best_were_run() -> None:
    draw = np.random.default_rng(0)
    look = 50 + 10 * draw.normal(size=(12, 4))
    asked = question(rows=12, columns=4, seeds=1, priors=(look,))
    best = [(asked.sources[s], asked.targets[t]) for t in range(4) for s in np.argsort(-look[:, t])[:2]]
    seen = [
        Observation(
            trial=Trial(source=s, target=t), score=5 + float(look[asked.sources.index(s), asked.targets.index(t)])
        )
        for s, t in best
    ]
    data = scaled(tally(asked, seen))
    assert data.spread.min() > 5  # The two that were run differ by 3 points or less on the whole.
    order = np.argsort(asked.targets)
    np.testing.assert_allclose(data.centre, 5 + np.median(look, axis=0)[order], atol=1.5)


def test_weights_of_features_are_each_targets_own() -> None:
    draw = np.random.default_rng(0)
    known = draw.normal(size=(40, 3, 1))
    asked = question(rows=40, columns=3, seeds=1, features=known)
    slope = np.array([4.0, 0.0, -4.0])
    truth = 50 + known[:, :, 0] * slope + draw.normal(size=(40, 3))
    seen = [
        Observation(trial=Trial(source=s, target=t), score=float(truth[i, j]))
        for i, s in enumerate(asked.sources[:25])
        for j, t in enumerate(asked.targets)
    ]
    found = tally(asked, seen)
    weights = posterior(scaled(found), Beliefs()).regression.weights[:, 1]
    up, none, down = weights[np.argsort(np.argsort(asked.targets))]
    assert up > 0.5
    assert abs(none) < 0.3
    assert down < -0.5


def test_what_is_paid_first_is_spread_out() -> None:
    kinds = np.repeat(np.eye(4), 4, axis=0)  # Four sources of each of four kinds.
    known = np.repeat(kinds[:, None, :], 3, axis=1)
    asked = question(rows=16, columns=3, seeds=1, features=known, cell_price=np.zeros((16, 3)), stage=1 / 16)
    for number in range(5):
        trials = Select(first_batch=0.25).suggest(asked, [], Budget(left=1.0), np.random.default_rng(number)).trials
        bought = {asked.sources.index(one.source) // 4 for one in trials}
        assert len({one.source for one in trials}) == 4
        assert bought == {0, 1, 2, 3}


def test_sources_like_one_that_runs_wait() -> None:
    known = np.repeat(np.repeat(np.eye(2), 3, axis=0)[:, None, :], 3, axis=1)
    asked = question(rows=6, columns=3, seeds=1, features=known, cell_price=np.zeros((6, 3)), stage=1 / 6)
    runs = tuple(Trial(source=asked.sources[0], target=t) for t in asked.targets)
    first = Select().suggest(asked, [], Budget(left=0.2, pending=runs), np.random.default_rng(0)).trials
    assert {asked.sources.index(one.source) // 3 for one in first} == {1}


def test_a_stage_that_is_paid_for_is_used_for_several_targets() -> None:
    seen, _ = played(Select(), question(stage=0.2), 0.9)
    stages = {(one.trial.source, one.trial.seed) for one in seen}
    assert len(seen) >= 3 * len(stages)


def test_a_source_that_was_never_seen_comes_before_a_further_seed_of_a_good_one() -> None:
    asked = question(rows=12, columns=6, seeds=3, cell_price=np.zeros((12, 6)), stage=0.2)
    sources = sorted(asked.sources)
    for number in (8, 9, 10):
        draw = np.random.default_rng(number)
        good = dict(zip(sources, draw.normal(size=12), strict=True))
        grid = [Trial(source=s, target=t) for s in sources[:10] for t in asked.targets]
        seen = [Observation(trial=one, score=float(50 + 3 * good[one.source] + 3 * draw.normal())) for one in grid]
        trials = Select().suggest(asked, seen, Budget(left=0.2), np.random.default_rng(0)).trials
        assert {trial.source for trial in trials} <= set(sources[10:])


def test_stops_when_it_is_settled_and_says_so() -> None:
    asked = question(rows=3, columns=2, seeds=5)
    level = {"s0": 20.0, "s1": 50.0, "s2": 90.0}
    trials = [Trial(source=s, target=t, seed=k) for s in asked.sources for t in asked.targets for k in range(3)]
    seen = [Observation(trial=t, score=level[t.source] + 0.01 * t.seed) for t in trials]
    suggestion = Select().suggest(asked, seen, Budget(left=9.0), np.random.default_rng(0))
    assert suggestion.stops
    assert "ettled" in suggestion.reason


def test_a_cell_of_which_all_trials_failed_is_not_advised() -> None:
    asked = question(rows=3, columns=2, seeds=1)
    scores = {"s0": 50.0, "s1": 40.0, "s2": None}
    seen = [Observation(trial=Trial(source=s, target=t), score=scores[s]) for s in asked.sources for t in asked.targets]
    assert {c.source for c in Select().choose(asked, seen)} == {"s0"}


def test_ten_thousand_scores_are_read_in_a_second_of_computing() -> None:
    asked = question(rows=100, columns=50, seeds=5)
    trials = [Trial(source=s, target=t, seed=k) for s in asked.sources for t in asked.targets for k in range(2)]
    draw = np.random.default_rng(0)
    seen = [Observation(trial=trial, score=float(50 + draw.normal())) for trial in trials]
    begun = time.process_time()
    assert Select().suggest(asked, seen, Budget(left=1.0), draw).trials
    assert time.process_time() - begun < 1.0
