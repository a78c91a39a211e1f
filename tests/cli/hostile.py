"""A study whose labels, licence, domain, question and texts try to act: on a terminal, in Markdown, HTML and LaTeX."""

from __future__ import annotations

import json
import re
from pathlib import Path

ESCAPES = "\x1b]0;PWNED\x07\x1b[31mRED\x1b[2J\x9b1A\x7f\u202egnp.exe\u2066\u2028"
HTML = "<script>document.title='XSS'</script><img src=x onerror=\"document.title='XSS'\">"
LINKS = "[c](javascript:alert(1)) ![i](http://127.0.0.1:9/x.png) | `a` | **b** &lt;"
ALL = f"{HTML}{ESCAPES} {LINKS}\n---\nDone."
LABELS = ["</script>", "=cmd|' /C calc'!A0", f"[red]x[/red] :car: {ESCAPES}"]
# What acts on a terminal; a line end is looked at where it matters.
RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def hostile_study(folder: Path, encoder: Path) -> Path:
    """The study's file; its data and tasks lie beside it."""
    for name, num in (("train-en", 90), ("test-en", 40), ("test-de", 40)):
        lines = [_example(name, number) for number in range(num)]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    tasks = {
        "datasets": {
            "mine": {
                "languages": {"train": ["en"], "test": ["en", "de"]},
                "licence": ALL,
                "domain": ALL,
                "citation": ALL,
                "files": {
                    "reader": "pair_jsonl",
                    "splits": {"train": "train-{lang}.jsonl", "test": "test-{lang}.jsonl"},
                },
            }
        },
        "tasks": {
            "mine": {
                "kind": "classification",
                "metric": "accuracy",
                "description": ALL,
                "labels": LABELS,
                "train": {"dataset": "mine", "split": "train", "part": "rest"},
                "dev": {"dataset": "mine", "split": "train", "part": "tenth"},
                "test": {"dataset": "mine", "split": "test"},
            }
        },
    }
    study = {
        "name": "hostile",
        "question": ALL,
        "encoder": {"path": str(encoder)},
        "data": {"source": "files", "root": "."},
        "tasks": "tasks.yaml",
        "defaults": {
            "intermediate": {"steps": 2, "learning_rate": 5e-4},
            "target": {"steps": 4, "learning_rate": 5e-4},
            "encoding": {"max_length": 64, "batch_size": 8, "layer": 4},
        },
        "intermediates": {"none": None, "mine": None},
        "targets": {"mine": None},
        "resources": {"cpus": 1},
    }
    (folder / "tasks.yaml").write_text(json.dumps(tasks))  # JSON is YAML
    (folder / "study.yaml").write_text(json.dumps(study))
    return folder / "study.yaml"


def _example(name: str, number: int) -> dict[str, str]:
    return {
        "text": f"{name} {number} {(HTML, ESCAPES, LINKS)[number % 3]}",
        "text_pair": f"{ESCAPES} {number}",
        "label": LABELS[number % 3],
    }
