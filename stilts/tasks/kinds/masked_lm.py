"""Masked LM below torch: running text, or two texts that say the same."""

from __future__ import annotations

from dataclasses import dataclass

from stilts.metrics.metric import metric
from stilts.tasks.example import Example, TextPairExample
from stilts.tasks.hub_row import HubRow
from stilts.tasks.kind import Format, PlainUse, Scoring, Settings, TaskKind
from stilts.tasks.passage import Passage


@dataclass(frozen=True, slots=True, kw_only=True)
class TextExample(TextPairExample):
    """Running text for masked LM, with its translation where a pair is to be read together."""

    def own_texts(self) -> tuple[str, ...]:
        """The text without its translation."""
        return (self.text,)

    def passages(self) -> tuple[Passage, ...]:
        """None: the text is what is asked for."""
        return ()


def _hub_row(row: HubRow) -> Example:
    return TextExample(item=row.item, text=row.text("text"), text_pair=row.second_text())


_READERS = "stilts.data.readers.text"
MASKED_LM = TaskKind(
    name="masked_lm",
    module=__name__,
    learning="stilts.kinds.masked_lm",
    about="text",
    scored_by=(Scoring(measure=metric("masked_accuracy"), hub_name="accuracy"),),
    hub_row=_hub_row,
    formats={
        "lines": Format(reader=f"{_READERS}:read_lines", holds="a sentence per line"),
        "parallel_tsv": Format(reader=f"{_READERS}:read_parallel_tsv", holds="English TAB translation"),
    },
    settings=Settings(training=("mask_frac",), scoring=("mask_frac",)),
    plain=PlainUse(
        auto_class="AutoModelForMaskedLM",
        pipeline="fill-mask",
        pipeline_class="FillMaskPipeline",
        asking="""\
batch = tokenizer(f"A {tokenizer.mask_token} text.", return_tensors="pt")
print(tokenizer.decode(model(**batch).logits[0].argmax(-1)))""",
    ),
    self_supervised=True,
)
