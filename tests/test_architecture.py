"""The floors and import rules of the package, checked by reading the imports of every file.

``docs/architecture.md`` says what the floors are for. A rule is a function from sources (path below the repository's
root -> text) to sentences about what breaks it, so that each is also tried on small made-up sources that break it.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
Sources = Mapping[str, str]

FLOORS = {
    **dict.fromkeys(("ground",), 0),
    **dict.fromkeys(("metrics", "store"), 1),
    **dict.fromkeys(("tasks",), 2),
    **dict.fromkeys(("data", "models", "study"), 3),
    **dict.fromkeys(("kinds", "ledger"), 4),
    **dict.fromkeys(("training",), 5),
    **dict.fromkeys(("estimate", "robustness", "search"), 6),
    **dict.fromkeys(("execute", "analysis"), 7),
    **dict.fromkeys(("scheduling", "tracking", "report"), 8),
    **dict.fromkeys(("app",), 9),
    **dict.fromkeys(("cli", "ray_jobs", "face"), 10),
}
# Files of the package's root that make up the ground floor.
GROUND = {"addresses", "bounded_file", "bounded_json", "errors", "fingerprint", "seeds", "shown", "whole_file"}
FACES = {"cli", "ray_jobs", "face"}  # one room in three places: the verbs, what is submitted, stilts/__init__.py

# A package that may be imported only in these rooms, at whatever depth of a function.
ONLY_IN = {
    "ray": {"scheduling", "ray_jobs"},
    "mlflow": {"tracking"},
    "optuna": {"search"},
    "resvg_py": {"report"},
    "torch": set(FLOORS) - {"ground", "metrics", "tasks", "study", "store", "ledger", "search", "analysis"},
    "transformers": set(FLOORS)
    - {"ground", "metrics", "tasks", "study", "store", "ledger", "search", "analysis"},  # brings torch
}
# Rooms that may import nothing else from outside than this.
NOTHING_BUT: Mapping[str, set[str]] = {"ground": set(), "metrics": {"numpy", "scipy", "seqeval"}}
# What must suffice for `import stilts.execute`, so that a stage runs on any box that can train.
EXECUTE_NEEDS = {
    "torch",
    "transformers",
    "tokenizers",
    "numpy",
    "safetensors",
    "fsspec",
    "pydantic",
    "typing_extensions",
}

# What makes examples of a kind, and what declares tasks of it.
MAKE_EXAMPLES = ("stilts/data/readers/", "stilts/data/toy/")
# Where a word that is also a kind's name means something else: XTREME's groups of tasks, a field of the study file.
NAMED_LIKE_A_KIND = {
    "stilts/metrics/averages.py",
    "stilts/analysis/scoring/benchmarks.py",
    "stilts/analysis/scoring/submission.py",
    "stilts/study/baselines.py",
}
# What takes long to load, or is not everywhere where a stage runs: a function may import what brings one of these.
HEAVY = {"torch", "transformers", "ray", "mlflow", "optuna", "datasets", "pyarrow", "resvg_py"}
# What a store has for records: only the ledger calls it, and the store itself.
RECORD_CALLS = {"write_record", "read_record", "has_record", "record_bodies", "records", "delete_record", "record_path"}
# Who may read in the ledger what became of a stage, and what it published; everyone else asks a StudyView for it. The
# last two are the run itself, which writes these records and knows of stages that the store does not know yet.
READ_STATES = {"ledger", "search", "execute"}
STATES_ARE_READ_BY = {"FAILURES", "PRUNED", "SUMMARIES", "results_of", "result_of", "evaluation_of", "payload_of"}
STATE_WORDS = {"pending", "missing"}  # the values of State that mean nothing else above the ledger
# It holds what the view says against what was published.
BESIDE_THE_VIEW = {"stilts/analysis/rescoring.py"}
BANNED_STEMS = {"utils", "helpers", "common", "misc", "manager", "base"}
UNFINISHED = re.compile("|".join((r"\bTO" + r"DO\b", r"\bFIX" + r"ME\b")))
RAY_JOB_LINES = 60
LEDGER = "stilts/ledger/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One imported name, dotted from its top package; ``at_load`` if it happens when the module is imported."""

    name: str
    line: int
    at_load: bool

    @property
    def top(self) -> str:
        return self.name.partition(".")[0]


