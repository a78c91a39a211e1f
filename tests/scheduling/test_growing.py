"""A cluster that has no node for a stage when a run begins: the run waits, and goes on once there is one."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.ray_head import lacking, ray_head, ray_node
from tests.e2e.studies import command, opened, tiny_study

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(bool(lacking()), reason=f"the extra cluster is not installed: no {', '.join(lacking())}"),
]


def test_a_node_that_comes_later_is_used(tmp_path: Path) -> None:
    study = tiny_study(tmp_path, targets={"udpos": {"languages": ["en"]}}, intermediates={"none": None})
    words = command("run", study, "--tracking-uri", "none", "--store", tmp_path / "store")
    with ray_head(tmp_path, num_cpus=0) as head, (tmp_path / "run.log").open("w") as log:
        driver = subprocess.Popen(
            [*words, "--address", head.gcs], cwd=tmp_path, env=head.node_env, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            until = time.monotonic() + 200
            while "it waits for one that does" not in (tmp_path / "run.log").read_text():
                assert driver.poll() is None and time.monotonic() < until, (tmp_path / "run.log").read_text()
                time.sleep(0.5)
            time.sleep(5.0)  # Tune asks for its first trial by then, and gets none
            with ray_node(head, tmp_path):
                assert driver.wait(200) == 0, (tmp_path / "run.log").read_text()
        finally:
            driver.kill()
    assert len([key for key in opened(tmp_path / "store").done() if "/" not in key]) == 1
