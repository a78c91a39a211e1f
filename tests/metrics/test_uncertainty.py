import numpy as np
import pytest

from stilts.errors import InputError
from stilts.metrics.metric import metric
from stilts.metrics.resampling import LanguageRows, ReplicateRows, Side, resample
from stilts.metrics.uncertainty import gain_interval
from tests.metrics.simulation import cell, shared_items

ACCURACY = metric("accuracy")
NONE_SEEDS = [(None, 1), (None, 2), (None, 3)]


def study(seed: int = 0, **cells: dict) -> dict[str, Side]:
    stream = np.random.default_rng(seed)
    difficulty = shared_items(stream, 200)
    return resample({name: cell(stream, difficulty, **given) for name, given in cells.items()}, ACCURACY, draws=300)


def test_scores_are_means_over_languages_of_the_metric() -> None:
    rows = cell(np.random.default_rng(0), np.zeros(50), score=60, seeds=[(None, 1)])
    side = resample({"none": rows}, ACCURACY, draws=10)["none"]
    means = [100 * language.values[:, 0].mean() for language in rows[0].languages.values()]
    assert side.mean == pytest.approx(np.mean(means))
    assert side.scores.shape == (1, 5)
    assert side.draws.shape == (1, 5, 10)


def test_the_item_variance_is_the_binomial_one() -> None:
    stream = np.random.default_rng(3)
    rows = cell(stream, shared_items(stream, 1000), score=70, seeds=[(None, 1)], num_languages=1)
    side = resample({"none": rows}, ACCURACY, draws=2000)["none"]
    share = side.mean / 100
    assert side.mean_draws.std() == pytest.approx(100 * np.sqrt(share * (1 - share) / 1000), rel=0.06)


def test_translations_of_an_item_are_drawn_together() -> None:
    stream = np.random.default_rng(3)
    correct = (stream.random(400) < 0.6).astype(float)
    same = LanguageRows(
        items=np.array([f"q{i}" for i in range(400)]), values=np.column_stack([correct, correct * 0 + 1])
    )
    one = ReplicateRows(intermediate_seed=None, target_seed=1, languages={"en": same})
    many = ReplicateRows(intermediate_seed=None, target_seed=1, languages=dict.fromkeys(["en", "de", "sw", "zh"], same))
    spread = [resample({"none": [rows]}, ACCURACY)["none"].mean_draws.std() for rows in (one, many)]
    assert spread[1] == pytest.approx(spread[0])  # four copies of an item know no more than one


def test_equal_cells_have_a_gain_of_exactly_zero() -> None:
    rows = cell(np.random.default_rng(0), np.zeros(50), score=60, seeds=[(None, 1)])
    sides = resample({"a": rows, "b": rows}, ACCURACY, draws=50)
    interval = gain_interval(sides["a"], sides["b"])
    assert (interval.low, interval.estimate, interval.high, interval.p_value) == (0, 0, 0, 1)


def test_one_replicate_makes_the_interval_conditional() -> None:
    sides = study(none=dict(score=70, seeds=NONE_SEEDS), one=dict(score=75, seeds=[(1, 1)]))
    interval = gain_interval(sides["one"], sides["none"])
    assert interval.conditional
    assert interval.conditions == ("the cell: the seed of its only replicate",)
    assert interval.components["cell_seeds"] == 0


def test_one_intermediate_seed_with_several_target_seeds_is_conditional_on_it() -> None:
    sides = study(none=dict(score=70, seeds=NONE_SEEDS), row=dict(score=75, seeds=[(7, 1), (7, 2)], target_sd=3.0))
    interval = gain_interval(sides["row"], sides["none"])
    assert interval.conditions == ("the cell: intermediate seed 7, the only one",)
    assert sides["row"].seeds.df == 1


def test_replicates_are_averaged_within_an_intermediate_seed() -> None:
    seeds = [(1, 1), (1, 2), (1, 3), (2, 1)]
    side = study(row=dict(score=75, seeds=seeds, target_sd=3.0))["row"]
    totals = side.scores.mean(axis=1)
    assert side.mean == pytest.approx((totals[:3].mean() + totals[3]) / 2)
    assert side.seeds.df == 1


def test_a_target_that_no_seed_bears_on_is_not_conditional() -> None:
    sides = study(none=dict(score=70, seeds=[(None, None)]), row=dict(score=75, seeds=[(1, None), (2, None)]))
    interval = gain_interval(sides["row"], sides["none"])
    assert not interval.conditional
    assert interval.components["baseline_seeds"] == 0


def test_seed_noise_widens_the_interval() -> None:
    def width(target_sd: float) -> float:
        given = dict(seeds=[(i, i) for i in range(4)], target_sd=target_sd)
        sides = study(none=dict(score=70, seeds=NONE_SEEDS), row=dict(score=75, **given))
        interval = gain_interval(sides["row"], sides["none"])
        return interval.high - interval.low

    assert width(6.0) > 1.5 * width(0.0)


def test_the_same_seed_gives_the_same_draws() -> None:
    given = dict(none=dict(score=70, seeds=NONE_SEEDS))
    assert (study(**given)["none"].draws == study(**given)["none"].draws).all()


def test_replicates_with_other_languages_are_refused() -> None:
    stream = np.random.default_rng(0)
    cells = {
        "none": cell(stream, np.zeros(9), score=60, seeds=[(None, 1)], num_languages=2),
        "row": cell(stream, np.zeros(9), score=60, seeds=[(1, 1)], num_languages=3),
    }
    with pytest.raises(InputError, match="languages differ"):
        resample(cells, ACCURACY)
    with pytest.raises(InputError, match="without replicates"):
        resample({"none": []}, ACCURACY)


@pytest.mark.slow
@pytest.mark.parametrize("target_sd", [0.3, 3.0])
@pytest.mark.parametrize("replicates", [2, 3, 5])
def test_intervals_cover_what_they_claim(target_sd: float, replicates: int) -> None:
    stream = np.random.default_rng(11)
    covered, studies = 0, 300
    for number in range(studies):
        difficulty = shared_items(stream, 500)
        cells = {
            "none": [(None, i) for i in range(replicates)],
            "row": [(i, i) for i in range(replicates)],
        }
        rows = {
            name: cell(stream, difficulty, score=72.0, seeds=seeds, target_sd=target_sd)
            for name, seeds in cells.items()
        }
        sides = resample(rows, ACCURACY, draws=300, seed=number)
        interval = gain_interval(sides["row"], sides["none"])
        covered += interval.low <= 0.0 <= interval.high
    print(f"coverage with {replicates} replicates, seed sd {target_sd}: {covered / studies:.3f}")
    assert 0.91 <= covered / studies <= 0.995


@pytest.mark.slow
def test_intervals_cover_over_nested_seeds() -> None:
    stream = np.random.default_rng(12)
    covered, studies = 0, 300
    nested = [(first, second) for first in range(3) for second in range(2)]
    for number in range(studies):
        difficulty = shared_items(stream, 500)
        rows = {
            "none": cell(stream, difficulty, score=72.0, seeds=NONE_SEEDS, target_sd=2.0),
            "row": cell(stream, difficulty, score=72.0, seeds=nested, target_sd=2.0, intermediate_sd=2.0),
        }
        sides = resample(rows, ACCURACY, draws=300, seed=number)
        interval = gain_interval(sides["row"], sides["none"])
        covered += interval.low <= 0.0 <= interval.high
    print(f"coverage with 3 x 2 nested seeds: {covered / studies:.3f}")
    assert 0.91 <= covered / studies <= 0.99
