"""Option: what a reader may be told about its files, declared with its type: nothing misspelt is passed over."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from stilts.errors import InputError
from stilts.fingerprint import Json


class OptionType(StrEnum):
    """What the value of an option is, in the words of its error message."""

    TEXT = "text"
    WHOLE_NUMBER = "a whole number, from 0"
    COUNT = "a whole number, from 1"
    MARK = "text, or true"
    TEXTS = "a list of texts"
    NAMES = "a mapping from text to text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option of a reader: its name, what it is, and what it does.

    ``choices`` are the only values of a text, in any case of letters; () allows any. ``default`` is what holds where it
    is left out, None where that is nothing.
    """

    name: str
    about: str
    type: OptionType = OptionType.TEXT
    choices: tuple[str, ...] = ()
    default: str | int | None = None
    example: str = ""

    @property
    def values(self) -> str:
        """What may be written, in words."""
        return f"one of {', '.join(self.choices)}" if self.choices else str(self.type)


def field_option(name: str, about: str, default: str = "", example: str = "") -> Option:
    """An option that names a field or column of the file."""
    return Option(name=name, about=f"the field or column with {about}", default=default, example=example)


LANGUAGE_COLUMN = Option(
    name="language_column",
    about="the field or column with a row's language, where one file holds several; codes: says how it is written",
    example="language",
)
# What may be said of every format: of its labels, and of what its splits hold.
OF_LABELS = (
    Option(
        name="label_map",
        type=OptionType.NAMES,
        about="labels as the files write them, each with the task's name for it",
        example='{"0": entailment, "1": neutral}',
    ),
    Option(name="unseen", about="the task's label that stands for all that it does not list"),
    Option(
        name="unlabelled",
        type=OptionType.TEXTS,
        about="splits whose labels are kept back: what stands there for a label is not read",
        example="[test]",
    ),
    Option(
        name="exclude_by",
        choices=("paragraph",),
        about="leave out of training what shares a paragraph with evaluation data, not only the same example",
    ),
)


# What may be said of the rows of a repository of the hub, beside what may be said of every format.
OF_HUB_ROWS = (
    *OF_LABELS,
    Option(
        name="skip_labels", type=OptionType.TEXTS, about="rows with one of these labels are left out", example='["-"]'
    ),
    Option(name="drop", about="a row with a sentence that is exactly this text is left out"),
    Option(name="keep_items_with", about="only rows whose item begins so are read ({lang} and {code} as in config)"),
)


def check_options(what: str, given: Mapping[str, Json], options: Iterable[Option]) -> None:
    """Raises InputError for an option that is not declared, or whose value is of another type; it lists what there is.

    ``what`` names the reader.
    """
    declared = {option.name: option for option in options}
    for name, value in given.items():
        if name not in declared:
            close = difflib.get_close_matches(name, declared, n=1)
            meant = f'Did you mean "{close[0]}"? ' if close else ""
            listed = ", ".join(f"{option.name} ({option.values})" for option in declared.values())
            raise InputError(
                f'{what}, option "{name}"',
                "it has no such option",
                f"{meant}It has: {listed or 'none'}",
                "Correct the name, or take it out",
            )
        option = declared[name]
        if not _IS[option.type](value) or not _is_choice(option, value):
            raise InputError(
                f'{what}, option "{name}"',
                f"{_written(value)} is not {option.values}",
                f"It says: {option.about}",
                f"Write {name}: {option.example}" if option.example else "Correct the value",
            )


def _is_choice(option: Option, value: Json) -> bool:
    return not option.choices or str(value).lower() in {choice.lower() for choice in option.choices}


def _is_names(value: Json) -> bool:
    return isinstance(value, dict) and bool(value) and all(isinstance(name, str) for name in value.values())


_IS: Mapping[OptionType, Callable[[Json], bool]] = MappingProxyType(
    {
        OptionType.TEXT: lambda value: isinstance(value, str),
        OptionType.WHOLE_NUMBER: lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 0,
        OptionType.COUNT: lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 1,
        OptionType.MARK: lambda value: value is True or (isinstance(value, str) and bool(value)),
        OptionType.TEXTS: lambda value: isinstance(value, list) and all(isinstance(text, str) for text in value),
        OptionType.NAMES: _is_names,
    }
)


def _written(value: Json) -> str:
    shown = f'"{value}"' if isinstance(value, str) else str(value)
    return f"{shown[:60]} ({type(value).__name__})"
