"""kill -9 of workers and of the driver, at random moments and inside writes; the same command again finishes.

Each kill is placed as ``tests/e2e/killing.py`` says. The moments inside a write are exact, so each one hits: the
process dies before or after the hard link that makes a checkpoint or an artifact whole, or half-way through copying a
file of a checkpoint. Which process dies, when and in which order is drawn from a seed and printed.
"""

from __future__ import annotations

import json
from pathlib import Path

import optuna
import pytest

from stilts.fingerprint import canonical_json
from stilts.store.store import Store
from tests.e2e.killing import KilledRun, done_files, random_kills, run_and_kill
from tests.e2e.studies import opened, scores, stilts, tiny_study
from tests.e2e.watching import counted_steps, resumed_steps

pytestmark = pytest.mark.slow
OFTEN = ("--checkpoint-every", "0.2", "--keep-weights")


def test_a_study_killed_ten_times_has_the_scores_and_weights_of_an_undisturbed_one(tmp_path: Path) -> None:
    study = tiny_study(
        tmp_path / "study",
        defaults={
            "intermediate": {"steps": 160, "learning_rate": 1e-3, "limit": 64},
            "target": {"steps": 100, "learning_rate": 1e-3, "limit": 64},
            "encoding": {"max_length": 96, "batch_size": 8, "layer": 1},
            "limits": {"select": 24, "report": 24},
        },
        replicates={"default": {"count": 2}},
    )
    (tmp_path / "undisturbed").mkdir()
    (tmp_path / "killed").mkdir()
    undisturbed, killed = opened(tmp_path / "undisturbed" / "store"), opened(tmp_path / "killed" / "store")
    first = stilts(
        "run", study, "--store", undisturbed.url, "--tracking-uri", "none", *OFTEN, cwd=tmp_path / "undisturbed"
    )
    assert first.returncode == 0, first.stderr

    wanted = [("worker", "any time")] * 2 + [("worker", "checkpoint")] * 2 + [("worker", "publish")] * 2
    wanted += [("driver", "any time")] * 2 + [("driver", "checkpoint"), ("driver", "publish")]
    happened = run_and_kill(study, killed, tmp_path / "killed", random_kills(20260728, wanted), *OFTEN)
    print(*happened.log, sep="\n")

    _finished(happened, kills=10)
    assert happened.count(who="worker") >= 3 and happened.count(who="driver") >= 3
    assert happened.count(when="checkpoint") == 3 and happened.count(when="publish") == 3
    assert killed.done() == undisturbed.done()
    assert scores(killed) == scores(undisturbed)
    assert _examples(killed) == _examples(undisturbed)
    assert _weights(killed) == _weights(undisturbed)
    _only_unfinished_work_was_done_again(happened, killed)
    assert any(step > 0 for step in resumed_steps(tmp_path / "killed" / "watch")), "no stage went on from a checkpoint"
    planned = sum(int(str(killed.result(key)["steps"])) for key in killed.done() if "/" not in key)
    print(f"{counted_steps(tmp_path / 'killed' / 'watch')} optimizer steps for {planned} planned")


def test_a_search_killed_three_times_counts_every_proposal_once(tmp_path: Path) -> None:
    search = {
        "proposals": 4,
        "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
        "weights": ["mnli", "hellaswag"],
    }
    study = tiny_study(tmp_path / "study", name="searched", intermediates={"none": None, "mix": {"search": search}})
    (tmp_path / "undisturbed").mkdir()
    (tmp_path / "killed").mkdir()
    undisturbed, killed = opened(tmp_path / "undisturbed" / "store"), opened(tmp_path / "killed" / "store")
    first = stilts(
        "run", study, "--store", undisturbed.url, "--tracking-uri", "none", *OFTEN, cwd=tmp_path / "undisturbed"
    )
    assert first.returncode == 0, first.stderr
    wanted = [("driver", "any time"), ("driver", "publish"), ("driver", "checkpoint")]
    happened = run_and_kill(study, killed, tmp_path / "killed", random_kills(7, wanted), *OFTEN)
    print(*happened.log, sep="\n")

    _finished(happened, kills=3)
    both = undisturbed.done() & killed.done()
    assert any("/" in key for key in both)
    ours, theirs = scores(killed), scores(undisturbed)
    assert {key: ours[key] for key in both if "/" in key} == {key: theirs[key] for key in both if "/" in key}
    _only_unfinished_work_was_done_again(happened, killed)
    for store in (undisturbed, killed):
        proposals = {name: store.read_record(name) for name in store.records("studies/searched/proposals/mix")}
        numbers = [proposal["number"] for _, proposal in sorted(proposals.items())]  # type: ignore[index,call-overload]
        assert numbers == [0, 1, 2, 3]
        params = {canonical_json(proposal["params"]) for proposal in proposals.values()}  # type: ignore[index,call-overload]
        assert len(params) == 4, "a recipe was proposed twice"
        _each_counts_once(store)


def _finished(happened: KilledRun, *, kills: int) -> None:
    assert happened.status == 0, happened.said
    assert len(happened.placed) == kills, "the study was over before all kills were placed"
    assert not happened.orphans, "processes outlived their driver"
    assert not json.loads(happened.said[happened.said.rindex("\n{") :])["failed"]


def _only_unfinished_work_was_done_again(happened: KilledRun, store: Store) -> None:
    """What was done at any kill is the same publication at the end, and nothing torn is left in its place."""
    at_the_end = done_files(store)
    for before in happened.finished_before:
        assert before.items() <= at_the_end.items()
    assert not store.progress_sizes(), "checkpoints of finished stages are left"
    assert not store.leased()


def _each_counts_once(store: Store) -> None:
    storage = f"sqlite:///{store.url}/optuna.db"
    for target in ("xnli", "udpos"):
        trials = optuna.load_study(study_name=f"searched/mix/{target}", storage=storage).get_trials()
        assert sorted(trial.user_attrs["stilts_number"] for trial in trials) == [0, 1, 2, 3]
        assert {trial.state for trial in trials} == {optuna.trial.TrialState.COMPLETE}


def _examples(store: Store) -> dict[str, bytes]:
    return {key: (store.fetch(key) / "examples.parquet").read_bytes() for key in store.done() if "/" in key}


def _weights(store: Store) -> dict[str, bytes]:
    found = {}
    for key in store.done():
        if "/" not in key and not store.gone(key):
            found |= {f"{key}/{path.name}": path.read_bytes() for path in store.fetch(key).glob("*.safetensors")}
    assert found
    return found
