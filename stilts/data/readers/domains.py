"""Readers of releases from medicine and law that have a format of their own: PubMedQA and ContractNLI."""

from __future__ import annotations

from collections.abc import Iterator

from stilts.data.readers.document import Document, joined
from stilts.data.readers.reading import Reading
from stilts.errors import DataError
from stilts.tasks.kinds.classification import ClassificationExample


def read_pubmedqa_json(reading: Reading) -> Iterator[ClassificationExample]:
    """PubMedQA's questions, each with its abstract but for the conclusion: yes, no or maybe.

    The item is the PubMed id. The sections of the abstract are joined by a space. An entry without
    ``final_decision`` is unlabelled.
    """
    for path in reading.paths:
        document = Document(path, "PubMedQA's JSON")
        for item in document.object_in({"": document.root}, "", ""):
            entry = document.object_in(document.root, item, "")
            sections = document.list_in(entry, "CONTEXTS", item)
            if not sections:
                raise document.error("the list is empty", joined(item, "CONTEXTS"))
            texts = [document.text(text, f"{item}.CONTEXTS[{i}]") for i, text in enumerate(sections)]
            yield ClassificationExample(
                item=item,
                text=document.text_in(entry, "QUESTION", item),
                text_pair=" ".join(texts),
                label=_label(reading, document, entry, "final_decision", item) if "final_decision" in entry else None,
            )


def read_contract_nli_json(reading: Reading) -> Iterator[ClassificationExample]:
    """ContractNLI's pairs: a whole contract and a hypothesis on it. The item is ``<contract>/<hypothesis>``.

    The contract is the longer text by far and is what is cut at the length limit.
    """
    for path in reading.paths:
        document = Document(path, "ContractNLI's JSON")
        hypotheses = document.object_in(document.root, "labels", "")
        for i, contract in enumerate(document.list_in(document.root, "documents", "")):
            at = f"documents[{i}]"
            text = document.text_in(contract, "text", at)
            sets = document.list_in(contract, "annotation_sets", at)
            if len(sets) != 1:
                raise document.error(f"{len(sets)} sets of annotations", f"{at}.annotation_sets", "There is one each")
            where = f"{at}.annotation_sets[0]"
            annotations = document.object_in(sets[0], "annotations", where)
            for key, annotation in annotations.items():
                hypothesis = document.object_in(hypotheses, key, "labels")
                yield ClassificationExample(
                    item=f"{i}/{key}",
                    text=text,
                    text_pair=document.text_in(hypothesis, "hypothesis", f"labels.{key}"),
                    label=_label(reading, document, annotation, "choice", f"{where}.annotations.{key}"),
                )


def _label(reading: Reading, document: Document, value: object, key: str, at: str) -> str:
    if reading.unlabelled:
        return ""
    raw, where = document.text_in(value, key, at), joined(at, key)
    try:
        return reading.label(raw, document.path, at=where)
    except DataError as error:  # its line is sought only now: to find it takes a pass through the file
        raise DataError(
            document.path,
            error.found,
            line=document.line(where),
            field=where,
            why=error.why,
            next_step=error.next_step,
        ) from None
