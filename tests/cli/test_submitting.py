"""Right answers from a study's data, for evaluations that were stored without them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from stilts.cli.compose import Workspace, assemble
from stilts.cli.submitting import _DataTruths
from stilts.data.load import load_examples
from stilts.errors import StudyError
from stilts.study.record import Replicate
from stilts.study.study import Study
from stilts.tasks.example import Example
from tests.analysis.fake_store import column, replicate
from tests.e2e.studies import tiny_study


def predicted(workspace: Workspace, name: str) -> tuple[Replicate, Sequence[Example]]:
    """A replicate of the target whose key is that of the study's toy data, and its examples in qaa."""
    (view,) = (view for view in workspace.planner.target(name).views.report if view.language == "qaa")
    made = replicate("none", column(name, languages=("qaa",)), None, 1)
    outputs = {"report": {"qaa": f"{made.evaluate_stage}/report.qaa-{view.digest[:8]}"}}
    fields = {name: getattr(made, name) for name in made.__dataclass_fields__}
    return Replicate(**{**fields, "outputs": outputs}), load_examples(view, workspace.roots)


def test_the_labels_of_the_examples_that_were_predicted(tmp_path: Path) -> None:
    file = tiny_study(tmp_path)
    workspace = assemble(Study.load(str(file)))
    truths = _DataTruths(study=str(file))
    made, examples = predicted(workspace, "xnli")
    items = [example.item for example in examples]
    assert len(items) == 24 and truths.of(made, "qaa", items) == tuple(each.label for each in examples)  # type: ignore[union-attr]
    made, examples = predicted(workspace, "udpos")
    found = truths.of(made, "qaa", [example.item for example in examples])
    assert found == tuple(" ".join(each.tags or ()) for each in examples)  # type: ignore[union-attr]


def test_data_that_are_not_those_of_the_evaluation_are_refused(tmp_path: Path) -> None:
    file = tiny_study(tmp_path)
    made, examples = predicted(assemble(Study.load(str(file))), "xnli")
    items = [example.item for example in examples]
    other = tiny_study(tmp_path, name="other", targets={"xnli": {"languages": ["en", "qaa"], "limits": {"report": 5}}})
    for study, asked in ((file, items[::-1]), (other, items)):
        with pytest.raises(StudyError, match="not those that it was made on"):
            _DataTruths(study=str(study)).of(made, "qaa", asked)
