"""A home folder with much in it that looks nearly like a store's, every verb's words, and what is compared."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import typer

from stilts.cli.main import app, main
from stilts.store.layout import LAYOUT, is_object
from stilts.store.seal import is_sealed, unseal

HEX32 = "0123456789abcdef" * 2
ATTEMPT = "attempt-0123456789abcdef"
MONTH_S = 30 * 24 * 3600
FILES = {
    "photos/img.jpg": "a photo",
    "files/photos/2020/summer/img.jpg": "a photo",
    "files/letters/will.txt": "a letter",
    "files/a.txt": "a file",
    f"files/train-mnli-0123456789ab/{ATTEMPT}/weights.bin": "weights of my own",
    "files/train-xnli-0123456789ab/model/weights.bin": "weights of my own",
    f"{ATTEMPT}": "a file that has this name",
    "tmp/keep/thesis.txt": "a thesis",
    f"tmp/{HEX32}/chapter.txt": "a chapter",
    f"tmp/{HEX32[::-1]}": "notes",
    "stages/train-x-0123456789ab/done.json": '{"attempt": "../../../photos", "published": 0, "files": []}',
    "stages/band/songs.txt": "songs",
    "records/studies/little.json": "{}",
    "records/vinyl.csv": "a list of records",
    "leases/flat.pdf": "a lease",
    "leases/train-x-0123456789ab/00000001.json": '{"beat": 0}',
    "progress/2020/00000001.json": "{}",
    f"progress/train-x-0123456789ab/00000001-{HEX32[:16]}/weights": "x",
    "cache/thumbnails/1.png": "a thumbnail",
    "spool/pending.json": "[]",
    "damaged/disk.img": "a disk",
    "stilts_store/notes.txt": "notes on stores",
    "line\nend/\x1b[2J.txt": "odd names",
    ".config/rc": "settings",
    ".DS_Store": "x",
}
LINKS = {"me": ".", "pictures": "photos", "nowhere": "gone", "circle": "circle", "desk/tmp": "../tmp"}
# What holds nothing: only a run may write there.
EMPTY = ("empty",)


def make_home(home: Path) -> Path:
    """The folder, filled; everything in it is a month old."""
    for name, text in FILES.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    for name in EMPTY:
        (home / name).mkdir()
    (home / "desk").mkdir()
    for name, target in LINKS.items():
        (home / name).symlink_to(target)
    os.mkfifo(home / "pipe")
    before = time.time() - MONTH_S
    for path in [*home.rglob("*"), home]:
        os.utime(path, (before, before), follow_symlinks=False)
    return home


def snapshot(*roots: Path) -> dict[str, object]:
    """Everything below the folders: kind and mode, owner, links, times, and bytes or where a link leads."""
    return {str(path): _facts(path) for root in roots for path in (root, *_below(root))}


def _below(folder: Path) -> Iterator[Path]:
    if not folder.is_dir() or folder.is_symlink():
        return
    for entry in os.scandir(folder):
        yield Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            yield from _below(Path(entry.path))


def _facts(path: Path) -> object:
    facts = path.lstat()
    held = os.readlink(path) if path.is_symlink() else path.read_bytes() if stat.S_ISREG(facts.st_mode) else b""
    return facts.st_mode, facts.st_uid, facts.st_nlink, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_size, held


# Where no cluster is.
NOBODY = "http://127.0.0.1:1"


def verbs(study: object, out: Path) -> Mapping[str, list[object]]:
    """How every verb is typed, by a name that begins with the verb; what it writes beside the store goes to ``out``."""
    tracking = ["--tracking-uri", f"sqlite:///{out}/mlflow.db"]
    return {
        "matrix": ["matrix", study],
        "compare": ["compare", study, study],
        "best": ["best", study],
        "status": ["status", study],
        "plan": ["plan", study],
        "explain": ["explain", study],
        "report": ["report", study, "--out", out / "report"],
        "export": ["export", study, "--target", "xnli", "--model", out / "model"],
        "export --submission": ["export", study, "--submission", out / "predictions"],
        "rescore": ["rescore", study],
        "estimates": ["estimates", study],
        "replay": ["replay", study, "--policy", "random", "--budget", "0.5", "--repeats", "1"],
        "track": ["track", *tracking],
        "gc": ["gc"],
        "gc --dry-run": ["gc", "--dry-run"],
        "gc --unreferenced": ["gc", "--unreferenced"],
        "mend": ["mend", study],
        "mend --dry-run": ["mend", study, "--dry-run"],
        "run": ["run", study, "--local", "--tracking-uri", "none", "--threads", "1"],
        "ui": ["ui", "--how", *tracking],
        "validate": ["validate", study],
        "tasks": ["tasks", "--study", study],
        "score": ["score", out / "predictions", out / "labels"],
        "init": ["init", out / "new"],
        "doctor": ["doctor"],
        "fetch": ["fetch", study],
        "submit": ["submit", study, "--address", NOBODY, "--store", "/mnt/store", "--tracking-uri", "none"],
        "jobs": ["jobs", "--address", NOBODY],
        "logs": ["logs", study, "--address", NOBODY],
        "stop": ["stop", study, "--address", NOBODY],
        "profile": ["profile", study, "--stage", "scores of none > xnli"],
    }


def commands() -> dict[str, Any]:
    """The verbs that the command line has."""
    return dict(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def takes_a_store(verb: str) -> bool:
    return any("--store" in parameter.opts for parameter in commands()[verb.partition(" ")[0]].params)


def ended(*words: object, env: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """(status, standard output, standard error) of the command line, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["stilts", *map(str, words)]),
        mock.patch.dict(os.environ, env or {}),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
            status: Any = 0
        except SystemExit as end:
            status = end.code or 0
    return int(status), out.getvalue(), err.getvalue()


def messages(err: str) -> list[str]:
    """The messages of errors among the lines."""
    return [line for line in err.splitlines() if line.partition(":")[0].endswith("Error")]


def as_of_old(store: Path) -> None:
    """Takes the seals off a store, as it was before there were any."""
    for path in store.rglob("*"):
        name = path.relative_to(store).as_posix()
        if path.is_file() and is_object(name) and not name.startswith(("leases/", "tmp/")):
            data = path.read_bytes()
            assert is_sealed(data)
            path.chmod(0o644)
            path.write_bytes(unseal(name, data, required=True))
    layout = store / LAYOUT
    layout.write_text(layout.read_text().replace('"version":2', '"version":1'))
