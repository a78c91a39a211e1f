"""Clock: recorded trials run by several workers at once, as a study's stages do, in no time.

An event queue, as in Syne Tune's simulator (Salinas et al. 2022). A trial waits for its source's stage (one per seed;
one that costs nothing is there), then for a worker. Its price was paid when it was asked for, and its score is known
when it ends. A job takes as long as it costs.
"""

from __future__ import annotations

import heapq
from collections import deque

from stilts.analysis.replay.world import Split
from stilts.search.selecting.policy import Observation, Question, Trial

# A source's stage (source, seed), or a trial.
_Job = tuple[str, int] | Trial


class Clock:
    """Workers, what they run, and what is known by now."""

    def __init__(self, question: Question, split: Split, workers: int) -> None:
        self.question, self.scores, self.workers = question, split.scores, workers
        self.rows = {name: index for index, name in enumerate(question.sources)}
        self.columns = {name: index for index, name in enumerate(question.targets)}
        self.observations: list[Observation] = []
        self.pending: dict[Trial, None] = {}
        self.spent = 0.0
        self._time, self._started = 0.0, 0
        self._ready: deque[_Job] = deque()
        self._running: list[tuple[float, int, _Job]] = []
        self._waiting: dict[tuple[str, int], list[Trial]] = {}
        self._staged: set[tuple[str, int]] = set()

    @property
    def hungry(self) -> bool:
        """Whether a worker would find nothing to do."""
        return not self._ready and len(self._running) < self.workers

    def ask(self, trials: tuple[Trial, ...]) -> None:
        """Takes trials on, and pays for them."""
        for trial in trials:
            self.pending[trial] = None
            self.spent += self._price(trial)
            stage = trial.source, trial.seed
            if stage in self._staged or not self._price(stage):
                self._ready.append(trial)
            elif stage in self._waiting:
                self._waiting[stage].append(trial)
            else:
                self._waiting[stage] = [trial]
                self.spent += self._price(stage)
                self._ready.append(stage)
        self._start()

    def wait(self) -> bool:
        """Lets time pass until a job ends; False where none runs."""
        if not self._running:
            return False
        self._time = self._running[0][0]
        while self._running and self._running[0][0] <= self._time:
            self._end(heapq.heappop(self._running)[2])
        self._start()
        return True

    def _start(self) -> None:
        while self._ready and len(self._running) < self.workers:
            job = self._ready.popleft()
            heapq.heappush(self._running, (self._time + self._price(job), self._started, job))
            self._started += 1

    def _end(self, job: _Job) -> None:
        if isinstance(job, Trial):
            del self.pending[job]
            score = float(self.scores[self.rows[job.source], self.columns[job.target], job.seed])
            self.observations.append(Observation(trial=job, score=score))
        else:
            self._staged.add(job)
            self._ready.extendleft(reversed(self._waiting.pop(job)))

    def _price(self, job: _Job) -> float:
        if isinstance(job, Trial):
            return float(self.question.cell_price[self.rows[job.source], self.columns[job.target]])
        return float(self.question.stage_price[self.rows[job[0]]])
