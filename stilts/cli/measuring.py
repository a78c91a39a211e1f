"""What is measured of a study's languages beside its scores: tokens per word under its tokenizer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stilts.cli.compose import Workspace
from stilts.fingerprint import digest
from stilts.ledger.records import FERTILITY, FertilityRecord, LanguageFertility
from stilts.store.store import Store
from stilts.tasks.kind import TaskKind
from stilts.tasks.view import DataView

if TYPE_CHECKING:
    from stilts.data.fertility import Fertility


def study_tokenizer(workspace: Workspace) -> Any:
    """The ``tokenizers.Tokenizer`` of the study's encoder."""
    from tokenizers import Tokenizer

    from stilts.data.tokenizing import read_tokenizer
    from stilts.execute.inputs import encoder_folder
    from stilts.training.run_config import RunConfig

    planner = workspace.planner
    if planner.pretraining is not None:
        from stilts.data.toy import toy_tokenizer_json

        return Tokenizer.from_str(toy_tokenizer_json())
    return read_tokenizer(encoder_folder(planner.encoder, RunConfig(roots=workspace.roots)) / "tokenizer.json")


def keep_fertility(workspace: Workspace, store: Store) -> None:
    """Writes the record ``studies/<name>/fertility``, for the language lens, where languages are not measured yet."""
    from stilts.data.fertility import joined, measured_fertility

    name = workspace.study.name
    tokenizer = digest(workspace.planner.encoder.payload())
    stored = FERTILITY.known(store, name)
    views = _report_views(workspace)
    wanted = {language for by_language in views.values() for language in by_language}
    if stored is not None and stored.tokenizer == tokenizer and wanted <= stored.languages.keys():
        return
    read = study_tokenizer(workspace)
    parts = [measured_fertility(by_language, read, workspace.roots) for by_language in views.values()]
    FERTILITY.write(store, FertilityRecord(tokenizer=tokenizer, languages=fertility_lines(joined(parts))), name)


def fertility_lines(measured: Mapping[str, Fertility]) -> dict[str, LanguageFertility]:
    """By language; one whose words cannot be told has no ratio, and a reason."""
    ratios = {code: item.tokens_per_word for code, item in measured.items()}
    return {
        code: LanguageFertility(
            tokens=item.tokens,
            words=item.words,
            source=item.source,
            tokens_per_word=None if ratios[code] is None else round(float(str(ratios[code])), 4),
            reason=item.reason,
        )
        for code, item in measured.items()
    }


def _report_views(workspace: Workspace) -> Mapping[TaskKind, dict[str, list[DataView]]]:
    """The views that targets are scored on, by kind and language."""
    found: dict[TaskKind, dict[str, list[DataView]]] = {}
    for column in workspace.study.columns:
        target = workspace.planner.target(column)
        for view in target.views.report:
            found.setdefault(target.task.kind, {}).setdefault(view.language, []).append(view)
    return found
