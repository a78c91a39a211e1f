"""Small submissions, made by hand, with the figures that the official rules give them."""

from __future__ import annotations

import json
from pathlib import Path

from stilts.analysis.scoring.benchmarks import Benchmark, FileFormat

SQUAD = {
    "data": [
        {
            "paragraphs": [
                {
                    "context": "not read",
                    "qas": [
                        {"id": "q1", "answers": [{"text": "42 km"}, {"text": "42"}]},
                        {"id": "q2", "answers": [{"text": "1999"}]},
                        {"id": "q3", "answers": [{"text": "..."}]},
                    ],
                }
            ]
        }
    ]
}
# Labels and predictions of every language, and the task's score.
TASKS: dict[str, tuple[str, str, float]] = {
    "xnli": ("neutral\nentailment\ncontradiction\nneutral\n", "neutral\nneutral\ncontradiction\nneutral\n", 75.0),
    "pawsx": ("0\n1\n", "0\n0\n", 50.0),
    # Names: PER (0-1) and LOC; found: PER (0-1), LOC of another length. 1 of 2 and 1 of 2.
    "panx": ("B-PER\nI-PER\nO\nB-LOC\nI-LOC\n\nO\n\n", "B-PER\nI-PER\nO\nB-LOC\nO\n\nO\n\n", 50.0),
    # NOUN run, VERB, DET; found: NOUN, VERB run, DET. One of three.
    "udpos": ("NOUN\nNOUN\nVERB\n\nDET\n\n", "NOUN\nVERB\nVERB\n\nDET\n\n", 100 / 3),
    # Two of three mined are right, two of four found; the duplicate counts once.
    "bucc2018": ("a\tx\nb\ty\nc\tz\nd\tw\n", "a\tx\nb\ty\nb\ty\nc\tx\n", 200 * (2 / 3 * 1 / 2) / (2 / 3 + 1 / 2)),
    "tatoeba": ("0\n1\n2\n3\n", "0\n1\n2\n0\n", 75.0),
    # q1: exact by its second answer; q2 missing; q3 normalises to nothing: exact, F1 0. EM 2/3, F1 1/3.
    **dict.fromkeys(("xquad", "mlqa", "tydiqa"), (json.dumps(SQUAD), '{"q1": "(42)", "q3": ""}', 50.0)),
    "xcopa": ('{"label": 0}\n{"label": 1}\n', '{"label": 0}\n{"label": 0}\n', 50.0),
    # Ranks 2 and 21, and a missing one.
    "mewslix": (
        '{"m1": ["Q1"], "m2": ["Q2"], "m3": ["Q3"]}',
        json.dumps({"m1": ["Q9", "Q1"], "m2": [*(f"Q{n}" for n in range(100, 120)), "Q2"]}),
        100 / 6,
    ),
    "lareqa": ('{"q": ["a", "b"], "r": ["c"]}', '{"q": ["a", "x", "b"], "r": ["x"]}', 100 * (1 + 2 / 3) / 4),
}


def write(folder: Path, benchmark: Benchmark, tasks: tuple[str, ...] | None = None) -> tuple[Path, Path]:
    """The folders of predictions and labels of a whole submission, the same in every language."""
    sides = folder / "predictions", folder / "labels"
    for name in tasks or tuple(benchmark.tasks):
        task = benchmark.tasks[name]
        for code in task.languages:
            for side, text in zip(sides, (TASKS[name][1], TASKS[name][0]), strict=True):
                file = side / name / f"test-{code}.{task.format.suffix}"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8", newline="")
    return sides


def example_of(form: FileFormat) -> str:
    """A task of that format."""
    return {
        FileFormat.LABELS: "xnli",
        FileFormat.TAGS: "panx",
        FileFormat.PAIRS: "bucc2018",
        FileFormat.CHOICES: "xcopa",
        FileFormat.ANSWERS: "mlqa",
        FileFormat.ENTITIES: "mewslix",
        FileFormat.RANKINGS: "lareqa",
    }[form]
