"""Takes the pictures of ``docs/images``: a study in MLflow and in its report, at one and two pixels a CSS pixel.

    python -m tests.browser.screenshots STUDY --store STORE --out docs/images

The study is tracked into a database of its own, in a folder that is deleted afterwards; the store is only read.
``--only report report-390`` takes these alone.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path

from PIL import Image

from stilts.study.record import NONE_ROW
from stilts.tracking.study_link import study_page
from tests.browser.chromium import Browser, chromium
from tests.browser.mlflow_ui import MLflowUi
from tests.browser.server import mlflow_server
from tests.e2e.studies import stilts

WIDTH, HEIGHT = 1280, 720
SCALES = {1: "", 2: "@2x"}
MAX_BYTES = 250_000
# The report's first pages: width and height of the window.
PAGES = {"report": (1280, 1720), "report-390": (390, 2400)}
FIGURES = {"heat-map": "#matrix figure .has-narrow svg", "forest-plot": "#targets figure .panels"}
Shoot = Callable[..., None]


def mlflow_pictures(ui: MLflowUi, shoot: Shoot) -> None:
    """The way of a reader: the list of experiments, the runs by gain, their charts, the study, a run, a comparison."""
    ui.forget()
    ui.open_experiments()
    shoot("mlflow-experiments")
    link = f"{ui.address}{study_page(ui.address, ui.experiment)}"
    ui.open_link(link)
    best = ui.browser.wait("names of runs", ui.names)[0][0]
    shoot("mlflow-runs")
    ui.open_link(f"{link}&compareRunsMode=CHART")
    ui.browser.wait_for(".js-plotly-plot .point")
    ui.settle()
    shoot("mlflow-charts")
    ui.open_parent()
    ui.settle()
    shoot("mlflow-study")
    ui.open_run(best)
    ui.settle()
    shoot("mlflow-run")
    ui.compare(f"tags.target = '{ui.tag(best, 'target')}' and tags.intermediate != '{NONE_ROW}'")
    shoot("mlflow-compare")


def report_pictures(browser: Browser, page: Path, shoot: Shoot) -> None:
    browser.open(page.as_uri())
    for name, size in PAGES.items():
        shoot(name, size=size)
    for name, css in FIGURES.items():
        shoot(name, css)


def shooter(browser: Browser, out: Path, only: Collection[str]) -> Shoot:
    def shoot(name: str, css: str = "", size: tuple[int, int] = (WIDTH, HEIGHT)) -> None:
        if only and name not in only:
            return
        for scale, suffix in SCALES.items():
            browser.resize(*size, scale)
            path = out / f"{name}{suffix}.png"
            browser.picture(path, css)
            shrink(path)
            print(f"{path} {path.stat().st_size / 1000:.0f} KB", flush=True)

    return shoot


def shrink(path: Path) -> None:
    """Leaves a large picture 256 colours: enough for pages, and a third of the bytes."""
    if path.stat().st_size > MAX_BYTES:
        with Image.open(path) as picture:
            small = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        small.save(path, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", help="its name")
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="+", default=(), metavar="PICTURE", help="the names of the pictures to take")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, chromium(width=WIDTH, height=HEIGHT) as browser:
        folder, store = Path(name), given.store.resolve()
        shoot = shooter(browser, given.out, given.only)
        browser.resize(WIDTH, HEIGHT)
        checked("report", given.study, "--store", store, "--out", folder / "report", cwd=folder)
        report_pictures(browser, folder / "report" / "report.html", shoot)
        if given.only and not any(name.startswith("mlflow") for name in given.only):
            return
        checked("track", "--study", given.study, "--store", store, cwd=folder)
        with mlflow_server(folder) as address:
            mlflow_pictures(MLflowUi(browser, address, given.study), shoot)


def checked(*words: object, cwd: Path) -> None:
    done = stilts(*words, cwd=cwd)
    if done.returncode:
        raise SystemExit(done.stderr)


if __name__ == "__main__":
    main()
