"""What is measured of a study's languages beside its scores: tokens per word under its tokenizer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stilts.cli.compose import Workspace
from stilts.fingerprint import digest
from stilts.store.store import Store
from stilts.tasks.task import Kind
from stilts.tasks.view import DataView


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
    from stilts.data.fertility import fertility_record, joined, measured_fertility

    name = f"studies/{workspace.study.name}/fertility"
    tokenizer = digest(workspace.planner.encoder.payload())
    stored = store.read_record(name)
    views = _report_views(workspace)
    wanted = {language for by_language in views.values() for language in by_language}
    if isinstance(stored, dict) and stored.get("tokenizer") == tokenizer:
        languages = stored.get("languages")
        if isinstance(languages, dict) and wanted <= languages.keys():
            return
    read = study_tokenizer(workspace)
    parts = [measured_fertility(by_language, kind, read, workspace.roots) for kind, by_language in views.items()]
    store.write_record(name, fertility_record(tokenizer, joined(parts)))


def _report_views(workspace: Workspace) -> Mapping[Kind, dict[str, list[DataView]]]:
    """The views that targets are scored on, by kind and language."""
    found: dict[Kind, dict[str, list[DataView]]] = {}
    for column in workspace.study.columns:
        target = workspace.planner.target(column)
        for view in target.views.report:
            found.setdefault(target.task.kind, {}).setdefault(view.language, []).append(view)
    return found
