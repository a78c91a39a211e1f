"""Classification below torch: one text or two, with one label."""

from __future__ import annotations

from dataclasses import dataclass

from stilts.metrics.classification import accuracy_rows
from stilts.metrics.metric import metric
from stilts.tasks.example import Example, TextPairExample
from stilts.tasks.hub_row import HubRow
from stilts.tasks.kind import Format, PlainUse, Scoring, TaskKind
from stilts.tasks.labels import at_least_two


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationExample(TextPairExample):
    """One text, or a pair of texts, with a label; ``label`` is None where the release has none."""

    label: str | None = None

    label_field = "label"

    def truth(self, place: int) -> str | None:
        """The label."""
        return self.label


def _hub_row(row: HubRow) -> Example:
    return ClassificationExample(
        item=row.item, text=row.text("text"), text_pair=row.second_text(), label=row.name(row.get("label"))
    )


_PAIRS, _DOMAINS = "stilts.data.readers.pairs", "stilts.data.readers.domains"
CLASSIFICATION = TaskKind(
    name="classification",
    module=__name__,
    learning="stilts.kinds.classification",
    about="one text or two, one label",
    scored_by=(
        Scoring(
            measure=metric("accuracy"),
            again=lambda truths, said, language: accuracy_rows(truths, said),
            is_whole=True,
        ),
    ),
    hub_row=_hub_row,
    formats={
        "text_tsv": Format(reader=f"{_PAIRS}:read_text_tsv", holds="text TAB label, no header"),
        "pair_tsv": Format(reader=f"{_PAIRS}:read_pair_tsv", holds="text TAB text TAB label, no header"),
        "nli_jsonl": Format(reader=f"{_PAIRS}:read_nli_jsonl", holds="gold_label, sentence1, sentence2 per line"),
        "anli_jsonl": Format(
            reader=f"{_PAIRS}:read_anli_jsonl",
            holds="uid, context, hypothesis, label e/n/c per line",
            global_items=True,
        ),
        "nli_releases_jsonl": Format(
            reader=f"{_PAIRS}:read_nli_releases_jsonl", holds="lines of SNLI, MultiNLI or ANLI, whichever each file has"
        ),
        "pair_jsonl": Format(
            reader=f"{_PAIRS}:read_pair_jsonl", holds="two texts and a label per line, by named fields"
        ),
        "nli_csv": Format(reader=f"{_PAIRS}:read_nli_csv", holds="CSV with premise, hypothesis, label"),
        "glue_tsv": Format(reader=f"{_PAIRS}:read_glue_tsv", holds="GLUE's TSV with a header"),
        "pubmedqa_json": Format(
            reader=f"{_DOMAINS}:read_pubmedqa_json", holds="PubMedQA's JSON, by PubMed id", global_items=True
        ),
        "contract_nli_json": Format(reader=f"{_DOMAINS}:read_contract_nli_json", holds="ContractNLI's JSON"),
    },
    plain=PlainUse(
        auto_class="AutoModelForSequenceClassification",
        pipeline="text-classification",
        pipeline_class="TextClassificationPipeline",
        asking="""\
batch = tokenizer("A first text.", "A second, for tasks on pairs.", return_tensors="pt")
print(model.config.id2label[model(**batch).logits.argmax(-1).item()])""",
    ),
    check_labels=at_least_two,
    labels_in=lambda answer: [answer],
    has_linear_labels=True,
    submission=frozenset({"LABELS"}),
)
