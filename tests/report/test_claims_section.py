"""The report's claims: a sentence and a line for each, with what the results say of it."""

from __future__ import annotations

from pathlib import Path

from stilts.report.sections.claims import claims_section
from stilts.report.sections.material import Material
from tests.analysis.fake_store import column
from tests.analysis.studies import finished

SCORES = {column("xnli"): {"none": 50.0, "mnli": 75.0, "squad": 50.0}}
CLAIMS = [
    {"name": "helps", "text": "MNLI <first> helps", "gain": {"row": "mnli"}, "above": 0},
    {"name": "harms", "gain": {"row": "mnli"}, "below": 0},
    {"name": "squad_helps", "gain": {"row": "squad"}, "above": 0},
    {"name": "later", "gain": {"row": "mnli", "languages": ["xx"]}},
]


def test_each_claim_has_a_sentence_and_a_line_with_its_verdict(tmp_path: Path) -> None:
    section = claims_section(Material(results=finished(tmp_path, SCORES, settings={"claims": CLAIMS})))

    assert section is not None
    page = "".join(section.body)
    assert "MNLI &lt;first&gt; helps: helps is supported: +25" in page
    table = section.tables["claims"].set_index("name")
    assert list(table["standing"]) == ["supported", "not supported", "undecided", "undecided"]
    assert table.loc["squad_helps", "smallest_visible"] > 0
    assert "no target is scored in xx" in page


def test_a_study_without_claims_has_no_such_section(tmp_path: Path) -> None:
    assert claims_section(Material(results=finished(tmp_path, SCORES))) is None
