"""The model card: what the study found of the model and what limits it, licences united, how to make it again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard

from stilts.analysis.best import answers_of
from stilts.analysis.glance import verdict_of
from stilts.analysis.results import StudyResults
from stilts.report.licences import Strictness, hub_licence, strictest, strictness
from stilts.report.model_card import CardModel, model_card, training_data
from stilts.study.record import Replicate, Row, StudyRecord
from stilts.tasks.registry import default_registry
from tests.analysis.fake_store import FakeStore, column, evaluate, record, replicate

KNOWN = {
    "training_data": {"mnli": ["multinli"], "squad": ["squad"], "xnli": ["multinli"], "udpos": ["udpos"]},
    "datasets": {
        "multinli": {"licence": "OANC and others, see the paper", "domain": "many", "source": "files"},
        "squad": {"licence": "CC BY-SA 4.0", "domain": "Wikipedia", "source": "hub"},
        "udpos": {"licence": "CC BY 4.0", "domain": "many", "source": "files"},
    },
}
GOOD = {"en": 72.0, "de": 70.0, "sw": 40.0, "zh": 71.0}


def study(
    folder: Path, row: Row | None = None, *, proposal: int | None = None, **changes: Any
) -> tuple[StudyResults, Replicate]:
    """``none`` at 60 everywhere and a row that gains in all languages but Swahili; its replicate on udpos."""
    store = FakeStore(folder)
    row = row or Row(name="squad", mixture={"squad": 1.0})
    targets = [column("udpos"), column("xnli")]
    items = [replicate("none", target, None, seed) for target in targets for seed in (0, 1)]
    own = [replicate(row.name, target, 0, seed, proposal) for target in targets for seed in (0, 1)]
    for item in items:
        evaluate(store, item, 60.0)
    for item in own:
        evaluate(store, item, 65.0, languages=GOOD if item.column == "udpos" else None)
    made = record([Row(name="none"), row], targets, [*items, *own], **{**KNOWN, "text": "name: study\n", **changes})
    if proposal is not None:
        params = {"learning_rate": 1e-4, "weights": {"mnli": 0.0, "squad": 1.0}}
        store.notes[f"studies/study/proposals/{row.name}/{proposal:04d}"] = {"number": proposal, "params": params}
    return StudyResults(record=made, store=store, draws=100), own[1]  # type: ignore[arg-type]


def card_of(results: StudyResults, item: Replicate) -> str:
    return model_card(results, CardModel(replicate=item, stage=item.target_stage, rebuild="stilts export it"))


def front_matter(card: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(card.split("\n---\n")[0].removeprefix("---\n"))
    return found


@pytest.fixture
def made(tmp_path: Path) -> tuple[StudyResults, Replicate]:
    return study(tmp_path)


def test_the_hub_can_read_the_front_matter(made: tuple[StudyResults, Replicate]) -> None:
    card = card_of(*made)
    data = ModelCard(card).data
    assert (data.license, data.pipeline_tag, data.base_model) == ("cc-by-sa-4.0", "text-classification", "toy")
    assert data.language == ["en", "de", "sw", "zh"] and data.datasets == ["squad", "udpos"]
    assert data.eval_results is not None
    assert data.eval_results[0].metric_value == pytest.approx(sum(GOOD.values()) / 4, abs=0.2)
    assert "\n---\n\n# study: squad > udpos" in card


def test_the_matrix_row_stands_with_gains_and_intervals(made: tuple[StudyResults, Replicate]) -> None:
    results, item = made
    card = card_of(results, item)
    for target in ("udpos", "xnli"):
        gain = results.gain("squad", target)
        assert gain is not None
        line = next(x for x in card.splitlines() if x.strip("| *").startswith(target) and "accuracy" in x)
        assert f"| {gain.estimate:+.1f} | {gain.low:+.1f} to {gain.high:+.1f} | 2 of 2 |" in line
    assert "This folder holds one replicate, `squad>udpos/i0/t1`" in card


def test_languages_hurt_are_named(made: tuple[StudyResults, Replicate]) -> None:
    card = card_of(*made)
    assert "**Languages hurt** (gain below 0 at a false discovery rate of 5 %): Swahili (sw) (-20.0)." in card
    hurt = [line for line in card.splitlines() if line.endswith("| hurt |")]
    assert len(hurt) == 1 and hurt[0].startswith("| Swahili (sw) | 40.0 | -20.0 |")


def test_the_row_none_has_no_gains_and_says_so(tmp_path: Path) -> None:
    results, _ = study(tmp_path)
    none = next(item for item in results.record.replicates if item.row == "none")
    card = card_of(results, none)
    assert "Gains by language are not known: the row is `none` itself" in card
    assert [item.name for item in training_data(results, none)] == ["udpos"]


def test_what_limits_the_figures_is_said(tmp_path: Path) -> None:
    overlaps = (("squad", "udpos", "squad trains on the English training data of udpos"),)
    results, item = study(tmp_path, overlaps=overlaps, toy=True)
    for each in results.record.replicates:
        if each.row == "squad" and each.column == "xnli":
            evaluate_again(results, each, 34.0)
    results = replace(results)  # read anew
    told = card_of(results, item)
    assert "overlap: squad trains on the English training data of udpos" in told
    assert "**toy: data and encoder are toys" in told
    near = next(each for each in results.record.replicates if (each.row, each.column) == ("squad", "xnli"))
    guessing = card_of(results, near)
    assert "Near chance (33.3): read nothing into the differences." in guessing
    assert "no language is said to be hurt or helped" in guessing and "| hurt |" not in guessing


def test_the_card_of_the_row_that_was_picked_says_what_the_study_says_of_it(
    made: tuple[StudyResults, Replicate],
) -> None:
    results, item = made
    answers = {answer.target: answer for answer in answers_of(results)}
    for each in results.record.replicates:
        told = "The study's verdict on this row: " in card_of(results, each)
        assert told == (answers[each.column].row == each.row)
    assert f"- The study's verdict on this row: {verdict_of(answers[item.column])}" in card_of(results, item)


def evaluate_again(results: StudyResults, item: Replicate, score: float) -> None:
    """Other scores for a replicate, before anything was read."""
    import shutil

    store = results.store
    assert isinstance(store, FakeStore)
    for outputs in item.outputs.values():
        for key in outputs.values():
            shutil.rmtree(store.root / key)
    evaluate(store, item, score)


def test_lineage_seeds_versions_and_the_command_are_there(made: tuple[StudyResults, Replicate]) -> None:
    results, item = made
    store = results.store
    assert isinstance(store, FakeStore) and item.target_stage is not None
    store.train(item.target_stage, seconds=5.0)
    store.payloads[item.target_stage]["encoder"] = {"fingerprint": "sha256:abc", "tokenizer": "sha256:def"}
    store.results[item.target_stage]["execution"] = {"versions": {"torch": "2.13.0"}}
    card = card_of(results, item)
    places = [card.index(f"`{stage}`") for stage in (item.intermediate_stage, item.target_stage, item.evaluate_stage)]
    assert places == sorted(places)
    assert "- seeds: intermediate 0, target 1" in card
    assert "- encoder fingerprint: `sha256:abc`" in card
    assert "trained with torch 2.13.0" in card
    assert "```sh\nstilts export it\n```" in card


def test_a_searched_row_counts_only_what_its_proposal_weighs(tmp_path: Path) -> None:
    row = Row(name="mix", mixture={"mnli": 0.0, "squad": 0.0}, searched=True, num_proposals=3)
    results, item = study(tmp_path, row, proposal=2)
    assert [each.name for each in training_data(results, item)] == ["squad", "udpos"]
    card = card_of(results, item)
    assert "intermediate `mix` (squad 1.0)" in card
    assert "- proposal 2 of the search: {'learning_rate': 0.0001" in card


# --- licences ---


def test_an_unknown_licence_is_the_strictest_and_is_explained(tmp_path: Path) -> None:
    results, item = study(tmp_path, Row(name="mnli", mixture={"mnli": 1.0}))
    card = card_of(results, item)
    assert "at least as the strictest of them: **unknown** (OANC and others, see the paper)." in card
    assert "What is unknown counts as the strictest" in card
    assert front_matter(card)["license"] == "unknown"


def test_a_dataset_that_is_used_twice_is_listed_once(tmp_path: Path) -> None:
    results, _ = study(tmp_path, Row(name="mnli", mixture={"mnli": 1.0}))
    item = next(each for each in results.record.replicates if (each.row, each.column) == ("mnli", "xnli"))
    found = training_data(results, item)
    assert [(each.name, each.used_for) for each in found] == [("multinli", "intermediate mnli; target xnli, English")]


def test_records_of_before_are_completed_from_the_catalogue(tmp_path: Path) -> None:
    results, item = study(tmp_path, training_data={}, datasets={}, settings={"data": {"source": "files"}})
    by_name = {each.name: each for each in training_data(results, item)}
    known = default_registry().dataset(next(name for name in by_name if name.startswith("squad")))
    assert by_name[known.name].licence == known.licence
    own_task = replace(results.record.columns[0], task="task_of_a_file")
    changed = replace_columns(results.record, own_task)
    found = training_data(StudyResults(record=changed, store=results.store), item)
    assert strictness(found[-1].licence) is Strictness.UNKNOWN and "task_of_a_file" in found[-1].name


def replace_columns(made: StudyRecord, first: Any) -> StudyRecord:
    return replace(made, columns=(first, *made.columns[1:]))


def test_toy_data_are_ours(tmp_path: Path) -> None:
    datasets = {name: {**fields, "source": "toy"} for name, fields in KNOWN["datasets"].items()}  # type: ignore[attr-defined]
    pretraining = {"": ["plain"], **KNOWN["training_data"]}  # type: ignore[dict-item]
    datasets["plain"] = {"licence": "unknown", "domain": "", "source": "toy"}
    results, item = study(tmp_path, toy=True, datasets=datasets, training_data=pretraining)
    assert training_data(results, item)[0].used_for == "pretraining of the encoder"
    assert front_matter(card_of(results, item))["license"] == "apache-2.0"


@pytest.mark.parametrize(
    ("licence", "expected", "hub"),
    [
        ("CC0 1.0", Strictness.PUBLIC_DOMAIN, "cc0-1.0"),
        ("MIT", Strictness.PERMISSIVE, "mit"),
        ("Apache-2.0", Strictness.PERMISSIVE, "apache-2.0"),
        ("BSD 2-clause", Strictness.PERMISSIVE, "bsd-2-clause"),
        ("CC BY 4.0", Strictness.PERMISSIVE, "cc-by-4.0"),
        ("CC BY 2.0 FR", Strictness.PERMISSIVE, "other"),
        ("CC BY-SA 3.0", Strictness.SHARE_ALIKE, "cc-by-sa-3.0"),
        ("that of Wikipedia", Strictness.SHARE_ALIKE, "other"),
        ("CC BY-NC 4.0", Strictness.NON_COMMERCIAL, "cc-by-nc-4.0"),
        ("CC BY-NC-SA 4.0", Strictness.NON_COMMERCIAL, "cc-by-nc-sa-4.0"),
        ("per treebank, several non-commercial", Strictness.NON_COMMERCIAL, "other"),
        ("CC BY-NC-ND 4.0", Strictness.NO_DERIVATIVES, "cc-by-nc-nd-4.0"),
        ("Quora's terms", Strictness.UNKNOWN, "unknown"),
        ("free, see the release", Strictness.UNKNOWN, "unknown"),
        ("a word that nobody knows", Strictness.UNKNOWN, "unknown"),
    ],
)
def test_licences_are_read(licence: str, expected: Strictness, hub: str) -> None:
    assert strictness(licence) is expected
    assert hub_licence(licence) == hub


def test_the_strictest_are_all_named() -> None:
    assert strictest(["MIT", "CC BY-SA 3.0", "CC BY-SA 4.0"]) == (
        Strictness.SHARE_ALIKE,
        ("CC BY-SA 3.0", "CC BY-SA 4.0"),
    )
    assert strictest(["MIT", "x"])[0] is Strictness.UNKNOWN
    assert strictest([])[0] is Strictness.PERMISSIVE


def test_every_licence_of_the_catalogue_is_classified_on_purpose() -> None:
    """A licence that is new to the catalogue must be looked at: those read as unknown are listed here."""
    unknown = {d.licence for d in default_registry().datasets() if strictness(d.licence) is Strictness.UNKNOWN}
    assert unknown <= {
        "unknown",
        "OANC and others, see the paper",
        "CC BY-NC 4.0 (XNLI), OANC and others (MultiNLI)",
        "free, see the release",
        "free for research, see the release",
        "Quora's terms",
    }


def test_a_recipe_whose_proposal_lists_no_weights_is_shown_with_the_recorded_shares(tmp_path: Path) -> None:
    row = Row(name="found", mixture={"mnli": 0.0, "squad": 0.0}, searched=True, num_proposals=4)
    results, item = study(tmp_path, row, proposal=3)
    assert item.intermediate_stage is not None
    stages = dict(results.record.stages)
    stages[item.intermediate_stage] = {**stages[item.intermediate_stage], "mixture": {"mnli": 0.9, "squad": 0.1}}
    results = StudyResults(record=replace(results.record, stages=stages), store=results.store, draws=100)
    assert "`found` (mnli 0.9, squad 0.1)" in card_of(results, item)
    assert {data.name for data in training_data(results, item)} == {"multinli", "squad", "udpos"}
