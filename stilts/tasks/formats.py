"""The file formats that a dataset may name, with the version of each reader.

They are listed here, below ``stilts.data``, because a view carries the reader's version in its identity and a plan
must be made without importing a reader. ``stilts.data.readers.READERS`` has one function per format.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stilts.errors import UnknownNameError
from stilts.tasks.task import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A release's way of writing examples down, and what its reader makes of them.

    ``version`` is raised when the reader comes to give other examples for the same bytes. ``global_items`` says that
    equal items of two splits or datasets are the same source item (SQuAD's question ids); otherwise
    an item, a row number say, means something within its split only.
    """

    kind: Kind
    version: int
    holds: str
    global_items: bool = False


FORMATS: Mapping[str, Format] = {
    "text_tsv": Format(kind=Kind.CLASSIFICATION, version=1, holds="text TAB label, no header"),
    "pair_tsv": Format(kind=Kind.CLASSIFICATION, version=1, holds="text TAB text TAB label, no header"),
    "nli_jsonl": Format(kind=Kind.CLASSIFICATION, version=1, holds="gold_label, sentence1, sentence2 per line"),
    "anli_jsonl": Format(
        kind=Kind.CLASSIFICATION, version=1, holds="uid, context, hypothesis, label e/n/c per line", global_items=True
    ),
    "nli_releases_jsonl": Format(
        kind=Kind.CLASSIFICATION, version=1, holds="lines of SNLI, MultiNLI or ANLI, whichever each file has"
    ),
    "pair_jsonl": Format(kind=Kind.CLASSIFICATION, version=1, holds="two texts and a label per line, by named fields"),
    "nli_csv": Format(kind=Kind.CLASSIFICATION, version=1, holds="CSV with premise, hypothesis, label"),
    "glue_tsv": Format(kind=Kind.CLASSIFICATION, version=1, holds="GLUE's TSV with a header"),
    "pubmedqa_json": Format(
        kind=Kind.CLASSIFICATION, version=1, holds="PubMedQA's JSON, by PubMed id", global_items=True
    ),
    "contract_nli_json": Format(kind=Kind.CLASSIFICATION, version=1, holds="ContractNLI's JSON"),
    "conllu": Format(kind=Kind.TAGGING, version=1, holds="CoNLL-U, ten columns"),
    "bio_tsv": Format(kind=Kind.TAGGING, version=1, holds="word TAB tag, a blank line between sentences"),
    "bio_columns": Format(kind=Kind.TAGGING, version=1, holds="CoNLL's columns: first the word, last its tag"),
    "ccg_auto": Format(kind=Kind.TAGGING, version=1, holds="CCGbank's derivations, AUTO files", global_items=True),
    "squad_json": Format(kind=Kind.SPAN_QA, version=1, holds="SQuAD's JSON", global_items=True),
    "subjqa_csv": Format(
        kind=Kind.SPAN_QA, version=1, holds="SubjQA's CSV, a row per annotator's answer", global_items=True
    ),
    "hellaswag_jsonl": Format(kind=Kind.MULTIPLE_CHOICE, version=1, holds="ctx, endings, label per line"),
    "cosmos_csv": Format(
        kind=Kind.MULTIPLE_CHOICE, version=1, holds="CSV with context, question, answer0.., label", global_items=True
    ),
    "csqa_jsonl": Format(
        kind=Kind.MULTIPLE_CHOICE, version=1, holds="question, choices, answerKey per line", global_items=True
    ),
    "copa_jsonl": Format(
        kind=Kind.MULTIPLE_CHOICE, version=1, holds="premise, choice1, choice2, question, label per line"
    ),
    "choice_jsonl": Format(
        kind=Kind.MULTIPLE_CHOICE,
        version=1,
        holds="a question with choices per line, by named fields; labels may be beside",
    ),
    "choice_csv": Format(kind=Kind.MULTIPLE_CHOICE, version=1, holds="CSV with choices, by named columns"),
    "rated_tsv": Format(kind=Kind.REGRESSION, version=1, holds="GLUE's TSV with a header, a number for a label"),
    "multi_label_jsonl": Format(
        kind=Kind.MULTI_LABEL, version=1, holds="a text and a list of labels per line, by named fields"
    ),
    "tatoeba": Format(kind=Kind.RETRIEVAL, version=1, holds="two line-aligned files: the language's, then English"),
    "bucc": Format(
        kind=Kind.RETRIEVAL, version=1, holds="three files: id TAB sentence, the same in English, pairs of ids"
    ),
    "squad_sentences": Format(
        kind=Kind.RETRIEVAL, version=1, holds="SQuAD's JSON, as questions and sentences", global_items=True
    ),
    "lareqa_questions": Format(
        kind=Kind.RETRIEVAL, version=1, holds="SQuAD's JSON with sentence_breaks: its questions", global_items=True
    ),
    "lareqa_sentences": Format(
        kind=Kind.RETRIEVAL, version=1, holds="SQuAD's JSON with sentence_breaks: its sentences"
    ),
    "mewslix_pairs": Format(
        kind=Kind.RETRIEVAL, version=1, holds="contextual_mention, entity per line", global_items=True
    ),
    "mewslix_mentions": Format(kind=Kind.RETRIEVAL, version=1, holds="context, mentions per line", global_items=True),
    "mewslix_entities": Format(kind=Kind.RETRIEVAL, version=1, holds="entity_id, description, sentence_spans per line"),
    "lines": Format(kind=Kind.MASKED_LM, version=1, holds="a sentence per line"),
    "parallel_tsv": Format(kind=Kind.MASKED_LM, version=1, holds="English TAB translation"),
}


def format_named(name: str) -> Format:
    """The format of that name; raises UnknownNameError with the closest one."""
    if name not in FORMATS:
        raise UnknownNameError("reader", name, FORMATS)
    return FORMATS[name]
