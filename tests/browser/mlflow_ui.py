"""MLflow's web pages as tests read them. All selectors stand here: they are what an upgrade may break."""

from __future__ import annotations

import json
import re
import time
import urllib.parse
import urllib.request
from typing import Any

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.browser.chromium import Browser

# MLflow opens a study below "GenAI" unless the address says which of its two sides is meant.
TRAINING = "workflowType=machine_learning"
_RUN_NAME = "[role=gridcell][col-id='attributes.`Run Name`']"
_NOTE = "[data-testid=note-editor-preview-content]"
_METRIC = "[role=row] a[href$='/model-metrics']"
_EXPERIMENT_NOTE = "main div:has(> p)"


class MLflowUi:
    """One experiment in MLflow's web pages."""

    def __init__(self, browser: Browser, address: str, experiment: str) -> None:
        self.browser = browser
        self.address = address
        self.experiment = experiment
        self.experiment_id = str(self._experiment()["experiment_id"])

    def forget(self) -> None:
        """Empties what the pages remember: filters, columns, what is unfolded. Keeps the assistant shut."""
        self.browser.driver.get(f"{self.address}/version")  # a page of this address without scripts
        self.browser.run("localStorage.clear(); localStorage['mlflow.assistant.fab.autoOpenedOnFirstLoad_v1'] = 'true'")

    def open_runs(self, **state: str) -> None:
        """The table of runs, once it has rows. ``state`` is what the page keeps in its address, as ``searchFilter``."""
        query = urllib.parse.urlencode(state)
        self.browser.driver.get("about:blank")  # an address that differs only behind the # loads nothing
        self.browser.open(f"{self.address}/#/experiments/{self.experiment_id}/runs?{TRAINING}&{query}")
        self.browser.wait_for(_RUN_NAME)

    def open_start(self) -> None:
        """MLflow's start page, once it lists the experiments."""
        self.browser.driver.get("about:blank")
        self.browser.open(f"{self.address}/")
        self.browser.wait_for("a", self.experiment)

    def open_experiments(self) -> None:
        """The list of experiments."""
        self.browser.driver.get("about:blank")
        self.browser.open(f"{self.address}/#/experiments?{TRAINING}")
        self.browser.wait_for("a", self.experiment)

    def tag(self, name: str, key: str) -> str:
        """A tag of the run of that name."""
        [run] = self._runs(f"attributes.run_name = '{name}'")
        return next(str(tag["value"]) for tag in run["data"]["tags"] if tag["key"] == key)

    def click(self, text: str) -> None:
        """Clicks the link of that text."""
        self.browser.wait_for("a", text).click()

    def open_link(self, link: str) -> None:
        """A link to the runs as a verb prints it, once they are counted below the table."""
        self.browser.driver.get("about:blank")
        self.browser.open(link)
        self.browser.wait("runs", lambda: re.search(r"[1-9]\d*\s+matching run", self.text()))

    def experiment_note_in_sight(self) -> str:
        """The words of the experiment's note that are seen before it is unfolded."""
        self.browser.wait_for(_EXPERIMENT_NOTE)
        words: str = self.browser.run(_WORDS_IN_SIGHT, _EXPERIMENT_NOTE)
        return words

    def settle(self, quiet_s: float = 4.0) -> None:
        """Waits until the page has asked for nothing for a while."""

        def quiet() -> bool:
            time.sleep(quiet_s)
            return not self.browser.requests()

        self.browser.wait("quiet page", quiet)

    def headings(self) -> list[str]:
        """The headings of the table of runs, from left to right."""
        self.browser.wait_for("[role=columnheader]", "gain")
        found = self.browser.run(
            """return [...document.querySelectorAll("[role=columnheader]")].map(each => [
                each.getBoundingClientRect().left, each.textContent.trim()])"""
        )
        return list(dict.fromkeys(text for _, text in sorted(found) if text))

    def open_run(self, name: str) -> None:
        """The page of the run of that name."""
        [run] = self._runs(f"attributes.run_name = '{name}'")
        self._open_run(run["info"], "")

    def compare(self, filter_string: str) -> None:
        """The page that compares the runs of a filter, as the button "Compare" opens it."""
        ids = json.dumps([run["info"]["run_id"] for run in self._runs(filter_string)])
        query = urllib.parse.urlencode({"runs": ids, "experiments": json.dumps([self.experiment_id])})
        self.browser.driver.get("about:blank")
        self.browser.open(f"{self.address}/#/compare-runs?{query}")
        self.browser.wait_for(".pcp-plot .axis-title")

    def metrics(self) -> list[str]:
        """The names of the metrics on a run's page, from top to bottom."""
        self.browser.wait_for(_METRIC, "score")
        names: list[str] = self.browser.run(
            "return [...document.querySelectorAll(arguments[0])].map(each => each.textContent)", _METRIC
        )
        return names

    def axes(self) -> list[str]:
        """What the plot of a comparison opens with, from left to right."""
        found = self.browser.run(
            """return [...document.querySelectorAll(".pcp-plot .axis-title")].map(each => [
                each.getBoundingClientRect().left, each.textContent])"""
        )
        return [text for _, text in sorted(found)]

    def text(self) -> str:
        """All text of the page."""
        shown: str = self.browser.run("return document.body.innerText")
        return shown

    def open_parent(self, tab: str = "") -> None:
        """The page of the study's own run; ``tab`` as in ``artifacts/matrix.csv``."""
        self._open_run(self._runs("tags.`stilts.kind` = 'study'")[0]["info"], tab)

    def _open_run(self, run: dict[str, Any], tab: str) -> None:
        self.browser.driver.get("about:blank")
        tab = f"/{tab}" if tab else ""
        self.browser.open(f"{self.address}/#/experiments/{self.experiment_id}/runs/{run['run_id']}{tab}?{TRAINING}")
        self.browser.wait_for("h1,h2", run["run_name"])

    def names(self) -> list[tuple[str, float]]:
        """Run names in the table from top to bottom, each with its distance from the left in CSS pixels."""
        cells = self.browser.run(
            """return [...document.querySelectorAll(arguments[0] + " a")].map(link => [
                link.textContent, link.getBoundingClientRect().left,
                Number(link.closest("[role=row]").getAttribute("row-index"))])""",
            _RUN_NAME,
        )
        return [(name, left) for name, left, _ in sorted(cells, key=lambda cell: cell[2])]

    def unfold(self, name: str) -> None:
        """Clicks the button before a run's name that shows the runs below it."""
        self.browser.run(
            """const cell = [...document.querySelectorAll(arguments[0])].find(
                each => each.querySelector("a")?.textContent == arguments[1]); cell.querySelector("button").click()""",
            _RUN_NAME,
            name,
        )
        self.browser.wait("run below", lambda: len(self.names()) > 1)

    def show_column(self, metric: str) -> None:
        """Adds a metric's column to the table."""
        self.toggle_column(metric)
        self.browser.wait_for(f"[data-testid='sort-header-{metric}']")

    def toggle_column(self, name: str) -> None:
        """Ticks or unticks a column in the menu of columns."""
        self.browser.wait_for("[data-testid=column-selection-dropdown]").click()
        self.browser.wait_for("input[placeholder='Search columns']").send_keys(name)
        find = """return [...document.querySelectorAll("[class*=tree-treenode]")].find(
            each => each.textContent.trim() == arguments[0])?.querySelector("[class*=tree-checkbox]")"""
        self.browser.wait(f"column {name}", lambda: self.browser.run(find, name)).click()
        self.browser.driver.find_element(By.TAG_NAME, "body").send_keys(Keys.ESCAPE)

    def sort(self, metric: str, *, down: bool = True) -> None:
        """Sorts by a metric, as the page's own address does it."""
        self.open_runs(orderByKey=f"metrics.`{metric}`", orderByAsc=str(not down).lower())

    def column(self, metric: str) -> list[str]:
        """What stands in a metric's column, from top to bottom."""
        cells = self.browser.run(
            """return [...document.querySelectorAll("[role=gridcell]")].filter(
                each => each.getAttribute("col-id") == "metrics.`" + arguments[0] + "`").map(each => [
                Number(each.closest("[role=row]").getAttribute("row-index")), each.textContent])""",
            metric,
        )
        return [text for _, text in sorted(cells)]

    def filter(self, query: str) -> None:
        """Types a filter into the search box."""
        box = self.browser.wait_for("[data-testid=search-box]")
        box.send_keys(Keys.CONTROL, "a")
        box.send_keys(query, Keys.ENTER)

    def note_in_sight(self) -> str:
        """The words of the note that a reader sees before any click."""
        self.browser.wait_for(_NOTE)
        words: str = self.browser.run(_WORDS_IN_SIGHT, _NOTE)
        return words

    def show_whole_note(self) -> str:
        """The note after "Show more"."""
        self.browser.wait_for("[data-testid=show-comment-toggle]").click()
        text: str = self.browser.wait_for(_NOTE).text
        return text

    def frame(self) -> Any:
        """The frame in which an HTML artifact is shown."""
        return self.browser.wait_for("iframe.mlflow-html-iframe")

    def image_width(self) -> int:
        """Pixels of the picture that is shown as an artifact, once it is loaded."""
        find = """return Math.max(0, ...[...document.querySelectorAll("main img, [class*=artifact] img, img")].map(
            each => each.checkVisibility() ? each.naturalWidth : 0))"""
        return int(self.browser.wait("picture", lambda: self.browser.run(find)))

    def _experiment(self) -> dict[str, Any]:
        name = urllib.parse.quote(self.experiment)
        found: dict[str, Any] = self._ask(f"experiments/get-by-name?experiment_name={name}")["experiment"]
        return found

    def _runs(self, filter_string: str) -> list[dict[str, Any]]:
        query = {"experiment_ids": [self.experiment_id], "filter": filter_string}
        return list(self._ask("runs/search", query)["runs"])

    def _ask(self, what: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self.address}/api/2.0/mlflow/{what}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            return dict(json.load(answer))


# Words whose lower edge is above the edges of everything that cuts them off.
_WORDS_IN_SIGHT = """
const note = document.querySelector(arguments[0]), seen = [];
const walk = document.createTreeWalker(note, NodeFilter.SHOW_TEXT), range = document.createRange();
let edge = innerHeight;
for (let at = note; at; at = at.parentElement)
  if (getComputedStyle(at).overflowY != "visible") edge = Math.min(edge, at.getBoundingClientRect().bottom);
while (walk.nextNode()) {
  for (const word of walk.currentNode.textContent.matchAll(/\\S+/g)) {
    range.setStart(walk.currentNode, word.index);
    range.setEnd(walk.currentNode, word.index + word[0].length);
    if (range.getBoundingClientRect().bottom <= edge) seen.push(word[0]);
  }
}
return seen.join(" ");
"""
