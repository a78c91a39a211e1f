"""Classification below torch: one text or two, with one label."""

from __future__ import annotations

from dataclasses import dataclass

from stilts.metrics.classification import accuracy_rows
from stilts.metrics.metric import metric
from stilts.tasks.example import Example, TextPairExample
from stilts.tasks.hub_row import HubRow
from stilts.tasks.kind import Format, PlainUse, Scoring, TaskKind
from stilts.tasks.labels import at_least_two
from stilts.tasks.option import LANGUAGE_COLUMN, Option, field_option


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


def _fields(text: str, text_pair: str, label: str) -> tuple[Option, ...]:
    """The options that name a row's fields, with what they are by default."""
    return (
        field_option("text", "the text", text),
        field_option("text_pair", 'the second text; "" where there is none', text_pair),
        field_option("label", "the label", label),
        LANGUAGE_COLUMN,
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
        "pair_tsv": Format(
            reader=f"{_PAIRS}:read_pair_tsv",
            holds="text TAB text TAB label, no header",
            options=(Option(name="drop", about="a row with a text that is exactly this is left out", example="NS"),),
        ),
        "nli_jsonl": Format(
            reader=f"{_PAIRS}:read_nli_jsonl",
            holds="gold_label, sentence1, sentence2 per line",
            options=(LANGUAGE_COLUMN,),
        ),
        "anli_jsonl": Format(
            reader=f"{_PAIRS}:read_anli_jsonl",
            holds="uid, context, hypothesis, label e/n/c per line",
            global_items=True,
        ),
        "nli_releases_jsonl": Format(
            reader=f"{_PAIRS}:read_nli_releases_jsonl", holds="lines of SNLI, MultiNLI or ANLI, whichever each file has"
        ),
        "pair_jsonl": Format(
            reader=f"{_PAIRS}:read_pair_jsonl",
            holds="one text or two and a label per line, by named fields",
            options=_fields("text", "text_pair", "label"),
        ),
        "nli_csv": Format(
            reader=f"{_PAIRS}:read_nli_csv",
            holds="CSV with a header: one text or two and a label, by named columns",
            options=_fields("premise", "hypothesis", "label"),
        ),
        "glue_tsv": Format(
            reader=f"{_PAIRS}:read_glue_tsv",
            holds="TSV with a header, as GLUE's and XNLI's own: one text or two and a label, by named columns",
            options=(
                *_fields("question1", "question2", "is_duplicate"),
                field_option("item", 'the item; "" for the row number', "id"),
            ),
        ),
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
    alterable=True,
)
