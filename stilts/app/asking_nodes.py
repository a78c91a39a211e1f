"""The nodes of a connected cluster are asked what a run needs of them: quickly before its first stage, or for all."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from stilts.app.node_checks import CHECKS, Answers
from stilts.app.node_facts import NodeFacts, NodeQuestion, facts_here, unread_here, versions_here
from stilts.app.places import on_disk
from stilts.errors import StiltsError
from stilts.execute.finding import Finding
from stilts.scheduling.asking import ask_nodes, asked_nodes
from stilts.store.layout import new_temp
from stilts.store.opening import find_store, place_of


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePlaces:
    """What of a run every node must have or reach: ``roots`` by name, the ``store``, and MLflow at ``tracking``."""

    roots: Mapping[str, str] = field(default_factory=dict)
    store: str | None = None
    tracking: str = "none"


def check_nodes(places: NodePlaces) -> list[str]:
    """What is not as it should be on some node but stops no run, in sentences; the error of what does is raised.

    InputError for a folder or store that a node lacks, ClusterError for a node that does not answer or cannot run
    stilts.
    """
    answers = ask(places)
    wrong = [(check, error) for check in CHECKS for error in check.wrong(answers)]
    if stopping := [error for check, error in wrong if check.stops_a_run]:
        raise stopping[0]
    return [str(error) for _, error in wrong]


def node_findings(places: NodePlaces) -> list[Finding]:
    """Every check of every node of the connected cluster."""
    answers = ask(places, thorough=True)
    return [check.finding(answers) for check in CHECKS]


def ask(places: NodePlaces, *, thorough: bool = False) -> Answers:
    """What every live node answers; nothing of the question is left in folders or the store."""
    nodes = asked_nodes()
    with ExitStack() as stack:
        file = on_disk(places.tracking)
        marks = {} if file is None else {f"MLflow's file {file}": stack.enter_context(_mark(file.parent.absolute()))}
        objects, refused = _Objects(nodes=[node.node_id for node in nodes] if thorough else []), None
        try:
            stack.enter_context(objects.kept(places.store))
        except StiltsError as error:
            refused = error
        question = NodeQuestion(
            roots=places.roots,
            marks=marks,
            store=None if refused else objects.store,
            mark=objects.mark,
            rival=objects.rival,
            own=objects.own,
            doors={node.node_id: [(node.host, port) for port in node.ports] for node in nodes} if thorough else {},
            tracking=places.tracking,
            thorough=thorough,
        )
        answered = ask_nodes(facts_here, question, sees_gpus=thorough)
        wrote = {each.node.node_id for each in answered if isinstance(each.value, NodeFacts) and each.value.wrote}
        own = {node_id: path for node_id, path in objects.own.items() if node_id in wrote}
        again = ask_nodes(unread_here, question.store, own) if question.store and own else []
    unread = {each.node.node_id: each.value for each in again if isinstance(each.value, list)}
    return Answers(question=question, versions=versions_here(), nodes=answered, unread=unread, refused=refused)


class _Objects:
    """Objects of a store that are there while nodes are asked: a mark, and what the nodes create."""

    def __init__(self, *, nodes: Sequence[str]) -> None:
        self.store: str | None = None
        self.mark, self.rival = new_temp(), new_temp()
        self.own = {node: new_temp() for node in nodes}

    @contextmanager
    def kept(self, store: str | None) -> Iterator[None]:
        """Writes the mark, and deletes all of them; StiltsError for a place that is no store and cannot become one."""
        if store is None or store.startswith("memory:"):
            yield
            return
        find_store(store)
        place = place_of(store)
        place.create(self.mark, b"")
        self.store = store
        try:
            yield
        finally:
            for path in (self.mark, self.rival, *self.own.values()):
                place.delete(path)


@contextmanager
def _mark(folder: Path) -> Iterator[str]:
    """An empty file in the folder, or in the nearest one above it that is there, while the context is open.

    "" where none can be written: what is wrong then, whoever writes there says.
    """
    near = next(place for place in (folder, *folder.parents) if place.is_dir())
    mark = near / f".stilts-seen-{uuid.uuid4().hex}"
    try:
        mark.touch(exist_ok=False)
    except OSError:
        yield ""
        return
    try:
        yield str(mark)
    finally:
        mark.unlink(missing_ok=True)