@cache
def parsed(path: str, text: str) -> ast.Module:
    """The file's syntax, read once for all rules."""
    return ast.parse(text, path)


@cache
def imports(path: str, text: str) -> list[Import]:
    """Every import of a file, inside functions and under TYPE_CHECKING too."""
    return list(_walk(parsed(path, text), module_of(path), path.endswith("__init__.py"), at_load=True))


def _walk(node: ast.AST, module: str, is_package: bool, *, at_load: bool) -> Iterator[Import]:
    for name in _names(node, module, is_package):
        yield Import(name=name, line=getattr(node, "lineno", 0), at_load=at_load)
    children: list[ast.AST] = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        for guarded in node.body:
            yield from _walk(guarded, module, is_package, at_load=False)
        children = list(node.orelse)
    inside = at_load and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    for child in children:
        yield from _walk(child, module, is_package, at_load=inside)


def _names(node: ast.AST, module: str, is_package: bool) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        start = module.split(".")
        cut = node.level - (1 if is_package else 0)
        near = start[: len(start) - cut] if node.level else []
        origin = ".".join([*near, *([node.module] if node.module else [])])
        return [origin if alias.name == "*" else f"{origin}.{alias.name}" for alias in node.names]
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        called = ast.unparse(node.func).rpartition(".")[2]
        if called in {"import_module", "__import__"} and isinstance(node.args[0].value, str):
            return [node.args[0].value]
    return []


def module_of(path: str) -> str:
    """``stilts/study/plan.py`` -> ``stilts.study.plan``; a package's ``__init__.py`` -> the package."""
    return path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def room_of(name: str) -> str | None:
    """The room of a dotted name of ours (``stilts.Study`` is the face's), None for anything else."""
    top, *rest = name.split(".")
    if top == "ray_jobs":
        return "ray_jobs"
    if top != "stilts":
        return None
    if rest and rest[0] in GROUND:
        return "ground"
    return rest[0] if rest and rest[0] in FLOORS else "face"


def is_outside(name: Import) -> bool:
    return room_of(name.name) is None and name.top not in sys.stdlib_module_names


def unknown_rooms(sources: Sources) -> list[str]:
    """Files of the package that stand in no room of the table above."""
    known = {f"stilts/{name}.py" for name in GROUND | {"__init__"}}
    ours = [path for path in sources if path.startswith("stilts/")]
    rooms = set(FLOORS) - {"ground", "face", "ray_jobs"}
    return [
        f"{p}: no known room" for p in ours if p not in known and (p.count("/") < 2 or p.split("/")[1] not in rooms)
    ]


def floor_breaks(sources: Sources) -> list[str]:
    """Imports of a higher floor, or of another room of the same floor."""
    found = []
    for path, text in sources.items():
        own = room_of(module_of(path))
        for each in imports(path, text):
            other = room_of(each.name)
            if own is None or other is None or own == other or {own, other} <= FACES:
                continue
            if FLOORS[other] >= FLOORS[own]:
                way = "up into" if FLOORS[other] > FLOORS[own] else "across into"
                found.append(f"{path}:{each.line} imports {each.name}: {way} {other} ({FLOORS[other]})")
    return found


def outside_breaks(sources: Sources) -> list[str]:
    """Packages from outside where their room may not import them, inside functions too."""
    found = []
    for path, text in sources.items():
        own = room_of(module_of(path)) or ""
        for each in filter(is_outside, imports(path, text)):
            allowed = ONLY_IN.get(each.top, {own})
            if own not in allowed or (own in NOTHING_BUT and each.top not in NOTHING_BUT[own]):
                found.append(f"{path}:{each.line} imports {each.top}, which {own} may not")
    return found


