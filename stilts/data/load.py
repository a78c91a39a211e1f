"""From a view to its examples: read, leave out, take the part, limit. The only way in which examples enter the system.

``check_disjoint`` proves that the three uses of a target's data share nothing (DESIGN rule 6).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from stilts.bounded_file import not_a_file
from stilts.data.control import as_text, with_shuffled_labels
from stilts.data.hub_rows import read_hub
from stilts.data.readers import read_examples, unique_items
from stilts.data.readers.reading import Reading
from stilts.errors import DataError
from stilts.fingerprint import canonical_json, text_digest
from stilts.tasks.example import Example
from stilts.tasks.file_digests import files_fingerprint
from stilts.tasks.task import Part, Source
from stilts.tasks.view import DataView

_BY_CONTENT = (Part.TENTH, Part.REST)
# Splits in memory at a time: a target's dev and all its languages (48 for panx), twice.
_KEPT = 128
# Examples that a worker may keep from one stage to the next: some tens of MB.
_KEPT_EXAMPLES = 20_000
# How many examples each split had that was read since all were forgotten.
_num_read: list[int] = []


def load_examples(
    view: DataView, roots: Mapping[str, str | Path], *, labels: Sequence[str] | None = None
) -> list[Example]:
    """The examples of a view, in the order of its source; the same on every call and machine.

    First those whose content stands in a view of ``exclude`` are left out (with the option ``exclude_by: paragraph``,
    those whose paragraph does, for releases that ask about one text in two splits), then the part is taken, then at
    most ``limit`` are kept, those with the smallest hash of their item; of a control what it leaves.
    ``labels``, where given, are the only ones allowed.
    Raises DataError for missing, changed or malformed data, InputError where the hub does not give them.
    """
    examples = list(_examples(_wanted(view, roots, labels)))
    if view.shuffled is not None:
        examples = with_shuffled_labels(examples, view.shuffled)
    return as_text(examples) if view.as_text else examples


def forget_examples(at_most: int = _KEPT_EXAMPLES) -> None:
    """Lets go of all examples in memory where more were read since the last time: whoever needs one reads it again.

    A stage reads whole splits to leave out what stands in them, and later ones find its data in the token cache.
    """
    if sum(_num_read) > at_most:
        for kept in (_read, _examples, _banned, _keys):
            kept.cache_clear()
        _num_read.clear()


def skipped_rows(view: DataView, roots: Mapping[str, str | Path]) -> dict[str, int]:
    """How many rows of the source a release's convention leaves out, by reason (PAWS-X's ``NS``, NLI's "-")."""
    return dict(_whole_split(view, roots, None).skipped)


def is_kept_back(view: DataView) -> bool:
    """Whether the view's labels are declared to be kept back: whatever stands in their place is not read."""
    unlabelled = view.options.get("unlabelled")
    return isinstance(unlabelled, list) and view.split in unlabelled


def unmapped_labels(view: DataView, roots: Mapping[str, str | Path], labels: Sequence[str] | None) -> tuple[str, ...]:
    """The entries of ``label_map`` that no label of the view's files ever was."""
    return _whole_split(view, roots, labels).unmapped


def in_part(example: Example, part: Part, content: str | None = None) -> bool:
    """Whether an example belongs to a part of its split: decided by hash, so it never moves.

    ``content`` is its digest, where that is known already.
    """
    if part in _BY_CONTENT:
        return (int(content or example.content(), 16) % 10 == 0) == (part is Part.TENTH)
    if part in (Part.HALF_SELECT, Part.HALF_REPORT):
        return (_item_hash(example) % 2 == 0) == (part is Part.HALF_SELECT)
    return True


def limited(examples: Sequence[Example], limit: int | None, draw: int | None = None) -> list[Example]:
    """At most ``limit`` examples, those with the smallest hash of their item (and ``draw``), in their old order."""
    if limit is None or len(examples) <= limit:
        return list(examples)
    ranked = sorted(range(len(examples)), key=lambda i: (_item_hash(examples[i], draw), i))
    return [examples[i] for i in sorted(ranked[:limit])]


@dataclass(frozen=True, slots=True)
class _Loaded:
    examples: tuple[Example, ...]
    skipped: Mapping[str, int]
    unmapped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Request:
    """A split to be read; equal keys are one request, wherever else the views differ."""

    key: str
    view: DataView = field(compare=False)
    paths: tuple[Path, ...] = field(compare=False)
    labels: tuple[str, ...] | None = field(compare=False)


def _whole_split(view: DataView, roots: Mapping[str, str | Path], labels: Sequence[str] | None) -> _Loaded:
    return _read(_request(view, roots, labels))


def _request(view: DataView, roots: Mapping[str, str | Path], labels: Sequence[str] | None) -> _Request:
    paths = _paths(view, roots) if view.source is Source.FILES else ()
    identity = replace(view, part=Part.ALL, limit=None, draw=None, exclude=(), shuffled=None, as_text=False).payload()
    allowed = None if labels is None else tuple(labels)
    key = canonical_json([identity, dict(view.location), [str(path) for path in paths], allowed])
    return _Request(key, view, paths, allowed)


