"""docs/: what is made from the package is as the package is, every field is explained, and links lead somewhere."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from stilts.analysis.glance import SHARES_DATA, Verdict
from stilts.report.sections.first_table import first_table
from stilts.study import claims_schema, mixture_schema, policy_schema, schema, search_schema
from stilts.study.field_types import anchor
from stilts.study.overlay import StudyFiles
from stilts.study.reference import field_groups, field_notes, markdown
from stilts.study.schema_part import SchemaPart
from stilts.study.study import Study
from stilts.tasks.kinds import known_kinds
from stilts.tasks.option import check_options
from tests.docs.generated import DOCS, PAGES, parts

REMADE = os.environ.get("STILTS_GOLDEN") == "write"
MODULES = (schema, search_schema, mixture_schema, policy_schema, claims_schema)
CLASSES: dict[str, type[SchemaPart]] = {
    name: value
    for module in MODULES
    for name, value in vars(module).items()
    if isinstance(value, type) and issubclass(value, SchemaPart) and value is not SchemaPart and name[0] != "_"
}
FIELDS = [(part, name) for part, value in CLASSES.items() for name in value.model_fields]


@pytest.mark.parametrize("page", PAGES)
def test_what_is_generated_is_as_the_package_is(page: str) -> None:
    path = DOCS / page
    before, between, after = parts(path.read_text(encoding="utf-8"))
    made = PAGES[page](path.read_text(encoding="utf-8"))
    if REMADE:
        path.write_text(before + made + after, encoding="utf-8")
        between = made
    assert between == made, "STILTS_GOLDEN=write pytest tests/docs writes it anew"


def test_every_field_of_the_schema_is_explained_and_no_other() -> None:
    told = [(part, name) for part, note in field_notes().items() for name in note["fields"]]
    assert sorted(told) == sorted(FIELDS)
    assert all(line.about and line.type for group in field_groups() for line in group.lines)


@pytest.mark.parametrize(("part", "name"), FIELDS)
def test_an_example_is_what_the_field_takes(part: str, name: str) -> None:
    assert faults(CLASSES[part], {name: field_notes()[part]["fields"][name]["example"]}, name) == []


def test_a_wrong_example_would_be_found() -> None:
    assert faults(CLASSES["Train"], {"steps": 1.5}, "steps") and faults(CLASSES["Subset"], {"count": 0}, "count")


def faults(part: type[SchemaPart], given: dict[str, Any], name: str) -> list[str]:
    """What is wrong with one field, whatever the others are."""
    try:
        part.model_validate(given)
    except ValidationError as error:
        return [each["msg"] for each in error.errors() if each["loc"][:1] == (name,)]
    return []


def test_defaults_are_those_that_hold() -> None:
    lines = {(group.part, line.name): line for group in field_groups() for line in group.lines}
    assert lines["Train", "learning_rate"].default == "`1e-5`" and lines["Encoding", "max_length"].default == "`256`"
    assert lines["Train", "keep"].default == "`last`" and lines["Train", "steps"].default == "-"
    assert lines["StudyFile", "name"].default == "**must be given**"
    assert lines["Encoding", "batch_size"].type == "a whole number from 1 to 65,536"
    assert lines["Encoding", "mask_frac"].type == "a number above 0 below 1"
    assert lines["Search", "when"].type.endswith("[a range in when](#a-range-in-when), or a list of numbers")


def test_studies_of_the_page_are_studies_and_the_smallest_stands_first() -> None:
    page = (DOCS / "study_file.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    studies = [Study.parse(block, DOCS / "x.yaml") for block in blocks if "\ndata:" in block]
    given = [len(study.file.model_fields_set) for study in studies]
    assert len(studies) == 2 and given[0] < 8 < given[1]
    assert page.index(blocks[0]) < page.index("## ", page.index("# ") + 2) + 400


def test_all_else_on_the_page_lies_over_a_study(tmp_path: Path) -> None:
    page = (DOCS / "study_file.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    parts = [block for block in blocks if "\ndata:" not in block]
    below = "data: {source: hub}\nintermediates: {mnli: , squad: }\ntargets: {xnli: , panx: , udpos: }\n"
    (tmp_path / "below.yaml").write_text(f"name: x\nencoder: {{hub: some/encoder}}\n{below}")
    for part in parts:
        (tmp_path / "over.yaml").write_text(part)
        files = StudyFiles.of(str(tmp_path / "below.yaml"), [tmp_path / "over.yaml"])
        for encoder in files.encoders or (None,):
            assert Study.load(files, encoder=encoder).changes
    assert len(parts) > 1


def test_what_a_real_encoder_wants_is_a_study_with_the_rest() -> None:
    page = (DOCS / "add_a_task.md").read_text(encoding="utf-8").partition("## From a toy")[2]
    (block,) = re.findall(r"^```yaml\n(.*?)^```", page.partition("\n## ")[0], flags=re.MULTILINE | re.DOTALL)
    rest = "name: x\ndata: {source: hub}\nintermediates: {none: }\ntargets: {xnli: }\n"
    assert Study.parse(block + rest, DOCS / "x.yaml").file.encoder.hub


def test_every_option_of_every_reader_stands_in_the_page() -> None:
    page = (DOCS / "add_a_task.md").read_text(encoding="utf-8")
    for reader, (_, form) in known_kinds().formats().items():
        for option in form.options:
            assert f"| `{reader}` | `{option.name}` | {option.values} |" in page, (reader, option.name)


def test_readers_of_the_page_take_the_options_that_it_gives_them() -> None:
    page = (DOCS / "add_a_task.md").read_text(encoding="utf-8")
    given = re.findall(r"^\| [^\n]+ \| `(\w+)` \| `(\{.*?\})`", page.partition("## Kinds")[0], flags=re.MULTILINE)
    assert len(given) == 6
    for reader, options in given:
        check_options(reader, yaml.safe_load(options), known_kinds().formats()[reader][1].all_options)


def test_every_verdict_of_a_report_is_explained_to_a_first_reader() -> None:
    page = (DOCS / "first_answer.md").read_text(encoding="utf-8")
    assert [word for word in Verdict if f"| *{word}* |" not in page] == []
    assert f"*{SHARES_DATA}*" in page
    columns = re.findall(r"<th scope[^>]*>(.*?)</th>", first_table([]))
    assert len(columns) == 7 and [name for name in columns if f"| **{name}" not in page] == []


def test_each_decision_is_listed_once_at_the_top() -> None:
    page = (DOCS / "decisions.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (\d+)\. (.+)$", page, flags=re.MULTILINE)
    assert [int(number) for number, _ in headings] == list(range(1, len(headings) + 1))
    listed = re.findall(r"^\* \[(\d+)\. (.+)\]\(#", page.partition("\n## ")[0], flags=re.MULTILINE)
    assert listed == headings


@pytest.mark.parametrize("path", sorted([*DOCS.glob("*.md"), *DOCS.parent.glob("*.md")]), ids=lambda path: path.name)
def test_links_of_a_page_lead_somewhere(path: Any) -> None:
    for place, mark in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)]+))?\)", path.read_text(encoding="utf-8")):
        target = (path.parent / place) if place else path
        assert target.exists(), place
        if mark and target.suffix == ".md":
            assert mark in anchors(target.read_text(encoding="utf-8")), f"{place}#{mark}"


def anchors(page: str) -> set[str]:
    return {anchor(heading) for heading in re.findall(r"^#+ (.+)$", page, flags=re.MULTILINE)}


def test_the_module_prints_what_the_page_shows() -> None:
    assert markdown() in (DOCS / "study_file.md").read_text(encoding="utf-8")
