"""One reader per format of ``stilts.tasks.formats``; start at ``reading.py`` for what a reader is given.

Imported by ``stilts.data.load`` only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from stilts.data.readers import (
    answers,
    choices,
    domains,
    label_sets,
    mentions,
    mining,
    pairs,
    rated,
    squad,
    subjqa,
    tagging,
    text,
)
from stilts.data.readers.reading import Reader, Reading
from stilts.errors import UnknownNameError
from stilts.tasks.examples import Example
from stilts.tasks.formats import FORMATS

READERS: Mapping[str, Reader] = {
    "text_tsv": pairs.read_text_tsv,
    "pair_tsv": pairs.read_pair_tsv,
    "nli_jsonl": pairs.read_nli_jsonl,
    "anli_jsonl": pairs.read_anli_jsonl,
    "nli_releases_jsonl": pairs.read_nli_releases_jsonl,
    "pair_jsonl": pairs.read_pair_jsonl,
    "nli_csv": pairs.read_nli_csv,
    "glue_tsv": pairs.read_glue_tsv,
    "pubmedqa_json": domains.read_pubmedqa_json,
    "contract_nli_json": domains.read_contract_nli_json,
    "conllu": tagging.read_conllu,
    "bio_tsv": tagging.read_bio_tsv,
    "bio_columns": tagging.read_bio_columns,
    "ccg_auto": tagging.read_ccg_auto,
    "squad_json": squad.read_squad_json,
    "subjqa_csv": subjqa.read_subjqa_csv,
    "hellaswag_jsonl": choices.read_hellaswag_jsonl,
    "cosmos_csv": choices.read_cosmos_csv,
    "csqa_jsonl": choices.read_csqa_jsonl,
    "copa_jsonl": choices.read_copa_jsonl,
    "choice_jsonl": choices.read_choice_jsonl,
    "choice_csv": choices.read_choice_csv,
    "rated_tsv": rated.read_rated_tsv,
    "multi_label_jsonl": label_sets.read_multi_label_jsonl,
    "tatoeba": text.read_tatoeba,
    "bucc": mining.read_bucc,
    "squad_sentences": answers.read_squad_sentences,
    "lareqa_questions": answers.read_lareqa_questions,
    "lareqa_sentences": answers.read_lareqa_sentences,
    "mewslix_pairs": mentions.read_mewslix_pairs,
    "mewslix_mentions": mentions.read_mewslix_mentions,
    "mewslix_entities": mentions.read_mewslix_entities,
    "lines": text.read_lines,
    "parallel_tsv": text.read_parallel_tsv,
}

READER_VERSION: Mapping[str, int] = {name: form.version for name, form in FORMATS.items()}


def read_examples(reader: str, reading: Reading) -> Iterator[Example]:
    """The examples that a reader finds, items made unique within the language: a second "7" becomes "7#2"."""
    if reader not in READERS:
        raise UnknownNameError("reader", reader, READERS)
    return unique_items(READERS[reader](reading))


def unique_items(examples: Iterable[Example]) -> Iterator[Example]:
    """The same examples, with ``#2``, ``#3``, ... behind an item that came before."""
    seen: Counter[str] = Counter()
    for example in examples:
        item = example.item
        while item in seen:
            seen[example.item] += 1
            item = f"{example.item}#{seen[example.item]}"
        seen[item] += 1
        yield example if item == example.item else replace(example, item=item)