@lru_cache(maxsize=_KEPT)
def _read(request: _Request) -> _Loaded:
    view, skipped, written = request.view, Counter[str](), set[str]()
    kept_back = is_kept_back(view)
    if view.source is Source.FILES:
        _check_not_empty(request.paths)
        reading = Reading(
            paths=request.paths,
            language=view.language,
            options=view.options,
            labels=request.labels,
            unlabelled=kept_back,
            skipped=skipped,
            written=written,
        )
        examples = tuple(read_examples(view.kind.format(view.reader.split("/")[0]), reading))
    elif view.source is Source.HUB:
        examples = tuple(unique_items(read_hub(view, request.labels, skipped, unlabelled=kept_back)))
    else:
        examples = tuple(_toy(view))
    if not examples:
        whose = f"dataset {view.dataset}, split {view.split}, language {view.language}"
        raise DataError(
            request.paths[0] if request.paths else whose,
            f"it holds no examples of {whose}" if request.paths else "it holds no examples",
            why="Nothing can be learned from or scored on it",
            next_step="Check its files, or leave the language out",
        )
    if kept_back:
        examples = tuple(example.without_label() for example in examples)
    _num_read.append(len(examples))
    mapping = view.options.get("label_map")
    entries = tuple(mapping) if isinstance(mapping, dict) and view.source is Source.FILES and not kept_back else ()
    return _Loaded(examples, dict(skipped), tuple(each for each in entries if each not in written))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is wanted of a split."""

    request: _Request
    part: Part
    limit: int | None
    draw: int | None
    excluded: tuple[_Wanted, ...]

    @property
    def by_paragraph(self) -> bool:
        return self.request.view.options.get("exclude_by") == "paragraph"


def _wanted(view: DataView, roots: Mapping[str, str | Path], labels: Sequence[str] | None) -> _Wanted:
    excluded = tuple(_wanted(other, roots, labels) for other in view.exclude)
    return _Wanted(_request(view, roots, labels), view.part, view.limit, view.draw, excluded)


@lru_cache(maxsize=_KEPT)
def _examples(wanted: _Wanted) -> tuple[Example, ...]:
    examples = _read(wanted.request).examples
    places: Sequence[int] = range(len(examples))
    if wanted.excluded:
        banned = _banned(wanted.excluded, wanted.by_paragraph)
        keys = _keys(wanted.request, wanted.by_paragraph)
        places = [place for place in places if keys[place] not in banned]
    if wanted.part is not Part.ALL:
        contents = _keys(wanted.request, False) if wanted.part in _BY_CONTENT else None
        places = [
            place
            for place in places
            if in_part(examples[place], wanted.part, None if contents is None else contents[place])
        ]
    return tuple(limited([examples[place] for place in places], wanted.limit, wanted.draw))


@lru_cache(maxsize=_KEPT)
def _banned(excluded: tuple[_Wanted, ...], by_paragraph: bool) -> frozenset[str]:
    """What the excluded examples are compared by."""
    whole = [other for other in excluded if other.limit is None and other.part is Part.ALL and not other.excluded]
    keys = {key for other in whole for key in _keys(other.request, by_paragraph)}
    compared = _paragraph if by_paragraph else _content
    return frozenset(keys.union(*(map(compared, _examples(other)) for other in excluded if other not in whole)))


@lru_cache(maxsize=2 * _KEPT)
def _keys(request: _Request, by_paragraph: bool) -> tuple[str, ...]:
    """Of each example of a split the digest of its content, or of its paragraph."""
    return tuple(map(_paragraph if by_paragraph else _content, _read(request).examples))


def _check_not_empty(paths: Sequence[Path]) -> None:
    """Raises DataError for a file without a byte: one of several would add nothing, and nobody would be told."""
    for path in paths:
        if path.stat().st_size == 0:
            raise DataError(
                path,
                "the file is empty",
                line=1,
                why="Others of the split may have lines, and what this one should add would be missed by nobody",
                next_step="Get the file again; a copy that broke off may have left it so",
            )


def _toy(view: DataView) -> list[Example]:
    from stilts.data.toy.generate import generate

    options = view.options["generator_options"]
    return generate(
        generator=str(view.options["generator"]),
        split=view.split,
        language=view.language,
        size=int(str(view.options["size"])),
        options=options if isinstance(options, dict) else {},
    )


def _paths(view: DataView, roots: Mapping[str, str | Path]) -> tuple[Path, ...]:
    """The view's files, checked to hold what they held when the view was made."""
    name, relative = str(view.location["root"]), view.location["paths"]
    if name not in roots:
        raise DataError(
            f'root "{name}"',
            f"no folder of that name is given, but dataset {view.dataset} lies there",
            why=f"Given: {', '.join(sorted(roots)) or 'none'}",
            next_step=f'Give the root "{name}"',
        )
    root = Path(roots[name])
    paths = tuple(root / str(path) for path in relative) if isinstance(relative, list) else ()
    for path in paths:
        if not path.is_file():
            kind = not_a_file(path)
            found = "no such file" if kind is None else f"it is {kind}, not a file"
            raise DataError(path, found, next_step=f'Check the root "{name}", here {root}')
    if files_fingerprint(paths) != view.fingerprint:
        raise DataError(
            paths[0],
            "the content is not what it was when the study was planned",
            why="The stage would be named after data that it did not see",
            next_step="Plan the study again, or put the old file back",
        )
    return paths


def _content(example: Example) -> str:
    return example.content()


def _paragraph(example: Example) -> str:
    paragraph = example.paragraph()
    return example.content() if paragraph is None else text_digest(paragraph)


def _item_hash(example: Example, draw: int | None = None) -> int:
    return int(text_digest(example.item if draw is None else f"{draw} {example.item}"), 16)