def execute_closure(sources: Sources) -> list[str]:
    """The paths of all our modules that ``import stilts.execute`` and its files load, packages included."""
    paths = {module_of(path): path for path in sources}
    todo = [module for module in paths if module == "stilts" or module.startswith("stilts.execute")]
    seen = set(todo)
    while todo:
        path = paths[todo.pop()]
        for each in imports(path, sources[path]):
            parts = each.name.split(".") if each.at_load else []
            chain = {".".join(parts[:n]) for n in range(1, len(parts) + 1)} & paths.keys()
            todo += chain - seen
            seen |= chain
    return sorted(paths[module] for module in seen)


def execute_breaks(sources: Sources) -> list[str]:
    """What running a stage would need, at import, beyond torch and its like."""
    return [
        f"{path}:{each.line} imports {each.name} when stilts.execute is imported"
        for path in execute_closure(sources)
        for each in filter(is_outside, imports(path, sources[path]))
        if each.at_load and each.top not in EXECUTE_NEEDS
    ]


def _late_statements(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Every import statement inside a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from (one for one in ast.walk(node) if isinstance(one, ast.Import | ast.ImportFrom))


def file_graph(sources: Sources, *, at_load: bool) -> dict[str, set[str]]:
    """Which of our modules each imports itself; ``at_load`` without those under TYPE_CHECKING and inside functions."""
    modules = {module_of(path): path for path in sources}
    return {
        module: {
            found
            for each in imports(path, sources[path])
            if (each.at_load or not at_load) and (found := _file_of(each.name, modules)) not in (None, module)
        }
        for module, path in modules.items()
    }


def _file_of(name: str, modules: Mapping[str, str]) -> str | None:
    """The module that a dotted name is, or is a name of; None where it is none of ours."""
    if name in modules:
        return name
    above = name.rpartition(".")[0]
    return above if above in modules else None


def circles(graph: Mapping[str, set[str]]) -> set[frozenset[str]]:
    """The sets of modules that reach one another (strongly connected components of more than one)."""
    reach = {module: _reached(graph, module) for module in graph}
    found = {frozenset(m for m in reach[module] if module in reach[m]) for module in graph if module in reach[module]}
    return {circle for circle in found if len(circle) > 1}


def _reached(graph: Mapping[str, set[str]], start: str) -> set[str]:
    todo, seen = list(graph[start]), set(graph[start])
    while todo:
        fresh = graph[todo.pop()] - seen
        seen |= fresh
        todo += fresh
    return seen


def circle_breaks(sources: Sources) -> list[str]:
    """Files that import one another, however far around, inside functions and under TYPE_CHECKING too."""
    found = circles(file_graph(sources, at_load=False))
    return sorted(f"{', '.join(sorted(circle))} import one another" for circle in found)


def late_breaks(sources: Sources) -> list[str]:
    """Late imports of all files but the verbs', which ``stilts --help`` loads: theirs keep everything out of it."""
    graph = file_graph(sources, at_load=True)
    verbs = {module for module in _reached(graph, "stilts.cli.main") if module.startswith("stilts.cli.")}
    return [line for line in late_imports(sources) if module_of(line.partition(":")[0]) not in verbs]


def late_imports(sources: Sources) -> list[str]:
    """Imports of our own inside functions that keep nothing heavy out of the file's own loading.

    What a stage loads beyond its needs (YAML, which only toy stages ask for) counts as heavy where a stage loads the
    file. The face hands its names out late by nature.
    """
    modules = {module_of(path): path for path in sources}
    graph, needed = file_graph(sources, at_load=True), set(execute_closure(sources))
    outside = {m: {e.top for e in imports(p, sources[p]) if e.at_load and is_outside(e)} for m, p in modules.items()}
    found = []
    for module, path in modules.items():
        if path == "stilts/__init__.py":
            continue
        own = {top for one in {module, *_reached(graph, module)} for top in outside[one]}
        for node in _late_statements(parsed(path, sources[path])):
            for name in _names(node, module, path.endswith("__init__.py")):
                target = _file_of(name, modules)
                if target is None:
                    continue
                brought = {top for one in {target, *_reached(graph, target)} for top in outside[one]} - own
                if not brought & HEAVY and not (path in needed and brought - EXECUTE_NEEDS):
                    found.append(f"{path}:{node.lineno} imports {name} inside a function and keeps nothing heavy out")
    return sorted(set(found))


def doubled_classes(sources: Sources) -> list[str]:
    """Names that two classes have."""
    places: dict[str, list[str]] = {}
    for path, text in sources.items():
        for node in ast.walk(parsed(path, text)):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(f"{path}:{node.lineno}")
    return [f"{name}: {', '.join(found)}" for name, found in sorted(places.items()) if len(found) > 1]


def record_breaks(sources: Sources) -> list[str]:
    """Texts outside the ledger that name a record, and calls of what a store has for them."""
    parts = [part for path, text in sources.items() if path.startswith(LEDGER) for part in _record_parts(text)]
    first, then = ("|".join(sorted(set(filter(None, some)))) for some in zip(*parts, strict=True))
    named = re.compile(rf"^(records/)?({first})/|/({then})(/|$)")
    found = set()
    for path, text in sources.items():
        if path.startswith(LEDGER):
            continue
        tree = parsed(path, text)
        docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
                if named.search(node.value):
                    found.add(f"{path}:{node.lineno} names a record")
            elif isinstance(node, ast.Call) and not path.startswith("stilts/store/"):
                called = ast.unparse(node.func).rpartition(".")[2]
                if called in RECORD_CALLS:
                    found.add(f"{path}:{node.lineno} calls {called}")
    return sorted(found)


def _record_parts(text: str) -> Iterator[tuple[str, str]]:
    """(first, next fixed part or "") of the names of records: of the templates of a file's kinds of records."""
    for node in ast.walk(parsed("", text)):
        if isinstance(node, ast.keyword) and node.arg == "template" and isinstance(node.value, ast.Constant):
            first, *then = (part for part in str(node.value.value).split("/") if part != "{}")
            yield first, then[0] if then else ""


def ray_job_breaks(sources: Sources) -> list[str]:
    """Files of ray_jobs that hold more than a call: 60 lines or more, or functions and classes beside ``main``."""
    found = []
    for path, text in sources.items():
        if not path.startswith("ray_jobs/"):
            continue
        if len(text.splitlines()) >= RAY_JOB_LINES:
            found.append(f"{path}: {len(text.splitlines())} lines")
        kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        defined = [node.name for node in ast.walk(parsed("", text)) if isinstance(node, kinds)]
        found += [f"{path}: defines {name}" for name in defined if name != "main"]
    return found


def kind_breaks(sources: Sources) -> list[str]:
    """Places outside a task kind's own file pair that know it: by importing from its files, or by its name.

    Readers and toy generators make its examples, the catalogue declares its tasks: they may import from its files.
    """
    own = "stilts/tasks/kinds/"
    names = {Path(path).stem for path in sources if path.startswith(own)} - {"__init__"}
    files = {f"{room}.{name}" for room in ("stilts.tasks.kinds", "stilts.kinds") for name in names}
    found = []
    for path, text in sources.items():
        if path.startswith((own, "stilts/kinds/", *MAKE_EXAMPLES)) or not path.startswith("stilts/"):
            continue
        for each in imports(path, text):
            if files & {each.name, each.name.rpartition(".")[0]}:
                found.append(f"{path}:{each.line} imports {each.name}, a kind's own")
        if path not in NAMED_LIKE_A_KIND:
            words = [node for node in ast.walk(parsed(path, text)) if isinstance(node, ast.Constant)]
            found += [f'{path}:{node.lineno} names the kind "{node.value}"' for node in words if node.value in names]
    return found


def kinds_that_are_no_pair(sources: Sources) -> list[str]:
    """Kinds that lack one of their two files."""
    own = [Path(path).name for path in sources if path.startswith("stilts/tasks/kinds/") and "__init__" not in path]
    return [f"stilts/kinds/{name} is missing" for name in own if f"stilts/kinds/{name}" not in sources]


def state_breaks(sources: Sources) -> list[str]:
    """Places that work out what became of a stage, or read a result, past the one view of a study."""
    found = []
    for path, text in sources.items():
        own, nodes = room_of(module_of(path)) or "", list(ast.walk(ast.parse(text, path)))
        if own not in {"ledger", "store"}:
            leases = [node for node in nodes if isinstance(node, ast.Attribute) and node.attr == "leased"]
            found += [f"{path}:{node.lineno} asks for leases" for node in leases]
        if own in READ_STATES or path in BESIDE_THE_VIEW:
            continue
        for each in imports(path, text):
            module, _, name = each.name.rpartition(".")
            if module.startswith("stilts.ledger.") and name in STATES_ARE_READ_BY:
                found.append(f"{path}:{each.line} imports {name}: ask a StudyView")
        if FLOORS.get(own, 0) > FLOORS["ledger"]:
            words = [node for node in nodes if isinstance(node, ast.Constant) and node.value in STATE_WORDS]
            found += [f'{path}:{node.lineno} decides on "{node.value}"' for node in words]
    return found


def name_breaks(sources: Sources) -> list[str]:
    """Files and folders whose name does not say what their idea is."""
    return [f"{p}: {part}" for p in sources for part in Path(p).with_suffix("").parts if part in BANNED_STEMS]


def unfinished(sources: Sources) -> list[str]:
    """Lines that promise work instead of doing it."""
    return [f"{p}:{n} {line.strip()}" for p in sources for n, line in _lines(sources[p]) if UNFINISHED.search(line)]


def _lines(text: str) -> Iterator[tuple[int, str]]:
    return enumerate(text.splitlines(), start=1)


def undeclared(sources: Sources, requirements: Mapping[str, Requirement]) -> list[str]:
    """Packages from outside that are imported and not declared."""
    names = {"yaml": "pyyaml"}
    outside = {(each.top, path) for path, text in sources.items() for each in filter(is_outside, imports(path, text))}
    return [f"{p}: {top}" for top, p in sorted(outside) if canonicalize_name(names.get(top, top)) not in requirements]


def written_decisions(sources: Sources) -> list[str]:
    """Lines that write the record of a decision themselves: ``ledger/decisions.py`` keeps them all."""
    written = re.compile(r"\b(CONFIRMATIONS|DECISIONS|GRANTS|JUDGED|PROPOSALS|PRUNED|ROW_ENDS|STOPPED)\.write\(")
    ours = [path for path in sources if path.startswith("stilts/")]
    return [
        f"{path}:{number}: {line.strip()}"
        for path in ours
        for number, line in _lines(sources[path])
        if written.search(line)
    ]


RULES = (
    unknown_rooms,
    floor_breaks,
    outside_breaks,
    execute_breaks,
    ray_job_breaks,
    kind_breaks,
    kinds_that_are_no_pair,
    state_breaks,
    name_breaks,
    unfinished,
    circle_breaks,
    late_breaks,
    doubled_classes,
    record_breaks,
    written_decisions,
)
MADE_UP: tuple[tuple[Callable[[Sources], list[str]], str, str], ...] = (
    (unknown_rooms, "stilts/plugins/load.py", ""),
    (unknown_rooms, "stilts/config.py", ""),
    (floor_breaks, "stilts/store/x.py", "from stilts.execute import run_stage"),
    (floor_breaks, "stilts/store/x.py", "def f():\n    import stilts.scheduling.tuner"),
    (floor_breaks, "stilts/store/x.py", "from ..execute.run_stage import run_stage"),
    (floor_breaks, "stilts/models/__init__.py", "from ..data import load"),
    (
        floor_breaks,
        "stilts/store/x.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from stilts import cli",
    ),
    (floor_breaks, "stilts/study/x.py", "from stilts.models.encoder import Encoder"),
    (floor_breaks, "stilts/study/x.py", "from stilts import Study"),
    (floor_breaks, "stilts/app/x.py", "from stilts.cli.options import say"),
    (floor_breaks, "stilts/report/x.py", "def f():\n    from stilts.app.places import store_url"),
    (floor_breaks, "stilts/errors.py", "import importlib\nimportlib.import_module('stilts.tasks')"),
    (outside_breaks, "stilts/tasks/x.py", "def f():\n    import torch"),
    (outside_breaks, "stilts/study/x.py", "from transformers import AutoConfig"),
    (outside_breaks, "stilts/search/x.py", "from ray import tune"),
    (outside_breaks, "stilts/cli/x.py", "import mlflow.tracking"),
    (outside_breaks, "stilts/scheduling/x.py", "import optuna"),
    (outside_breaks, "stilts/metrics/x.py", "import pandas"),
    (outside_breaks, "stilts/seeds.py", "import numpy"),
    (execute_breaks, "stilts/execute/x.py", "class A:\n    import datasets"),
    (execute_breaks, "stilts/__init__.py", "import pandas"),
    (ray_job_breaks, "ray_jobs/x.py", "def main(): ...\ndef decide(): ..."),
    (ray_job_breaks, "ray_jobs/x.py", "\n" * RAY_JOB_LINES),
    (kind_breaks, "stilts/study/x.py", "from stilts.tasks.kinds.tagging import TaggingExample"),
    (kind_breaks, "stilts/training/x.py", "def f():\n    from stilts.kinds import tagging"),
    (kind_breaks, "stilts/report/x.py", 'LINES = {"tagging": 1}'),
    (kind_breaks, "stilts/cli/x.py", 'def f(column):\n    return column.kind == "tagging"'),
    (kinds_that_are_no_pair, "stilts/tasks/kinds/x.py", ""),
    (state_breaks, "stilts/analysis/x.py", "from stilts.ledger.records import FAILURES"),
    (state_breaks, "stilts/report/x.py", "def f():\n    from stilts.ledger.results import results_of"),
    (state_breaks, "stilts/search/x.py", "def f(store):\n    return store.leased()"),
    (state_breaks, "stilts/tracking/x.py", 'def f(done):\n    return "done" if done else "missing"'),
    (name_breaks, "stilts/study/utils.py", ""),
    (name_breaks, "stilts/common/x.py", ""),
    (unfinished, "stilts/study/x.py", "# TO" + "DO: later"),
    (written_decisions, "stilts/search/x.py", "def f(store):\n    GRANTS.write(store, grant, 'study')"),
    (
        circle_breaks,
        "stilts/study/file.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from . import plan",
    ),
    (circle_breaks, "stilts/study/file.py", "def f():\n    from stilts.study.plan import Plan"),
    (circle_breaks, "stilts/errors.py", "import stilts.study.plan"),
    (late_breaks, "stilts/cli/x.py", "def f():\n    from stilts.study.file import Study"),
    (late_breaks, "stilts/study/x.py", "def f():\n    from stilts.study.file import Study"),
    (late_breaks, "stilts/training/x.py", "import torch\ndef f():\n    from stilts.kinds import learning"),
    (doubled_classes, "stilts/study/x.py", "class Failure: ...\nclass _Own: ...\ndef f():\n    class _Own: ..."),
    (doubled_classes, "stilts/store/x.py", "class Kept: ..."),
    (record_breaks, "stilts/search/x.py", 'def f(name):\n    return f"studies/{name}/pruned"'),
    (record_breaks, "stilts/search/x.py", 'def f(place, name):\n    return f"{place}/pruned/{name}"'),
    (record_breaks, "stilts/cli/x.py", 'PLACE = "records/failures/{}.json"'),
    (record_breaks, "stilts/tracking/x.py", "def f(store):\n    return store.records(given)"),
)
FINE: Sources = {
    "stilts/__init__.py": "def __getattr__(name):\n    from stilts.app.running import run\n    import pandas",
    "stilts/errors.py": "import json",
    "stilts/study/plan.py": "from stilts.study.file import Study\nfrom . import file\nfrom stilts import errors",
    "stilts/study/file.py": "import pydantic\nclass Kept: ...",
    "stilts/ledger/records.py": "A = Kind(template='failures/{}')\nB = Kind(template='studies/{}/pruned/{}')",
    "stilts/analysis/x.py": "def f():\n    'studies/x/pruned'\n    return 'failures'",
    "stilts/execute/run_stage.py": "import torch\nfrom stilts import errors\ndef f():\n    import datasets",
    "stilts/tasks/kinds/tagging.py": "NAME = 'tagging'",
    "stilts/kinds/tagging.py": "from stilts.tasks.kinds.tagging import NAME",
    "stilts/kinds/learning.py": "import torch",
    "stilts/data/readers/tags.py": "from stilts.tasks.kinds.tagging import NAME",
    "stilts/cli/kinds.py": "from stilts.tasks.kinds import kind_named",
    "stilts/search/proposals.py": "def f():\n    import optuna",
    "stilts/app/running.py": "import stilts.study.plan\ndef f():\n    from stilts.kinds import learning",
    "stilts/cli/main.py": "from stilts.scheduling import tuner\nfrom stilts.cli import verbs\nimport stilts",
    "stilts/cli/verbs.py": "def f():\n    from stilts.study.file import Study",
    "ray_jobs/run_study.py": "import ray\nfrom stilts.cli.main import main",
}


@pytest.fixture(scope="module")
def sources() -> Sources:
    files = [path for folder in ("stilts", "ray_jobs") for path in sorted((ROOT / folder).rglob("*.py"))]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in files}


