"""Study: one YAML file, read and checked. The public face is ``Study.load``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from stilts.errors import InputError, StudyError, UnknownNameError
from stilts.study import (
    claims_schema,
    mixture_schema,
    policy_schema,
    published_schema,
    robust_schema,
    schema,
    schema_part,
    search_schema,
)
from stilts.study.baselines import baseline_rows, searched_none
from stilts.study.claims_schema import DropClaim
from stilts.study.overlay import (
    Change,
    Layer,
    StudyFiles,
    encoders_of,
    laid_over,
    member_name,
    merged_text,
    place,
    with_encoder,
)
from stilts.study.record import NONE_ROW
from stilts.study.schema import CellSeeds, Intermediate, Seeds, StudyFile, Target
from stilts.study.search_schema import TARGET, Search
from stilts.study.stage import Estimate

# Fields of earlier versions, by where they stood, with what to write now.
_MOVED = {
    ("search",): 'it is called "policy" now: write policy: {name: select, budget: {...}}, or policy: select alone',
    ("policy", "policy"): 'it is called "name" here: write policy: {name: select}',
}


# Fields of a row that say nothing of what it trains on.
_ASIDE = ("train", "encoding", "search", "resources")
_SEE = "See docs/study_file.md for what it may be, or type python -m stilts.study.reference"


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A study file: encoder, rows, columns, what is searched, and what it may use.

    ``text`` is the file as written, or what overlays made of it; ``path`` is where it was read, the folder that its
    relative paths start from. ``layers`` are the file and its overlays, ``changes`` what these changed. ``siblings``
    are the studies of all its encoders, itself among them, where the file names several, and ``member`` its own.
    """

    path: Path
    text: str
    file: StudyFile
    layers: tuple[Layer, ...]
    changes: tuple[Change, ...] = ()
    siblings: tuple[str, ...] = ()
    member: str | None = None
    _rows: Mapping[str, Intermediate] = field(init=False, repr=False, compare=False)
    _columns: Mapping[str, Target] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        columns = {name: column or Target() for name, column in self.file.targets.items()}
        object.__setattr__(self, "_columns", columns)
        object.__setattr__(self, "_rows", self._all_rows())  # asked for at every cell of a plan, so made once

    @classmethod
    def load(cls, path: str | Path, overlays: Sequence[str | Path] = (), *, encoder: str | None = None) -> Study:
        """The study of a YAML file with overlays laid over it, the last on top; of its ``encoders`` the one named.

        StudyError, naming file and field, for anything that cannot be meant.
        """
        files = path if isinstance(path, StudyFiles) else StudyFiles.of(str(path), ())
        layers = [Layer.read(one) for one in (Path(path), *files.overlays, *map(Path, overlays))]
        return cls._of(*layers, member=encoder or files.encoder)

    @classmethod
    def parse(cls, text: str, path: Path) -> Study:
        """The study in some YAML text, as if it stood at ``path``."""
        return cls._of(Layer(path=path, text=text))

    @classmethod
    def _of(cls, base: Layer, *overlays: Layer, member: str | None = None) -> Study:
        whole, changes = laid_over(base, overlays)
        layers = (base, *overlays)
        values = with_encoder(whole, layers, member)
        try:
            file = StudyFile.model_validate(values)
        except ValidationError as error:
            raise invalid(lambda field: place(layers, field), error) from error
        text = base.text if values is base.values else merged_text(values, layers)
        siblings = tuple(member_name(str(whole["name"]), one) for one in encoders_of(whole))
        study = cls(
            path=base.path, text=text, file=file, layers=layers, changes=changes, siblings=siblings, member=member
        )
        study._check_names()
        return study

    def at(self, field: str) -> str:
        """A field as errors name it: with its file, and of several files laid over one another with its line."""
        return place(self.layers, field)

    @property
    def name(self) -> str:
        """The study's name, and that of its MLflow experiment."""
        return self.file.name

    @property
    def folder(self) -> Path:
        """What the file's relative paths start from."""
        return self.path.parent

    @property
    def rows(self) -> Mapping[str, Intermediate]:
        """The rows in order, the direct baseline ``none`` always first, a searched mixture's baselines behind it."""
        return self._rows

    @property
    def columns(self) -> Mapping[str, Target]:
        """The columns in order."""
        return self._columns

    def seeds(self, row: str, column: str) -> Seeds:
        """The replicates of a cell: what the last entry that names it says, else the default.

        In a searched row they are those that confirm the chosen recipe.
        """
        found = self.file.replicates.default
        for entry in self.file.replicates.cells:
            if (entry.rows is None or row in entry.rows) and (entry.columns is None or column in entry.columns):
                found = entry
        return found

    @contextmanager
    def blamed(self, field: str) -> Iterator[None]:
        """Errors of input that are raised inside come out as StudyErrors that name this file and the field."""
        try:
            yield
        except InputError as error:
            if any(str(layer.path) in error.asked for layer in self.layers):
                raise
            found = f"{error.asked}: {error.found}"
            raise StudyError(self.at(field), found, error.why, error.next_step) from error

    def _all_rows(self) -> dict[str, Intermediate]:
        named = {name: row or Intermediate() for name, row in self.file.intermediates.items()}
        none = named.pop(NONE_ROW, Intermediate())
        found = {NONE_ROW: searched_none(none, named.values())}
        for name, row in named.items():
            added = baseline_rows(name, row)
            for baseline in added:
                self._check_baseline(name, baseline, named)
            found |= {name: row, **added}
        return found

    def _check_baseline(self, row: str, baseline: str, named: Mapping[str, Intermediate]) -> None:
        if baseline in named or len(baseline) > schema_part.LONGEST_NAME:
            found = "is already there" if baseline in named else "has too long a name"
            raise StudyError(
                self.at(f"intermediates.{row}.search.baselines"),
                f'the row "{baseline}" {found}',
                "A baseline is a row of the matrix, named after the row that must beat it",
                "Rename the row",
            )

    def _check_names(self) -> None:
        with self.blamed("estimates"):
            for name in self.file.estimates:
                if name not in list(Estimate):
                    raise UnknownNameError("estimate", name, list(Estimate))
        for number, entry in enumerate(self.file.replicates.cells):
            self._check_cells(f"replicates.cells[{number}]", entry)
        self._check_claims()
        for number, published in enumerate(self.file.published):
            rows = [("row", name, self.rows) for name in published.gains]
            columns = [("column", name, self.columns) for name in published.targets or ()]
            self._check_known(f"published[{number}]", [*rows, *columns])
        for name, row in self.rows.items():
            self._check_merged(name, row.merged_rows)
        none = self.rows[NONE_ROW]
        fixed = none.train.given() or any(value is not None for name, value in none if name not in _ASIDE)
        if fixed or (none.search and _searches_intermediate(none.search)):
            raise StudyError(
                self.at(f"intermediates.{NONE_ROW}"),
                "it names a task, a mixture or training",
                f'"{NONE_ROW}" is the direct baseline: no intermediate is trained',
                "Leave it empty, or give it only searched numbers of the targets, such as search.target_learning_rate",
            )

    def _check_claims(self) -> None:
        named: set[str] = set()
        for number, claim in enumerate(self.file.claims):
            where = f"claims[{number}]"
            if claim.name in named:
                raise StudyError(self.at(f"{where}.name"), f"{claim.name} is there twice", "", "Rename one of them")
            named.add(claim.name)
            about = claim.of
            asked = [("row", one, self.rows) for one in (about.row, about.over) if one is not None]
            labels = [one.label for one in self.file.robustness]
            if isinstance(about, DropClaim) and not any(map(about.means, labels)):
                raise UnknownNameError("stress", about.under, labels, where=self.at(where))
            self._check_known(where, [*asked, *(("column", one, self.columns) for one in about.targets or ())])

    def _check_known(self, where: str, asked: Iterable[tuple[str, str, Collection[str]]]) -> None:
        for what, name, known in asked:
            if name not in known:
                raise UnknownNameError(what, name, known, where=self.at(where))

    def _check_merged(self, name: str, merged: tuple[str, ...]) -> None:
        for other in merged:
            found = self.rows.get(other)
            if found is None or other == NONE_ROW:
                known = [each for each in self.rows if each not in (NONE_ROW, name)]
                raise UnknownNameError("row", other, known, where=self.at(f"intermediates.{name}.merge"))
            if found.search is not None or found.merged_rows:
                raise StudyError(
                    self.at(f"intermediates.{name}.merge"),
                    f"{other} {'is searched' if found.search is not None else 'is a merge itself'}",
                    "A merge adds up recipes that are trained, each of them one",
                    "Name rows that have a task or a mixture of their own",
                )

    def _check_cells(self, where: str, entry: CellSeeds) -> None:
        for what, names, known in (("row", entry.rows, self.rows), ("column", entry.columns, self.columns)):
            self._check_known(f"{where}.{what}s", [(what, name, known) for name in names or ()])


