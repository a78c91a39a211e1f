"""What is held against the nodes' answers: each check once, for ``stilts doctor`` and, where it is quick, for a run.

A root that one node lacks fails the stages that happen to be placed there, hours later; a store on the disk of one
node loses what the others publish.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from stilts.app.node_facts import NodeFacts, NodeQuestion
from stilts.bounded_file import sized
from stilts.errors import ClusterError, InputError, StiltsError
from stilts.execute.finding import CheckState, Finding
from stilts.scheduling.asking import NodeAnswer

# Ray 2.60 gives a node nothing more to do above this share of its disk (local_fs_capacity_threshold).
_FULL_FRAC = 0.95
# Half a minute: above it leases tell of the clocks; S3 refuses requests that are a quarter of an hour off.
_SKEW_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """A question, what this machine's ``versions`` are, and what each node answered.

    ``unread`` names, by node, those whose object in the store it could not read back; ``refused`` is what the store
    refused already here.
    """

    question: NodeQuestion
    versions: Mapping[str, str]
    nodes: Sequence[NodeAnswer[NodeFacts]]
    unread: Mapping[str, Sequence[str]] = field(default_factory=dict)
    refused: StiltsError | None = None

    def __iter__(self) -> Iterator[tuple[NodeAnswer[NodeFacts], NodeFacts]]:
        return ((each, each.value) for each in self.nodes if isinstance(each.value, NodeFacts))


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCheck:
    """A check by its name: what is wrong, in the order of nodes, and what is said where nothing is.

    ``fine`` is "" where it was not asked for. No run is begun over what ``stops_a_run`` finds.
    """

    name: str
    wrong: Callable[[Answers], Iterable[StiltsError]]
    fine: Callable[[Answers], str]
    stops_a_run: bool = False

    def finding(self, answers: Answers) -> Finding:
        """The check as ``stilts doctor`` shows it."""
        if wrong := list(self.wrong(answers)):
            found = "; ".join(f"{error.asked}: {error.found}" for error in wrong)
            advice = ". ".join(dict.fromkeys(error.next_step for error in wrong))
            return Finding(check=self.name, verdict=CheckState.FAILED, found=found, advice=advice)
        fine = self.fine(answers)
        verdict = CheckState.OK if fine else CheckState.NOT_HERE
        return Finding(check=self.name, verdict=verdict, found=fine or "not asked: none is named")


def _silent(answers: Answers) -> Iterator[StiltsError]:
    yield from (each.value for each in answers.nodes if isinstance(each.value, StiltsError))


def _versions(answers: Answers) -> Iterator[StiltsError]:
    for each, facts in answers:
        theirs = {name: facts.versions.get(name, "none") for name in answers.versions}
        other = [
            f"{name} {theirs[name]}, not {ours}" for name, ours in answers.versions.items() if theirs[name] != ours
        ]
        if other:
            yield ClusterError(
                f"node {each.node.name}",
                f"it has {', '.join(other)}",
                "The same stage may come to other numbers there, or fail",
                "Install the same versions on every node: pip install -c constraints.txt -e '.[cluster]'",
            )


def _clocks(answers: Answers) -> Iterator[StiltsError]:
    for each, facts in answers:
        if abs(off := _skew_s(each, facts)) > _SKEW_S:
            yield ClusterError(
                f"node {each.node.name}",
                f"its clock is {abs(off):.0f} s {'ahead' if off > 0 else 'behind'}",
                "Times in results cannot be compared, and a bucket refuses requests that are a quarter of an hour off",
                "Have a time service set it (timedatectl set-ntp true)",
            )


def _skew_s(each: NodeAnswer[NodeFacts], facts: NodeFacts) -> float:
    """How far the node's clock lies outside of the time in which it was read: 0 for one that may be right."""
    return max(facts.clock - each.heard, 0.0) or min(facts.clock - each.asked, 0.0)


def _disks(answers: Answers) -> Iterator[StiltsError]:
    for each, facts in answers:
        folder, free, total = facts.disk
        if free < (1 - _FULL_FRAC) * total:
            yield ClusterError(
                f"node {each.node.name}",
                f"the disk of {folder} has {sized(free)} of {sized(total)} left",
                f"Ray gives a node nothing more to do above {_FULL_FRAC:.0%}",
                "Free some of it, or start Ray with --temp-dir on another disk",
            )


def _roots(answers: Answers) -> Iterator[StiltsError]:
    for each, facts in answers:
        for root in facts.no_roots:
            yield InputError(
                f'root "{root}" of the study',
                f"the folder {answers.question.roots[root]} does not exist on node {each.node.name}",
                "Stages that are placed there would fail",
                f"Mount it there, or name a folder that every node has: --root {root}=FOLDER",
            )


def _folders(answers: Answers) -> Iterator[StiltsError]:
    for each, facts in answers:
        for what in facts.no_marks:
            yield _not_shared(what, each.node.name)


