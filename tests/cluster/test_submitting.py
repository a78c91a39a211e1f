"""What README.md and deploy/README.md say, typed as it stands there: a study is submitted, stopped, submitted again."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.lab import Lab
from tests.cluster.machines import until
from tests.cluster.parts import BUCKET
from tests.e2e.studies import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]

# The study that the README submits, made short before anything is typed: 40 stages.
_SHORTER = {
    "steps: 600": "steps: 40",
    "steps: 150": "steps: 20",
    "steps: 200": "steps: 20",
    "steps: 60": "steps: 15",
    "count: 3": "count: 1",
}
# Typed in the user's clone: every result as it is published, times and all.
_DONE = """
import json
from stilts.store.opening import find_store
store = find_store("{store}")
print(json.dumps({{key: store.result(key) for key in store.done()}} if store else {{}}))
"""
# The study's parent run as MLflow has it, and its files, which MLflow hands out.
_READ_BACK = """
import json, sys
from pathlib import Path
from mlflow import MlflowClient
client = MlflowClient()
runs = client.search_runs([client.get_experiment_by_name("demo").experiment_id], max_results=5000)
(parent,) = [run for run in runs if run.data.tags["stilts.kind"] == "study"]
table = Path(client.download_artifacts(parent.info.run_id, "matrix.csv", sys.argv[1])).read_text()
print(json.dumps({"metrics": parent.data.metrics, "table": table, "job": parent.data.tags["ray_job"]}))
"""
# What lies in the bucket, without MLflow, and the one object of a name.
_IN_BUCKET = """
import json, s3fs
files = s3fs.S3FileSystem()
found = files.find("{bucket}")
(table,) = [path for path in found if path.endswith("/artifacts/matrix.csv")]
print(json.dumps({{"paths": found, "table": files.cat_file(table).decode()}}))
"""


class Shell:
    """A shell of the user's in a fresh clone: lines that were typed stay in force, as exports do."""

    def __init__(self, cluster: Lab) -> None:
        self.machine, self.clone = cluster.user, fresh_clone(cluster.user.home / "stilts")
        self.variables = {
            **cluster.bucket.variables,
            "PYTHONPATH": f"{self.clone}:{cluster.user.environment['PYTHONPATH']}",
        }
        self.exports: list[str] = []

    def type(self, line: str) -> subprocess.CompletedProcess[str]:
        """What a line printed; an export is kept for those that follow."""
        if line.startswith("export "):
            self.exports.append(line)
        lines = "\n".join([*self.exports, line])
        return self.machine.run(["sh", "-uc", lines], cwd=self.clone, timeout=2400, **self.variables)

    def python(self, code: str, *words: object) -> Any:
        """What a piece of Python printed as JSON, run in this shell."""
        done = self.machine.run(["python", "-c", code, *words], cwd=self.clone, **self.variables)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def is_running(self) -> bool:
        return any(job["state"] in ("PENDING", "RUNNING") for job in json.loads(self.type("stilts jobs --json").stdout))

    def done(self) -> dict[str, Any]:
        """Every result of the store as it is published."""
        found: dict[str, Any] = self.python(_DONE.format(store=f"s3://{BUCKET}/stilts"))
        return found


def fresh_clone(folder: Path) -> Path:
    """What git has of the repository, or would take from the working tree."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def readme(having: str) -> list[str]:
    """The lines of the README's block that has these words, without their comments."""
    blocks = re.findall(
        r"^```bash\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    (found,) = (block for block in blocks if having in block)
    return [line.partition(" #")[0].rstrip() for line in found.splitlines()]


@pytest.fixture(scope="module")
def shell(cluster: Lab) -> Shell:
    cluster.open_tunnel()
    made = Shell(cluster)
    study = made.clone / "search_spaces/demo.yaml"
    text = study.read_text()
    for before, after in _SHORTER.items():
        assert before in text
        text = text.replace(before, after)
    study.write_text(text)
    return made


def test_what_the_readme_says_word_for_word(cluster: Lab, shell: Shell) -> None:
    begun = time.monotonic()
    export, submit, follow, stop = (line.replace("BUCKET", BUCKET) for line in readme("stilts submit"))
    if not cluster.lan.apart:
        submit = submit.replace("http://MLFLOW:5000", cluster.tracking)
        export = export.replace("localhost:8265", f"localhost:{cluster.head.machine.port(8265)}")
    shell.type(export)
    first = shell.type(submit)
    assert first.returncode == 0, first.stderr
    until(lambda: bool(shell.done()) or not shell.is_running(), within_s=1500, every_s=5)
    assert shell.is_running(), shell.type("stilts logs demo").stdout

    stopped = shell.type(stop)
    assert stopped.returncode == 0 and "checkpoint" in stopped.stdout, stopped.stderr
    log = shell.type(follow)
    assert log.returncode == 143, log.stdout + log.stderr
    for words in ("cluster of 3 nodes", f"store s3://{BUCKET}/stilts", "What is done stays done."):
        assert words in log.stdout, log.stdout
    before = shell.done()
    assert before

    study = shell.clone / "search_spaces/demo.yaml"
    study.write_text(study.read_text() + "# what we learned yesterday\n")
    (shell.clone / "notes.md").write_text("anything")
    again = shell.type(f"{submit} --follow")
    assert again.returncode == 0, again.stdout + again.stderr
    print(again.stdout, f"{time.monotonic() - begun:.0f} s from the first submit", sep="\n")
    after = shell.done()
    trained = {key for key in after if "/" not in key}
    assert set(before) < set(after) and trained - set(before), "it was not stopped in the middle"
    assert {key: after[key] for key in before} == before, "something was done twice"
    planned = sum(int(after[key]["steps"]) for key in trained)
    assert cluster.steps() == planned, "a step was taken twice"


def test_the_matrix_is_read_back_from_mlflow_and_artifacts_from_the_bucket(
    cluster: Lab, shell: Shell, tmp_path: Path
) -> None:
    shown = shell.type(f"stilts matrix demo --store s3://{BUCKET}/stilts --json")
    assert shown.returncode == 0, shown.stderr
    cells = {(cell["row"], cell["column"]): cell for cell in json.loads(shown.stdout)["cells"]}
    assert len(cells) == 20 and all(cell["state"] == "done" for cell in cells.values())

    shell.variables["MLFLOW_TRACKING_URI"] = cluster.tracking
    kept = shell.python(_READ_BACK, tmp_path)
    scores = {where: kept["metrics"][".".join(("score", *where))] for where in cells}
    assert scores == {where: cell["score"] for where, cell in cells.items()}
    gains = {where: cell["gain"] for where, cell in cells.items() if where[0] != "none"}
    assert {where: kept["metrics"][".".join(("gain", *where))] for where in gains} == gains
    table = {(line["row"], line["column"]): line for line in csv.DictReader(io.StringIO(kept["table"]))}
    assert {where: float(line["score"]) for where, line in table.items()} == scores

    bucket = shell.python(_IN_BUCKET.format(bucket=BUCKET))
    assert bucket["table"] == kept["table"], "MLflow hands out what lies in the bucket"
    assert {path.split("/")[1] for path in bucket["paths"]} == {"stilts", "mlflow"}
    assert json.loads(shell.type("stilts jobs --json").stdout)[0]["submission_id"] == kept["job"]
