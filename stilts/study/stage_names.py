"""What people call the stages of a study: by the cells that they serve, not by their hashes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from stilts.study.record import Replicate, StudyRecord


def cell_address(row: str, column: str) -> str:
    """How a cell is typed: ``mnli/xnli``. No name of a row or column has a slash in it."""
    return f"{row}/{column}"


def typed_replicate(replicate_id: str) -> str:
    """How a replicate is typed: its id as the store has it, ``mnli>xnli/i0/t1``, without what a shell redirects by."""
    return replicate_id.replace(">", "/", 1)


def stage_names(record: StudyRecord) -> dict[str, str]:
    """Every stage in words, by its id: ``mnli, seed 2``, ``mnli > xnli, seed 2``, ``scores of mnli > xnli, seed 2``.

    A stage that several cells share is called by the first of them. What serves no cell has its kind and task.
    """
    names: dict[str, str] = {}
    for one in record.replicates:
        cell = f"{_recipe(one)} > {one.column}{_seeds(one.intermediate_seed, one.target_seed)}"
        if one.intermediate_stage is not None:
            names.setdefault(one.intermediate_stage, f"{_recipe(one)}{_seeds(one.intermediate_seed)}")
        last, *before = record.target_stages(one) or ("",)
        if last:
            names.setdefault(last, cell)
        for stage in before:
            names.setdefault(stage, f"{record.stages[stage]['name']} before {cell}")
        names.setdefault(one.evaluate_stage, f"scores of {cell}")
        for stage in one.scoring_stages[1:]:
            names.setdefault(stage, f"stressed scores of {cell}")
    return {stage: names.get(stage) or f"{facts['kind']} {facts['name']}" for stage, facts in record.stages.items()}


class NamesNow:
    """The names of a study's stages as its record is now: worked out again where it is another."""

    def __init__(self, record_now: Callable[[], StudyRecord]) -> None:
        self._record_now = record_now
        self._known: tuple[StudyRecord, Mapping[str, str]] | None = None

    def __call__(self) -> Mapping[str, str]:
        """Names by stage id."""
        record = self._record_now()
        if self._known is None or self._known[0] is not record:
            self._known = record, stage_names(record)
        return self._known[1]


def _recipe(replicate: Replicate) -> str:
    number = "" if replicate.proposal is None else f" (proposal {replicate.proposal})"
    return f"{replicate.row}{number}"


def _seeds(*seeds: int | None) -> str:
    known = list(dict.fromkeys(seed for seed in seeds if seed is not None))
    if not known:
        return ""
    return f", seed {known[0]}" if len(known) == 1 else f", seeds {' and '.join(map(str, known))}"
