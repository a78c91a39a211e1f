"""How ``stilts tasks --overlap`` shows what intermediates and targets share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from stilts.app.overlapping import USES
from stilts.shown import shown

_WITH = {"train": "training data", "dev": "data to choose by", "test": "evaluation data"}
_LANGUAGES_SHOWN = 4
_NAMES_SHOWN = 8


def overlap_table(value: Mapping[str, Any]) -> RenderableType:
    """The ledger for people."""
    if value["study"] is None:
        return Group(_declared_table(value["declared"]), _known_table(value["known"]), Text(_ALONE))
    return Group(_declared_table(value["declared"]), _measured_table(value["measured"]), *_closing(value))


_ALONE = "Declared for data from files. What a study's own data share: stilts tasks --overlap --study STUDY"


def _declared_table(lines: Sequence[Mapping[str, Any]]) -> Table:
    """Targets that share the same with the same intermediates stand together, and so do those intermediates."""
    table = Table(title=f"Declared: {len(lines)} overlaps of an intermediate and a target", title_justify="left")
    for name, ratio in (("intermediate", 3), ("target", 3), ("shared", 2), ("why, and where it stands", 4)):
        table.add_column(name, overflow="fold", ratio=ratio)
    facts: dict[str, dict[tuple[str, ...], list[str]]] = {}
    for line in lines:
        fact = tuple(str(line[name]) for name in ("use", "what", "target_use", "known", "source"))
        facts.setdefault(line["target"], {}).setdefault(fact, []).append(line["intermediate"])
    alike: dict[str, list[str]] = {}
    for target, shared in facts.items():
        alike.setdefault(str(shared), []).append(target)
    for targets in alike.values():
        for (use, what, target_use, known, source), intermediates in facts[targets[0]].items():
            seen = f"{what} of its {_WITH[target_use]}" + ("" if use == "train" else ", chosen by")
            why = f"{known} ({source})" if known else source
            cells = (_names(intermediates), _names(targets), seen, why)
            table.add_row(*(Text(cell) for cell in cells))
    return table


def _names(names: Sequence[str]) -> str:
    left = len(names) - _NAMES_SHOWN
    return " ".join(names) if left <= 1 else f"{' '.join(names[:_NAMES_SHOWN])} and {left} more"


def _known_table(lines: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(title="Known of datasets, whether a task uses both or not", title_justify="left")
    for name in ("split", "and split", "shared", "from", "why", "source"):
        table.add_column(name, overflow="fold")
    # The pairs of MLQA share the same with the same split.
    others: dict[tuple[str, ...], list[str]] = {}
    for line in lines:
        fact = (line["one"], line["what"], " ".join(line["sources"]), line["why"], line["source"])
        others.setdefault(fact, []).append(line["other"])
    for (one, *rest), names in others.items():
        table.add_row(one, _names(names), *rest)
    return table


def _measured_table(lines: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(title="Measured: texts of a target that the intermediate trains on", title_justify="left")
    for name in ("intermediate", "target", "use", "field", "shared", "of", "share", "most in", "longest", "declared"):
        table.add_column(name, justify="right" if name in ("shared", "of", "share") else "left", overflow="fold")
    for line in lines:
        names = (str(line[name]) for name in ("intermediate", "target", "use", "field", "shared", "texts"))
        longest = line["longest"] if len(line["longest"]) <= 60 else f"{line['longest'][:57]}..."
        said = "yes" if line["declared"] else "no"
        table.add_row(*names, f"{line['share']:.2%}", _most(line["languages"]), Text(shown(longest)), said)
    return table


def _most(languages: Mapping[str, Sequence[int]]) -> str:
    """The languages with the largest shares, as ``en 4.1%``."""
    shares = {code: shared / texts for code, (shared, texts) in languages.items() if shared}
    ordered = sorted(shares, key=lambda code: -shares[code])
    left = len(ordered) - _LANGUAGES_SHOWN
    told = ", ".join(f"{code} {shares[code]:.1%}" for code in ordered[:_LANGUAGES_SHOWN])
    return told + (f" and {left} more" if left > 0 else "")


def _closing(value: Mapping[str, Any]) -> Iterator[Text]:
    counted = {(line["intermediate"], line["target"], USES[line["use"]]) for line in value["measured"]}
    for line in value["declared"]:
        if (line["intermediate"], line["target"], line["target_use"]) not in counted:
            yield Text(f"Declared, and nothing found here: {shown(line['why'])}.")
    yield Text(
        "Counted are distinct texts, compared without case, punctuation and white space; what has no line shares "
        "nothing. Translations and paraphrases are not found.\n"
        f"The data were read and compared in {value['seconds']:.1f} s."
    )