def _stores(answers: Answers) -> Iterator[StiltsError]:
    question, created = answers.question, 0
    if answers.refused is not None:
        yield answers.refused
    for each, facts in answers:
        created += facts.created
        if facts.store is not None:
            yield InputError(
                f"store {question.store}",
                f"node {each.node.name} cannot use it: {facts.store.asked}: {facts.store.found}",
                "Stages that are placed there would fail",
                facts.store.next_step or "Give the node its credentials where ray start is typed",
            )
        elif not facts.sees_mark:
            yield _not_shared(f"store {question.store}", each.node.name)
        elif unread := answers.unread.get(each.node.node_id):
            names = [one.node.name for one in answers.nodes if one.node.node_id in unread]
            yield _not_shared(f"what {', '.join(names)} wrote to store {question.store}", each.node.name)
    if question.rival and created > 1:
        yield InputError(
            f"store {question.store}",
            f"{created} nodes created the same object",
            "Two processes would run and publish the same stage",
            "Use a store that creates an object only if it is absent; deploy/compose/README.md says which do",
        )


def _tokens(answers: Answers) -> Iterator[StiltsError]:
    yield from (_on(each, facts.token) for each, facts in answers if facts.token is not None)


def _tracking(answers: Answers) -> Iterator[StiltsError]:
    yield from (_on(each, facts.tracking) for each, facts in answers if facts.tracking is not None)


def _gpus(answers: Answers) -> Iterator[StiltsError]:
    for each, facts in answers:
        if facts.gpus is not None and facts.gpus != each.node.gpus:
            fewer = facts.gpus < each.node.gpus
            yield ClusterError(
                f"node {each.node.name}",
                f"Ray was told of {each.node.gpus:g} GPUs, and torch sees {facts.gpus}",
                "Stages that ask for one would fail there" if fewer else "Some would never be used",
                "Install torch's CUDA build there, look at nvidia-smi, and at --num-gpus of ray start"
                if fewer
                else "Start that node again without --num-gpus, or with all of them",
            )


def _ports(answers: Answers) -> Iterator[StiltsError]:
    names = {one.node.node_id: one.node.name for one in answers.nodes}
    for each, facts in answers:
        if shut := [f"{names[node_id]} at {_doors(answers, node_id)}" for node_id in facts.shut]:
            yield ClusterError(
                f"node {each.node.name}",
                f"it does not reach {', '.join(shut)}",
                "Ray's nodes speak with each other at ports of their own choice",
                "Let the cluster's nodes reach each other at every port",
            )


def _doors(answers: Answers, node_id: str) -> str:
    return " and ".join(f"port {port}" for _, port in answers.question.doors[node_id])


def _on(each: NodeAnswer[NodeFacts], error: StiltsError) -> StiltsError:
    return type(error)(f"node {each.node.name}: {error.asked}", error.found, error.why, error.next_step)


def _not_shared(what: str, node: str) -> InputError:
    option = "--store s3://BUCKET/stilts" if "store" in what else "--tracking-uri http://HOST:5000"
    return InputError(
        what,
        f"node {node} does not see it: it lies on the disk of another node",
        "What one node writes there, the others would miss",
        f"Name a bucket, a server, or a folder that every node mounts: {option}",
    )


def _told_versions(answers: Answers) -> str:
    shown = ", ".join(f"{name} {answers.versions[name]}" for name in ("python", "ray", "torch"))
    return f"{shown} and {len(answers.versions) - 3} more are the same everywhere"


def _told_disk(answers: Answers) -> str:
    free, node = min(((facts.disk[1], each.node.name) for each, facts in answers), default=(0, ""))
    return f"at least {sized(free)} left, on {node}" if node else ""


def _told_gpus(answers: Answers) -> str:
    told = sum(each.node.gpus for each, _ in answers)
    return f"torch sees the {told:g} that Ray was told of" if answers.question.thorough else ""


def _told_store(answers: Answers) -> str:
    if answers.question.store is None:
        return ""
    return "every node wrote, one of them alone created, each read what the others wrote"


CHECKS: tuple[NodeCheck, ...] = (
    NodeCheck(name="nodes", wrong=_silent, fine=lambda seen: f"{len(seen.nodes)} answered", stops_a_run=True),
    NodeCheck(name="versions", wrong=_versions, fine=_told_versions),
    NodeCheck(name="token", wrong=_tokens, fine=lambda seen: "asked for on every node, and no file is open to others"),
    NodeCheck(name="clocks", wrong=_clocks, fine=lambda seen: f"none is more than {_SKEW_S:.0f} s off"),
    NodeCheck(name="disks", wrong=_disks, fine=_told_disk),
    NodeCheck(name="GPUs", wrong=_gpus, fine=_told_gpus),
    NodeCheck(
        name="ports", wrong=_ports, fine=lambda seen: "each node reaches the others" if seen.question.doors else ""
    ),
    NodeCheck(name="roots", wrong=_roots, fine=lambda seen: ", ".join(seen.question.roots), stops_a_run=True),
    NodeCheck(name="folders", wrong=_folders, fine=lambda seen: ", ".join(seen.question.marks), stops_a_run=True),
    NodeCheck(name="store", wrong=_stores, fine=_told_store, stops_a_run=True),
    NodeCheck(
        name="MLflow",
        wrong=_tracking,
        fine=lambda seen: "" if seen.question.tracking == "none" else "it answers every node",
    ),
)
