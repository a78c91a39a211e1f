"""Recorded worlds: what is read, how it is split and priced, what regret is, and the verb that shows it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from stilts.analysis.replay.clock import Clock
from stilts.analysis.replay.mixtures import composition, composition_features
from stilts.analysis.replay.play import judged, play, question_of
from stilts.analysis.replay.policies import POLICIES, find_policy
from stilts.analysis.replay.regret import bootstrap, curve
from stilts.analysis.replay.tables import read_world
from stilts.analysis.replay.world import PER_CELL, PER_STAGE, World, aligned, splits
from stilts.errors import DataError, InputError
from stilts.search.selecting.policy import Choice, Trial


def table(path: Path, *, seeds: int = 4, fidelities: tuple[int, ...] = (1,)) -> Path:
    """A table of 5 sources and 4 targets, t0 being a source too; source s4 is the best everywhere."""
    lines = ["source,target,seed,fidelity,score"]
    for s, source in enumerate(("t0", "s1", "s2", "s3", "s4")):
        for t in range(4):
            for seed in range(seeds):
                for f in fidelities:
                    score = 50 + 5 * s + ((3 * s + 5 * t + 7 * seed) % 5) + 0.1 * f
                    lines.append(f"{source},t{t},{seed},{f},{score}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def world(tmp_path: Path) -> World:
    return read_world(table(tmp_path / "small.csv"))


def test_a_source_on_itself_does_not_count(world: World) -> None:
    row, column = world.sources.index("t0"), world.targets.index("t0")
    assert not world.exists[row, column]
    assert world.exists.sum() == 5 * 4 - 1


def test_a_full_grid_of_one_seed_costs_one_at_both_prices(world: World) -> None:
    for price in (PER_CELL, PER_STAGE):
        [point] = curve(world, ["full_grid_1"], [], price, repeats=2)
        assert point.cost_frac == pytest.approx(1.0)
        assert point.budget == 1.0


def test_half_of_the_seeds_choose_and_the_other_half_judges(world: World) -> None:
    for split in splits(world, 5):
        assert split.scores.shape[2] == 2
        whole = world.scores.sum(axis=2)
        both = split.scores.sum(axis=2) + 2 * split.judge
        np.testing.assert_allclose(both[world.exists], whole[world.exists])


def test_splits_are_the_same_for_every_policy(world: World) -> None:
    for first, again in zip(splits(world, 3), splits(world, 3), strict=True):
        np.testing.assert_array_equal(first.scores, again.scores)
    assert curve(world, ["random"], [0.5], PER_CELL, repeats=3) == curve(world, ["random"], [0.5], PER_CELL, repeats=3)


def test_regret_is_per_cent_of_the_best(world: World) -> None:
    split = splits(world, 1)[0]
    asked = question_of(world, split, PER_CELL)
    best = np.nanmax(split.judge, axis=0)
    chosen = split.judge[world.sources.index("s1")]
    choices = tuple(Choice(target=name, source="s1") for name in world.targets)
    outcome = judged(choices, split, asked, 0.3)
    assert outcome.regret_pct == pytest.approx(np.mean(100 * (best - chosen) / best))
    assert outcome.points == pytest.approx(np.mean(best - chosen))


@pytest.mark.parametrize("name", sorted(POLICIES))
@pytest.mark.parametrize("price", [PER_CELL, PER_STAGE])
def test_no_policy_spends_more_than_its_budget(world: World, name: str, price: str) -> None:
    split = splits(world, 1)[0]
    for workers in (1, 8):
        asked, draw = question_of(world, split, price), np.random.default_rng(0)
        assert play(find_policy(name).make(), asked, split, 0.7, draw, workers).cost_frac <= 0.7 + 1e-6


def test_the_default_finds_the_plain_winner(world: World) -> None:
    [point] = curve(world, ["select"], [1.0], PER_CELL, repeats=3)
    assert point.default
    assert point.regret_pct < 1.0
    assert point.low <= point.regret_pct <= point.high


def test_the_lowest_fidelity_is_a_cheap_look_at_its_price(tmp_path: Path) -> None:
    path = table(tmp_path / "levels.csv", seeds=1, fidelities=(10, 50, 100, 1000))
    world = read_world(path, 100)
    assert world.look is not None
    assert world.look_frac == pytest.approx(0.1)
    np.testing.assert_allclose(world.scores[:, :, 0] - world.look, 9.0)
    found = {name: curve(world, [name], [0.5], PER_CELL, repeats=1)[0] for name in ("successive_halving", "random")}
    assert found["successive_halving"].regret_pct == pytest.approx(0.0, abs=1.0)
    assert found["random"].cost_frac <= 0.5 + 1e-6  # It does not look, and pays for nothing but cells.
    blind = curve(world, ["successive_halving"], [0.12], PER_CELL, repeats=1)[0]
    assert blind.cost_frac <= 0.12 + 1e-6  # A look would take most of the budget.
    with pytest.raises(InputError):
        read_world(path, 55)


def test_a_score_is_known_when_its_trial_ends_and_no_earlier(tmp_path: Path) -> None:
    path = tmp_path / "costs.csv"
    path.write_text("source,target,score,cost_s\na,x,50,10\nb,x,60,30\nc,x,70,20\n")
    world = read_world(path)
    split = splits(world, 1)[0]
    clock = Clock(question_of(world, split, PER_CELL), split, 2)
    a, b, c = (Trial(source=name, target="x") for name in "abc")
    clock.ask((a, b, c))
    assert clock.spent == pytest.approx(1.0)
    assert not clock.hungry
    ends = []
    while clock.wait():
        ends.append([one.trial for one in clock.observations])
    assert ends == [[a], [a, b, c]]  # c begins when a ends, and ends with b.
    assert clock.hungry
    assert not clock.pending


def test_trials_wait_for_their_sources_stage_which_is_paid_once(world: World) -> None:
    split = splits(world, 1)[0]
    asked = question_of(world, split, PER_STAGE)
    clock = Clock(asked, split, 8)
    clock.ask(tuple(Trial(source="s1", target=f"t{t}", seed=seed) for t in range(4) for seed in range(2)))
    assert clock.spent == pytest.approx(2 * asked.stage_price[asked.sources.index("s1")])
    assert clock.hungry  # Two stages run; six workers have nothing to do while eight trials wait.
    assert not clock.observations
    while clock.wait():
        pass
    assert len(clock.observations) == 8


def test_recorded_seconds_are_the_price(tmp_path: Path) -> None:
    path = tmp_path / "costs.csv"
    path.write_text("source,target,score,cost_s\na,x,50,10\nb,x,60,30\n")
    cells, stages = read_world(path).prices(PER_CELL)
    np.testing.assert_allclose(cells[:, 0], [0.25, 0.75])
    assert not stages.any()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("source,score\na,1\n", "target"),
        ("source,target,score\na,x,much\n", "much"),
        ("source,target,score\na,x,nan\n", "nan"),
        ("source,target,score\na,x,1\na,x,2\n", "twice"),
        ("source,target,score,cost_s\na,x,1,\n", "cost_s"),
    ],
)
def test_what_cannot_be_replayed_is_refused(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=named):
        read_world(path)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "cannot be read as CSV"),
        (b"source,target,score\na,b,1\na,b,1,2,3,4\n", "cannot be read as CSV"),
        (b"source,target,score\na,b,1,2,3,4\n", "line 2: more cells than the header has names"),
        (b"source,target,score\n\xff,b,1\n", "cannot be read as CSV"),
        (b'source,target,score\n"a,b,1\n', "cannot be read as CSV"),
        (b"source,target,score\na,b,1" + b"0" * 400 + b"\n", "no number"),
    ],
)
def test_what_is_no_table_is_one_message(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(data)
    with pytest.raises(DataError, match=rf"bad\.csv.*{said}"):
        read_world(path)


def test_a_table_is_bounded_in_bytes_and_in_what_it_spans(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    rows = "".join(f"s{n},t{n},{n},{n},1\n" for n in range(200))
    path.write_text("source,target,seed,fidelity,score\n" + rows)
    with pytest.raises(DataError, match="200 rows name 200 sources, 200 targets, 200 seeds and 200 fidelities"):
        read_world(path)
    os.truncate(path, 2**31)
    with pytest.raises(DataError, match="it holds 2 GiB, more than the 256 MiB"):
        read_world(path)
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(DataError, match="it is a pipe"):
        read_world(tmp_path / "pipe.csv")


def test_what_failed_or_is_not_recorded_cannot_be_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "holes.csv"
    path.write_text("source,target,seed,score\na,x,0,\na,x,1,70\nb,x,0,60\nb,x,1,61\nc,x,1,10\n")
    world = read_world(path)
    for name in POLICIES:
        for point in curve(world, [name], [1.0], PER_CELL, repeats=2):
            assert np.isfinite(point.regret_pct)


def test_a_prior_is_laid_beside_by_name(world: World, tmp_path: Path) -> None:
    path = tmp_path / "prior.csv"
    path.write_text("source,target,score\ns4,t1,9\nother,t1,3\n")
    prior = aligned(world, read_world(path))
    assert prior[world.sources.index("s4"), world.targets.index("t1")] == 9
    assert np.isfinite(prior).sum() == 1


def test_mixtures_tell_what_they_hold_of_each_target(tmp_path: Path) -> None:
    assert composition("af:100;zh-Hant:5") == {"af": 100.0, "zh-Hant": 5.0}
    assert composition("a plain name") == {}
    assert composition_features(("plain", "names"), ("x",)) is None
    path = tmp_path / "mix.csv"
    path.write_text("mixture,target,score\naf:99;ar:900,af,80\naf:99;ar:900,ar,70\nar:9,af,60\nar:9,ar,50\n")
    world = read_world(path)
    assert world.features is not None
    both = world.sources.index("af:99;ar:900")
    np.testing.assert_allclose(world.features[both, world.targets.index("af")], [2.0, np.log10(901)])


def test_the_interval_holds_the_mean_and_narrows() -> None:
    values = list(np.random.default_rng(0).normal(1.0, 0.5, size=200))
    low, high = bootstrap(values)
    assert low < np.mean(values) < high
    assert high - low == pytest.approx(2 * 1.96 * 0.5 / 200**0.5, rel=0.25)


def test_the_verb_prints_points_and_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from stilts.cli.replaying import replay

    path, picture = table(tmp_path / "small.csv"), tmp_path / "regret.svg"
    replay(str(path), policy=["select", "full_grid_2"], budget=[0.5], repeats=2, price="both", plot=picture, json=True)
    points = json.loads(capsys.readouterr().out)
    assert {(point["policy"], point["price"]) for point in points} == {
        (name, price) for name in ("select", "full_grid_2") for price in (PER_CELL, PER_STAGE)
    }
    assert all({"default", "budget", "cost_frac", "regret_pct", "low", "high"} <= set(point) for point in points)
    assert "select (default)" in picture.read_text()
    replay(str(path), policy=["random"], budget=[0.5], repeats=2, price=PER_CELL, plot=tmp_path / "regret.png")
    assert "random" in capsys.readouterr().out
    assert (tmp_path / "regret.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "options", [{"budget": [-1.0]}, {"price": "free"}, {"policy": ["slect"]}, {"plot": Path("x.pdf")}]
)
def test_the_verb_refuses_what_it_does_not_know(tmp_path: Path, options: dict[str, object]) -> None:
    from stilts.cli.replaying import replay

    with pytest.raises(InputError):
        replay(str(table(tmp_path / "small.csv")), **{"repeats": 1, "price": PER_CELL, **options})  # type: ignore[arg-type]


def test_no_text_of_the_plot_is_cut_off(tmp_path: Path) -> None:
    from stilts.report.figures import replay as replay_plot

    world = read_world(table(tmp_path / "small.csv"))
    points = curve(world, list(POLICIES), [0.25, 1.0], PER_CELL, repeats=2)
    policies = list(dict.fromkeys(replay_plot._family(point.policy) for point in points))
    for scene in (replay_plot._panel(points, policies), replay_plot._legend(policies, points)):
        for text in scene.texts:
            left, top, right, bottom = text.extent
            assert left >= 0
            assert top >= 0
            assert right <= scene.width
            assert bottom <= scene.height