def invalid(at: Callable[[str], str], error: ValidationError, step: str = _SEE) -> StudyError:
    """What pydantic found, as one StudyError that names the first field at fault ``at`` its place, and ``step``."""
    # A key that nobody knows comes first: the field that it was meant to be is then reported as missing.
    found = error.errors(include_url=False)
    problems = sorted(found, key=lambda each: (each["type"] != "extra_forbidden", len(each["loc"])))
    first = problems[0]
    field = ".".join(_place(part) for part in first["loc"] if not _is_form(part)) or "the file"
    more = f" ({len(problems) - 1} more at fault)" if len(problems) > 1 else ""
    return StudyError(at(field), _problem(dict(first)) + more, "", step)


def _problem(problem: Mapping[str, Any]) -> str:
    """One problem in words: what is wrong, and what was found there."""
    kind = problem["type"]
    if kind == "extra_forbidden":
        if problem["loc"] in _MOVED:
            return _MOVED[problem["loc"]]
        close = get_close_matches(str(problem["loc"][-1]), _field_names(), n=1)
        return "there is no field of that name" + (f'. Did you mean "{close[0]}"?' if close else "")
    if kind == "missing":
        return "it is missing"
    said = str(problem["msg"]).removeprefix("Value error, ")
    if kind == "too_short":
        said = f"it should list at least {problem['ctx']['min_length']}"
    if kind in ("dict_type", "model_type", "model_attributes_type"):
        said = "it should hold names with values below them"
    return f"{said}, found {_shown(problem['input'])}"


def _field_names() -> list[str]:
    """Every key that a study file may use anywhere."""
    modules = (schema, search_schema, mixture_schema, policy_schema, claims_schema, published_schema, robust_schema)
    found = [value for module in modules for value in vars(module).values()]
    models = [value for value in found if isinstance(value, type) and issubclass(value, BaseModel)]
    return sorted({name for model in models for name in model.model_fields})


def _is_form(part: int | str) -> bool:
    """Whether a part of a place is no key of the file but one of several forms that a value may have."""
    return isinstance(part, str) and (part in ("constrained-str", "one", "several", "all") or "[" in part)


def _place(part: int | str) -> str:
    text = str(part)
    return text if text.isprintable() and len(text) <= 60 else repr(text)[:60]


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:  # Python refuses to write out numbers of more than 4300 digits
        text = "a number of thousands of digits"
    return text if len(text) <= 80 else f"{text[:77]}..."


def _searches_intermediate(search: Search) -> bool:
    return (
        search.masked_lm is not None
        or search.merge is not None
        or any(not name.startswith(TARGET) for name in search.searched())
    )
