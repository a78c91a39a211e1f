"""Every error that stilts raises on purpose, as one tree.

A message has four parts: what was asked, what was found, why it matters, what to type next.
``InputError`` and its children are the user's to mend and end the command line with status 2;
the others end it with status 1. Every floor may import this module. Secrets in the addresses that a message names
are hidden here, so that no message can show one.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Self

from stilts.addresses import without_secrets


class StiltsError(Exception):
    """A failure that stilts can explain; ``exit_code`` is what the command line ends with."""

    exit_code = 1

    def __init__(self, asked: str, found: str, why: str = "", next_step: str = "") -> None:
        self.asked, self.found, self.why, self.next_step = parts = tuple(
            without_secrets(part) for part in (asked, found, why, next_step)
        )
        super().__init__(*parts)

    def __str__(self) -> str:
        head = f"{self.asked}: {self.found}"
        return " ".join(_sentence(part) for part in (head, self.why, self.next_step) if part)


class InputError(StiltsError):
    """Something the user wrote or pointed at cannot be used as it is."""

    exit_code = 2


class StudyError(InputError):
    """A study file, or a file of tasks, says something that cannot be meant."""


class UnknownNameError(InputError):
    """A name that nothing is registered under; says which known names are close.

    Known names are told in alphabetical order, or (``in_order``) as they are given.
    """

    def __init__(self, what: str, name: str, known: Iterable[str], *, where: str = "", in_order: bool = False) -> None:
        names = list(known) if in_order else sorted(known)
        close = difflib.get_close_matches(name, names, n=1)
        found = f"no {what} has that name" + (f" ({where})" if where else "")
        why = f'Did you mean "{close[0]}"?' if close else ""
        listed = ", ".join(names) if len(names) <= 12 else f"{', '.join(names[:12])}, ..."
        super().__init__(f'{what} "{name}"', found, why, f"Known: {listed or 'none'}")

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.asked, self.found, self.why, self.next_step)


class DataError(InputError):
    """A data file is missing, malformed, or holds what its task does not allow.

    ``line`` counts from 1; ``field`` is a column or key of that line.
    """

    def __init__(
        self,
        file: object,
        found: str,
        *,
        line: int | None = None,
        field: str | None = None,
        why: str = "",
        next_step: str = "",
    ) -> None:
        self.file = str(file)
        self.line = line
        self.field = field
        place = self.file + (f", line {line}" if line is not None else "")
        place += f", field {field}" if field is not None else ""
        super().__init__(place, found, why, next_step)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild_data_error, (self.file, self.found, self.line, self.field, self.why, self.next_step)


class SplitOverlapError(InputError):
    """Two splits of one target share an item, so a score on one would peek at the other."""


class SelectionError(InputError):
    """A choice was asked for that the study's selection rule does not allow (DESIGN rule 6)."""


class EncoderError(InputError):
    """An encoder folder or hub id cannot be loaded as an encoder."""


class TransferError(InputError):
    """Weights and model do not fit: tensors are missing, unexpected, or of another shape."""


class RankError(StiltsError):
    """One of the processes that work on a stage failed, and the stage with it; ``__cause__`` is its own error."""


class FingerprintError(InputError):
    """A value cannot be serialised stably, so it must not enter an identity."""


class StoreError(InputError):
    """The store's folder or bucket is not one that this version can use."""


class UnreadableError(StoreError):
    """A file of a store that cannot be read as what it should be: ``DamagedError`` and ``NewerError`` say why.

    ``file`` is relative to the store; ``study`` is the one that it belongs to, "" where that is not known; ``flaw`` is
    what was found.
    """

    def __init__(self, file: str, flaw: str, *, study: str = "") -> None:
        self.file = file
        self.study = study
        self.flaw = flaw
        of_study = f", of study {study}" if study else ""
        super().__init__(f"file {file} of the store{of_study}", *self._told(flaw, study))

    def of(self, study: str) -> Self:
        """The same, said of a study where it is of none yet."""
        return type(self)(self.file, self.flaw, study=self.study or study)

    def _told(self, flaw: str, study: str) -> tuple[str, str, str]:
        """What was found, why it matters, what to type next."""
        raise NotImplementedError

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild_unreadable, (type(self), self.file, self.flaw, self.study)


class DamagedError(UnreadableError):
    """A file of a store does not agree with its checksum, or is not of the shape that stilts writes."""

    def _told(self, flaw: str, study: str) -> tuple[str, str, str]:
        return (
            flaw,
            "It is damaged, and nothing is read from it: what followed would be wrong",
            f'Set it aside with "stilts mend {study or "STUDY"}", then run the study again: that alone is made anew',
        )


class NewerError(UnreadableError):
    """A record of a store was written by a newer stilts; other studies of the store are not concerned."""

    def _told(self, flaw: str, study: str) -> tuple[str, str, str]:
        return (
            f"newer than this stilts ({flaw})",
            "What it does not know it could misread",
            "Upgrade stilts to work with this study; the others of the store are as they were",
        )


class MissingPackageError(InputError):
    """An optional package is needed for what was asked."""


class StoreUnavailableError(StiltsError):
    """The store's disk is full or read only, or its bucket does not answer; what is done stays."""


class DiskError(StiltsError):
    """A file or folder cannot be written or read: no room, no permission, or a device that fails."""


class ClusterError(StiltsError):
    """Ray does not start or is not there any more; what is done stays."""


class StageFailedError(StiltsError):
    """One or more stages failed; the others are kept."""


class DivergedError(StiltsError):
    """A training left the numbers: its loss, or a weight, is NaN or infinite."""


class DeviceError(StiltsError):
    """The device that stages are to run on is not there, or cannot compute what they ask."""


class NoMemoryError(StiltsError):
    """Memory, the device's or the host's, holds not even the smallest batch, or not the model itself."""


class LeaseHeldError(StiltsError):
    """Another live process works on the same stage; ``holder`` says which: ``job little-20261130``.

    ``clocks`` says which clocks differ, where some do.
    """

    def __init__(
        self, asked: str, found: str, why: str = "", next_step: str = "", *, holder: str = "", clocks: str = ""
    ) -> None:
        super().__init__(asked, found, why, next_step)
        self.holder, self.clocks = holder or "another process", clocks


class LeaseLostError(StiltsError):
    """This process held a lease that another has taken over meanwhile; its work is discarded."""


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "?", "!")) else text + "."


def _rebuild(kind: type[StiltsError], asked: str, found: str, why: str, next_step: str) -> StiltsError:
    """An error with the same parts, for errors whose constructor takes other arguments (pickling)."""
    error = kind.__new__(kind)
    StiltsError.__init__(error, asked, found, why, next_step)
    return error


def _rebuild_data_error(
    file: str, found: str, line: int | None, field: str | None, why: str, next_step: str
) -> DataError:
    return DataError(file, found, line=line, field=field, why=why, next_step=next_step)


def _rebuild_unreadable(kind: type[UnreadableError], file: str, flaw: str, study: str) -> UnreadableError:
    return kind(file, flaw, study=study)