def requirements_of(*extras: str) -> dict[str, Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
    return {canonicalize_name(Requirement(line).name): Requirement(line) for line in lines}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_package_keeps_the_rule(rule: Callable[[Sources], list[str]], sources: Sources) -> None:
    assert not (found := rule(sources)), "\n".join(["", *found])


@pytest.mark.parametrize(("rule", "path", "text"), MADE_UP)
def test_the_rule_catches(rule: Callable[[Sources], list[str]], path: str, text: str) -> None:
    assert len(rule({**FINE, path: text})) == 1


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_rule_lets_pass_what_is_fine(rule: Callable[[Sources], list[str]]) -> None:
    assert rule(FINE) == []


def test_execute_is_followed_through_other_modules_and_their_packages() -> None:
    far = {"stilts/execute/x.py": "import stilts.study.plan", "stilts/study/__init__.py": "import yaml"}
    found = execute_breaks({**FINE, **far})
    assert [line.partition(":")[0] for line in found] == ["stilts/study/__init__.py"]


def test_execute_is_there_to_be_followed(sources: Sources) -> None:
    assert "stilts/study/stage.py" in execute_closure(sources)


def test_every_import_is_declared(sources: Sources) -> None:
    assert undeclared(sources, requirements_of()) == []
    assert undeclared({"stilts/data/x.py": "import leftpad"}, requirements_of()) == ["stilts/data/x.py: leftpad"]


def test_every_dependency_is_pinned_within_its_range() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]
    pins = {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}
    declared = requirements_of("dev", "cluster", "s3", "server", "lab")
    assert pins.keys() == declared.keys()
    assert [name for name, pin in pins.items() if not declared[name].specifier.contains(pin)] == []
