"""Reader of BUCC: two corpora of sentences and the pairs among them that translate one another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from stilts.data.readers.reading import Reading
from stilts.data.readers.rows import tab_rows
from stilts.data.readers.texts import not_blank
from stilts.errors import DataError
from stilts.tasks.kinds.retrieval import MiningExample

Pair: TypeAlias = tuple[str, str]


def read_bucc(reading: Reading) -> Iterator[MiningExample]:
    """BUCC 2018 from three files: the language's sentences, the English ones (id TAB text), and gold pairs (id TAB id).

    Sentences that gold pairs link are one example, named by the first of the language's; every other sentence is one by
    itself. Examples come in the order of the language's file, then of the English one.
    """
    if len(reading.paths) != 3:
        raise DataError("bucc", f"{len(reading.paths)} files", why="Sentences, English sentences and pairs are needed")
    sources, targets = _sentences(reading.paths[0]), _sentences(reading.paths[1])
    linked = _linked(_pairs(reading.paths[2], sources, targets))
    paired = {target for pairs in linked.values() for _, target in pairs}
    done = set[str]()
    for name in sources:
        if name not in done:
            pairs = linked.get(name, [])
            done.update(source for source, _ in pairs)
            yield _example(name, [name, *(source for source, _ in pairs)], pairs, sources, targets)
    for name, text in targets.items():
        if name not in paired:
            yield MiningExample(item=name, sources=(), targets=((name, text),))


def _example(
    item: str, ids: list[str], pairs: list[Pair], sources: Mapping[str, str], targets: Mapping[str, str]
) -> MiningExample:
    return MiningExample(
        item=item,
        sources=tuple((name, sources[name]) for name in dict.fromkeys(ids)),
        targets=tuple((name, targets[name]) for name in dict.fromkeys(target for _, target in pairs)),
        pairs=tuple(pairs),
    )


def _sentences(path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for line, (name, text) in tab_rows(path, 2):
        if not_blank(name, path, line, "id") in found:
            raise DataError(path, f'a second "{name}"', line=line, field="id", why="Pairs name sentences by their ids")
        found[name] = not_blank(text, path, line, "sentence")
    return found


def _pairs(path: Path, sources: Mapping[str, str], targets: Mapping[str, str]) -> list[Pair]:
    pairs: dict[Pair, None] = {}
    for line, (source, target) in tab_rows(path, 2):
        for name, known in ((source, sources), (target, targets)):
            if name not in known:
                raise DataError(
                    path,
                    f'no sentence "{name}"',
                    line=line,
                    why="A pair names two sentences",
                    next_step="Mend the line",
                )
        pairs[source, target] = None
    return list(pairs)


def _linked(pairs: list[Pair]) -> dict[str, list[Pair]]:
    """By source sentence, the gold pairs that it is in, and those that share a sentence with one of them, and so on."""
    groups: dict[Pair, list[Pair]] = {}
    for source, target in pairs:
        ends = (("source", source), ("target", target))
        group = [
            pair for old in {id(groups[end]): groups[end] for end in ends if end in groups}.values() for pair in old
        ]
        group.append((source, target))
        for each in group:
            groups["source", each[0]] = groups["target", each[1]] = group
    return {name: group for (side, name), group in groups.items() if side == "source"}
