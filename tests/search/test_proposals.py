"""Proposals: deterministic, never repeated, told to every target once, and rebuilt from what the store knows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import optuna
import pytest

from stilts.errors import InputError, UnknownNameError
from stilts.fingerprint import Json, canonical_json
from stilts.search.objective import Aim, Objective
from stilts.search.outcome import Outcome, Told
from stilts.search.proposals import ProposalBook
from stilts.search.samplers import SAMPLERS
from stilts.study.search_space import Choices, FloatRange, IntRange, SearchSpace, Simplex

TASKS = ("mnli", "squad", "hellaswag")
SPACE = SearchSpace(
    params={
        "learning_rate": FloatRange(low=1e-6, high=1e-4, log=True),
        "steps": IntRange(low=100, high=5000, log=True),
        "warmup_frac": Choices(values=(0.0, 0.1, None)),
        "weights": Simplex(tasks=TASKS),
    }
)
FINITE = SearchSpace(params={"steps": IntRange(low=1, high=2), "cap": Choices(values=(None, [1, 2], True))})


def book(
    url: str | None = None,
    *,
    space: SearchSpace = SPACE,
    sampler: str = "tpe",
    seed: int = 3,
    targets: tuple[str, ...] = ("xnli", "panx"),
    aims: Sequence[Aim] | None = None,
) -> ProposalBook:
    return ProposalBook(
        storage_url=url,
        study_name="mini",
        row="mixed",
        space=space,
        sampler=sampler,
        seed=seed,
        aims=[aim_on(target) for target in targets] if aims is None else aims,
    )


def aim_on(*names: str, minimised: Sequence[str] = ()) -> Aim:
    """An aim by the scores on these targets; proposals need no more of it than names and directions."""
    return Aim(
        objectives=tuple(
            Objective(name=name, targets=(name,), value=lambda scores, none: 0.0, minimised=name in minimised)
            for name in names
        )
    )


def scored(**scores: float | None) -> dict[str, Outcome]:
    """One value, or a failure, by aim."""
    return {aim: Outcome(values=None if score is None else (score,)) for aim, score in scores.items()}


def quality(params: Mapping[str, Json]) -> float:
    weights, rate = params["weights"], params["learning_rate"]
    assert isinstance(weights, dict) and isinstance(rate, float)
    return 60 + 30 * float(weights.get("mnli", 0.0)) - 10 * abs(math.log10(rate) + 5)  # type: ignore[arg-type]


def run(subject: ProposalBook, count: int) -> list[Told]:
    told: list[Told] = []
    for number in range(count):
        params = subject.ask(number, told, [one.params for one in told])
        assert params is not None
        outcomes = scored(xnli=quality(params), panx=None if number % 5 == 4 else quality(params) / 2)
        for aim in subject.aims:
            subject.tell(number, params, aim.name, outcomes[aim.name])
        told.append(Told(number=number, params=params, outcomes=outcomes))
    return told


@pytest.mark.parametrize("sampler", [name for name in SAMPLERS if name != "grid"])
def test_proposals_are_rounded_repeatable_and_distinct(sampler: str) -> None:
    first, second = run(book(sampler=sampler), 12), run(book(sampler=sampler), 12)
    assert first == second
    assert len({canonical_json(one.params) for one in first}) == 12
    assert run(book(sampler=sampler, seed=4), 3) != first[:3]
    for one in first:
        weights = one.params["weights"]
        assert isinstance(weights, dict)
        assert sum(round(100 * float(weight)) for weight in weights.values()) == 100  # type: ignore[arg-type]
        assert all(weight for weight in weights.values())
        assert float(f"{one.params['learning_rate']:.2e}") == one.params["learning_rate"]


def test_ask_ignores_the_order_of_results_and_the_storage(tmp_path: Path) -> None:
    told = run(book(), 8)
    taken = [one.params for one in told]
    plain = book().ask(8, told, taken)
    assert book(f"sqlite:///{tmp_path}/optuna.db").ask(8, told[::-1], taken) == plain
    assert book().ask(8, told[:-1], taken) != book().ask(9, told[:-1], taken)


def test_tpe_learns_where_random_does_not() -> None:
    best = {
        name: sum(quality(one.params) for one in run(book(sampler=name), 40)[20:]) / 20 for name in ("tpe", "random")
    }
    assert best["tpe"] > best["random"] + 3


def test_unfinished_proposals_steer_the_next_one() -> None:
    told = run(book(), 8)
    taken = [one.params for one in told]
    waiting = book().ask(8, told, taken)
    assert waiting is not None
    assert book().ask(9, told, [*taken, waiting]) is not None


@pytest.mark.parametrize("sampler", ["tpe", "random", "grid", "qmc"])
def test_a_small_space_is_proposed_once_each_and_then_exhausted(sampler: str) -> None:
    subject, taken = book(space=FINITE, sampler=sampler), []
    for number in range(6):
        params = subject.ask(number, [], taken)
        assert params is not None
        taken.append(params)
    assert len({canonical_json(params) for params in taken}) == 6
    assert subject.ask(6, [], taken) is None


def test_qmc_spreads_points_evenly() -> None:
    line = SearchSpace(params={"learning_rate": FloatRange(low=0.0, high=1.0)})
    subject, taken = book(space=line, sampler="qmc"), []
    for number in range(8):
        params = subject.ask(number, [], taken)
        assert params is not None
        taken.append(params)
    assert {int(8 * float(params["learning_rate"])) for params in taken} == set(range(8))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["memory", "sqlite", "journal"])
def test_every_target_hears_of_every_recipe_once(kind: str, tmp_path: Path) -> None:
    url = {"memory": None, "sqlite": f"sqlite:///{tmp_path}/deep/o.db", "journal": f"journal:{tmp_path}/deep/o.log"}[
        kind
    ]
    subject = book(url)
    told = run(subject, 6)
    for one in told:
        for aim, outcome in one.outcomes.items():
            subject.tell(one.number, one.params, aim, outcome)
    if url is not None:
        storage = _storage(url)
        for target in ("xnli", "panx"):
            trials = optuna.load_study(study_name=f"mini/mixed/{target}", storage=storage).trials
            assert sorted(trial.user_attrs["stilts_number"] for trial in trials) == list(range(6))
            states = {trial.user_attrs["stilts_number"]: trial.state.name for trial in trials}
            assert states[4] == ("FAIL" if target == "panx" else "COMPLETE")


def test_of_two_drivers_that_draw_the_same_number_one_is_told_of(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/o.db"
    first, second = book(url, seed=3), book(url, seed=4)
    lost, won = first.ask(0, []), second.ask(0, [])
    assert lost != won and won is not None
    for subject in (first, second, first):
        subject.tell(0, won, "xnli", Outcome(values=(61.0,)))
    trials = optuna.load_study(study_name="mini/mixed/xnli", storage=url).trials
    assert [trial.value for trial in trials if trial.value is not None] == [61.0]
    second.reconcile([Told(number=0, params=won, outcomes=scored(xnli=61.0))])
    assert len(optuna.load_study(study_name="mini/mixed/xnli", storage=url).trials) == 1


def _storage(url: str) -> optuna.storages.BaseStorage:
    if url.startswith("sqlite"):
        return optuna.storages.RDBStorage(url)
    backend = optuna.storages.journal.JournalFileBackend(url.removeprefix("journal:"))
    return optuna.storages.JournalStorage(backend)


@pytest.mark.parametrize("damage", ["none", "running", "missing", "other score", "extra"])
def test_reconcile_makes_the_storage_say_what_the_store_says(damage: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/o.db"
    told = run(book(url), 4)
    taken = [one.params for one in told]
    if damage == "running":
        book(url).ask(4, told, taken)
    if damage == "missing":
        (tmp_path / "o.db").unlink()
    if damage == "other score":
        told[1] = Told(number=1, params=told[1].params, outcomes=scored(xnli=1.5, panx=math.nan))
    if damage == "extra":
        told = told[:3]
    subject = book(url)
    subject.reconcile(told)
    trials = optuna.load_study(study_name="mini/mixed/xnli", storage=url).trials
    assert [trial.value for trial in trials] == [one.outcomes["xnli"].values[0] for one in told]  # type: ignore[index]
    params = subject.ask(4, told, taken)
    assert params == book().ask(4, told, taken)
    assert params is not None
    subject.tell(4, params, "xnli", Outcome(values=(70.0,)))
    assert optuna.load_study(study_name="mini/mixed/xnli", storage=url).trials[-1].value == 70.0


@pytest.mark.parametrize("url", ["sqlite:///{folder}/o.db", "no-such-database://x", "nonsense"])
def test_a_storage_that_cannot_be_used_stops_no_search(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "o.db").write_text("this is no database, but long enough to be read as one" * 20)
    subject = book(url.format(folder=tmp_path))
    subject.reconcile([])
    params = subject.ask(0, [], [])
    assert params is not None and params == book().ask(0, [], [])
    subject.tell(0, params, "xnli", Outcome(values=(70.0,)))
    told = capsys.readouterr().err
    assert told.count("cannot be used") == 1 and "the study goes on without it" in told


def test_bad_settings_are_explained(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match='Did you mean "tpe"'):
        book(sampler="tpee")
    with pytest.raises(InputError, match="continuous"):
        book(sampler="grid")
    with pytest.raises(InputError, match="another search space"):
        book().ask(1, [Told(number=0, params={"learning_rate": 1.0}, outcomes=scored(xnli=1.0))])
