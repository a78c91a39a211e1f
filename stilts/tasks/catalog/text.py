"""Text for masked LM: sentences of one language, and translation pairs that are read together (TLM)."""

from __future__ import annotations

from stilts.tasks.catalog.toy_layout import toy_text
from stilts.tasks.kinds.masked_lm import MASKED_LM
from stilts.tasks.task import Dataset, FilesLayout, HubLayout, SplitRef, Task

PLAIN_LANGUAGES = tuple(
    (
        "af am ar az bg bn de el en es et eu fa fi fr gu he hi hu id it ja jv ka kk ko lt ml mr ms my nl pa "
        "pl pt qu ro ru sw ta te tl tr uk ur vi yo zh"
    ).split()
)
PARALLEL_LANGUAGES = tuple(
    (
        "af ar bg bn de el es et eu fa fi fr he hi hu id it ja ka kk ko ml mr my nl pt ru sw ta te th tl tr ur vi yo zh"
    ).split()
)
# OPUS-100 orders the two codes of a pair by the alphabet; it has no sw and no tl.
_OPUS = {code: "-".join(sorted(("en", code))) for code in PARALLEL_LANGUAGES if code not in ("sw", "tl")}

DATASETS = (
    Dataset(
        name="plain",
        languages={"train": PLAIN_LANGUAGES},
        files=FilesLayout(reader="lines", root="text", splits={"train": "plain/{lang}.txt"}),
        hub=HubLayout(
            repo="wikimedia/wikipedia", config="20231101.{lang}", splits={"train": "train"}, columns={"text": "text"}
        ),
        toy=toy_text("plain"),
        licence="that of UD's treebanks and of Wikipedia",
        domain="UD and WikiANN train sentences; on the hub Wikipedia",
    ),
    Dataset(
        name="translation",
        languages={"train": PARALLEL_LANGUAGES},
        files=FilesLayout(reader="parallel_tsv", root="text", splits={"train": "parallel/{lang}.tsv"}),
        hub=HubLayout(
            repo="Helsinki-NLP/opus-100",
            config="{code}",
            splits={"train": "train"},
            columns={"text": "translation.en", "text_pair": "translation.{lang}"},
            codes=_OPUS,
        ),
        toy=toy_text("translation"),
        licence="CC BY-SA 4.0 (NTREX-128)",
        domain="news; on the hub OPUS-100's mixture",
        citation="Federmann et al. 2022 (NTREX-128)",
    ),
)

TASKS = (
    Task(
        name="plain",
        kind=MASKED_LM,
        metric="masked_accuracy",
        train=SplitRef(dataset="plain", split="train"),
        description="Masked LM on sentences of one language at a time",
    ),
    Task(
        name="translation",
        kind=MASKED_LM,
        metric="masked_accuracy",
        train=SplitRef(dataset="translation", split="train"),
        description="Masked LM on an English sentence and its translation, read together",
    ),
    Task(
        name="masked_lm",
        kind=MASKED_LM,
        metric="masked_accuracy",
        test=SplitRef(dataset="plain", split="train"),
        description="What the encoder has kept of masked LM, with its own head: a probe of forgetting, never trained",
    ),
)
