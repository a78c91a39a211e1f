"""What stands in for the hub where it cannot be asked: a plan counts stages all the same, under ids that may change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from stilts.errors import EncoderError, InputError
from stilts.fingerprint import Json
from stilts.tasks.known_encoders import known_config
from stilts.tasks.registry import Registry
from stilts.tasks.resolve_encoder import ask_hub
from stilts.tasks.sources import hub_commit, is_commit
from stilts.tasks.task import Source
from stilts.tasks.view import DataView

# What stands where a commit would.
UNKNOWN_COMMIT = "unknown"


@dataclass(kw_only=True)
class MaybeHub:
    """Asks the hub, until it cannot be asked: from then on it answers with what is known here.

    ``missed`` names the repositories whose commit nobody knows: ids that they bear on will be others in a run.
    """

    is_away: bool = field(default=False, init=False)
    missed: list[str] = field(default_factory=list, init=False)

    def encoder(self, repo: str, revision: str | None) -> tuple[str, Mapping[str, Json]]:
        """An encoder's commit and configuration; EncoderError where the hub is away and its sizes are not known."""
        known = known_config(repo)
        if known is None:
            return ask_hub(repo, revision)
        try:
            return ask_hub(repo, revision)
        except EncoderError:
            self.is_away = True
            return self._given(repo, revision), known

    def commit(self, repo: str, revision: str | None) -> str:
        """A dataset repository's commit."""
        if not self.is_away:
            try:
                return hub_commit(repo, revision)
            except InputError:
                self.is_away = True
        return self._given(repo, revision)

    def _given(self, repo: str, revision: str | None) -> str:
        if revision is None or not is_commit(revision):
            self.missed.append(repo)
        return revision or UNKNOWN_COMMIT


def declared_count(views: Sequence[DataView], registry: Registry) -> int | None:
    """How many examples views of the hub hold by what their datasets declare of train; None where one says nothing."""
    total = 0
    for view in views:
        number = registry.dataset(view.dataset).num_train if view.source is Source.HUB else None
        if number is None:
            return None
        total += number if view.limit is None else min(number, view.limit)
    return total
