"""What travels with a job: the code of stilts, the entry points, the study, and the small files that it names.

No data, no store, no environment of Python, no checkpoint, and nothing else of the user's folder: what is changed
there bears on nothing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from stilts.bounded_file import sized
from stilts.errors import InputError, StudyError
from stilts.study.study import Study
from stilts.tasks.bounded_yaml import parsed_yaml, yaml_text
from stilts.tasks.task import Dataset, Source
from stilts.tasks.tasks_schema import USER_ROOT, FileFields
from stilts.tasks.user_tasks import read_tasks

# Ray's bound for what is uploaded, in bytes.
MOST_BYTES = 100 * 2**20
_LARGEST = 5
# What the package is made of; whatever else lies in its folder stays at home.
_CODE = {".py", ".yaml", ".txt", ".tsv", ".conll", ".ttf", ".typed", ""}
_STUDY_FOLDER = "study"
ENTRY = "ray_jobs/run_study.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPackage:
    """A job's working directory.

    ``study``, its ``overlays`` and ``entry`` (a command's words behind ``python``) are relative to it. ``encoder`` is
    the one that is meant of a file with several.
    """

    folder: Path
    study: str
    overlays: tuple[str, ...]
    encoder: str | None
    entry: tuple[str, ...]
    files: Mapping[str, int]

    @property
    def bytes(self) -> int:
        """Bytes of all files together."""
        return sum(self.files.values())


def packed(study: Study | None, folder: Path, *, most_bytes: int = MOST_BYTES) -> JobPackage:
    """Copies what travels into an empty folder; InputError, naming the largest files, for more than Ray takes.

    Without a study it is the code alone. StudyError for a tasks file, or another file that the study names, by an
    absolute path.
    """
    own = Path(__file__).parents[1]
    jobs = own.parent / "ray_jobs"
    wanted = {f"stilts/{path.relative_to(own).as_posix()}": path for path in _files(own)}
    wanted |= {f"ray_jobs/{path.name}": path for path in _files(jobs)}
    named = _named(study) if study else []
    near = Path(os.path.commonpath([path.parent for path in named])) if named else own
    names = [f"{_STUDY_FOLDER}/{path.relative_to(near).as_posix()}" for path in named]
    wanted |= zip(names, named, strict=True)
    sizes = {name: path.stat().st_size for name, path in wanted.items()}
    _check_size(sizes, most_bytes)
    for name, path in wanted.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / name)
    return JobPackage(
        folder=folder,
        study=names[0] if study else "",
        overlays=tuple(names[1 : len(study.layers)]) if study else (),
        encoder=study.member if study else None,
        entry=(ENTRY,) if ENTRY in wanted else ("-m", "stilts.cli.main", "run"),
        files=sizes,
    )


def datasets_beside(study: Study) -> list[Dataset]:
    """The datasets of the study's tasks file whose files lie beside it: they do not travel."""
    if study.file.tasks is None:
        return []
    data = study.file.data
    own = read_tasks(study.folder / study.file.tasks).datasets
    return [
        one
        for one in own
        if one.files is not None
        and one.files.root == USER_ROOT
        and Source(data.sources.get(one.name, data.source)) is Source.FILES
    ]


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in _CODE and "__pycache__" not in path.parts:
            yield path


def _named(study: Study) -> list[Path]:
    """The study file, its overlays, and all that they name and that travels, as absolute paths in this order."""
    found = [layer.path for layer in study.layers]
    if study.file.tasks is not None:
        tasks = _relative(study, "tasks", study.file.tasks)
        fields = FileFields.model_validate(parsed_yaml(yaml_text(tasks), tasks, begins="datasets:"))
        found += [tasks, *(tasks.parent / one.labels_file for one in fields.tasks.values() if one.labels_file)]
    priors = [name for name in study.file.policy.priors if name.endswith(".csv")]
    found += [_relative(study, "policy.priors", name) for name in priors]
    return [Path(os.path.abspath(path)) for path in found]


def _relative(study: Study, field: str, path: str) -> Path:
    if os.path.isabs(path):
        raise StudyError(
            study.at(field),
            f"{path} is an absolute path",
            "The file travels with the study, and on a node it lies elsewhere",
            "Write its path relative to the study file",
        )
    where = study.folder / path
    if not where.is_file():
        raise StudyError(study.at(field), f"there is no file {where}", "", "Correct the path")
    return where


def _check_size(sizes: Mapping[str, int], most_bytes: int) -> None:
    total = sum(sizes.values())
    if total <= most_bytes:
        return
    largest = sorted(sizes.items(), key=lambda item: -item[1])[:_LARGEST]
    listed = ", ".join(f"{name} ({sized(size)})" for name, size in largest)
    raise InputError(
        "the package of the job",
        f"it has {sized(total)}, and Ray takes {sized(most_bytes)}",
        f"Its largest files are {listed}",
        "Take them out of the folder of stilts or of the study: data and checkpoints go where every node has them",
    )
