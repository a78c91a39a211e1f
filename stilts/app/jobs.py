"""Studies as jobs of a Ray cluster: submitted, listed, followed and stopped by a study's name."""

from __future__ import annotations

import shlex
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stilts.addresses import has_secret, shown_address
from stilts.app.cluster_file import FILE, ClusterPlaces
from stilts.app.job_package import JobPackage, datasets_beside, packed
from stilts.app.places import on_disk, study_name
from stilts.app.roots import DATA, ENCODERS, TASKS, TEXT, has_variable
from stilts.errors import InputError, StudyError, UnknownNameError
from stilts.scheduling import jobs as server
from stilts.scheduling.jobs import Job, JobServer
from stilts.scheduling.within_job import OWNER, PRIORITY
from stilts.store.cache_limit import LIMIT_VARIABLE
from stilts.study.study import Study
from stilts.tracking.address_check import check_address

# What every process of a job has in its environment, as ray_jobs/runtime_env.yaml says it for plain submissions. Ray
# kills three seconds after SIGTERM unless told otherwise: a last checkpoint and MLflow's last round take longer.
JOB_VARIABLES = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_JOB_STOP_WAIT_TIME_S": "60",
}
_STOPPED_STATUS = 143


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """What became of a submission: the job, whether it ran before (``joined``), and the bytes that travelled."""

    submission_id: str
    study: str
    store: str
    tracking: str
    joined: bool
    files: int
    bytes: int


def submit(
    study: str,
    places: ClusterPlaces,
    *,
    version: str,
    join: bool = False,
    run_options: Sequence[str] = (),
    connect: Callable[[str], JobServer] = server.connect,
) -> Submitted:
    """Has the cluster fill a study's matrix, once all that can be seen from here is in order.

    InputError for an address that no node can use, a root that is not named, more than Ray takes, and a study that a
    job of the cluster fills already, which ``join`` takes for the answer. ``version`` is that of stilts.
    """
    loaded = Study.load(study)
    store, tracking = checked_store(places.store), checked_tracking(places.tracking)
    roots = roots_of(loaded, places.roots)
    with tempfile.TemporaryDirectory(prefix="stilts-job-") as folder:
        package = packed(loaded, Path(folder))
        cluster = connect(places.need_address())
        running = next((job for job in cluster.jobs() if job.is_live and job.study == loaded.name), None)
        if running is not None and not join:
            raise _runs_already(study, running)
        if running is None:
            _check_alone(tracking, cluster)
        submission_id = running.submission_id if running else _new_id(loaded.name)
        if running is None:
            command = entry_point(package, store, tracking, roots, run_options)
            told = {server.STUDY: loaded.name, server.STORE: store, server.TRACKING: tracking}
            told |= {server.VERSION: version, PRIORITY: str(places.priority)}
            told |= {OWNER: places.owner} if places.owner else {}
            limit = {} if places.cache_gib is None else {LIMIT_VARIABLE: f"{places.cache_gib:g}"}
            cluster.submit(submission_id, command, folder=package.folder, variables=JOB_VARIABLES | limit, **told)
    return Submitted(
        submission_id=submission_id,
        study=loaded.name,
        store=running.metadata.get(server.STORE, "") if running else store,
        tracking=running.metadata.get(server.TRACKING, "") if running else tracking,
        joined=running is not None,
        files=0 if running else len(package.files),
        bytes=0 if running else package.bytes,
    )


def entry_point(
    package: JobPackage, store: str, tracking: str, roots: Mapping[str, str], run_options: Sequence[str]
) -> str:
    """The command line of the job: what a plain ``ray job submit`` types behind ``--``."""
    words = ["python", *package.entry, package.study, "--store", store, "--tracking-uri", tracking]
    words += [word for overlay in package.overlays for word in ("--with", overlay)]
    words += ["--encoder", package.encoder] if package.encoder else []
    words += [word for name, folder in sorted(roots.items()) for word in ("--root", f"{name}={folder}")]
    return shlex.join([*words, *run_options])


def checked_store(store: str | None) -> str:
    """A store's address that every node can use; InputError for a folder of this machine, or of the job."""
    instead = "Name a bucket or a folder that all nodes mount: --store s3://BUCKET/stilts"
    if store is None:
        raise InputError(
            "the store of the job",
            "none is named",
            "By default it would lie in the job's working directory, which Ray deletes",
            f"{instead}, STILTS_STORE, or store: in {FILE}",
        )
    if store.startswith("memory:"):
        raise InputError(f"store {store}", "it is the memory of one process", "Nobody else would see it", instead)
    _check_address(f"store {shown_address(store)}", store, instead)
    return store


def checked_tracking(tracking: str | None) -> str:
    """MLflow's address that the job can use; InputError for a file of this machine, or of the job."""
    instead = "Name a server: --tracking-uri http://HOST:5000, or none for no tracking"
    if tracking is None:
        raise InputError(
            "MLflow's address for the job",
            "none is named",
            "By default it would be a file in the job's working directory, which Ray deletes",
            f"{instead}, MLFLOW_TRACKING_URI, or tracking: in {FILE}",
        )
    if tracking != "none":
        _check_address(f"MLflow's address {shown_address(tracking)}", tracking, instead)
        if tracking.startswith(("http://", "https://", "sqlite:")):  # a database's driver is the nodes' business
            check_address(tracking)
    return tracking


def roots_of(study: Study, named: Mapping[str, str]) -> dict[str, str]:
    """The roots that the job is told, by name; StudyError where the study needs one that has no place on a node."""
    data, encoder = study.file.data, study.file.encoder.path
    wanted = {
        DATA: ("data.root", data.root),
        TEXT: ("data.text_root", data.text_root),
        ENCODERS: ("encoder.path", encoder),
    }
    used = {}
    for name, (field, path) in wanted.items():
        if path is None:
            continue
        if name in named:
            used[name] = named[name]
        elif not (path.startswith("/") or has_variable(path)):
            raise _no_place(study, field, path, name)
    if beside := datasets_beside(study):
        if TASKS not in named:
            raise _no_place(study, "tasks", f"the files of {', '.join(one.name for one in beside)}", TASKS)
        used[TASKS] = named[TASKS]
    return used


def job_named(name: str, found: Sequence[Job]) -> Job:
    """A job by its submission id, or the newest of a study by its name or file; UnknownNameError where none is."""
    by_id = next((job for job in found if job.submission_id == name), None)
    if by_id is not None:
        return by_id
    study = study_name(name)
    newest = next((job for job in found if job.study == study), None)
    if newest is None:
        known = [job.study or job.submission_id for job in found]
        raise UnknownNameError("job or study", name, dict.fromkeys(known), where="on this cluster")
    return newest


def exit_status(job: Job) -> int:
    """What a verb that followed the job ends with: as the job did, 143 where it was stopped."""
    if job.state == server.SUCCEEDED or job.is_live:
        return 0
    if job.state == server.STOPPED:
        return _STOPPED_STATUS
    return job.exit_code or 1


def _check_address(asked: str, address: str, instead: str) -> None:
    if has_secret(address):
        raise InputError(
            asked,
            "it holds a password or key",
            "A job's command line and metadata are read by everyone on the cluster",
            "Write it without, and give the nodes the credentials where ray start is typed: by variable, file or role",
        )
    place = on_disk(address)
    if place is not None and not place.is_absolute():
        raise InputError(
            asked,
            "it is relative: it would lie in the job's working directory",
            "Ray unpacks that anew for each submission, and deletes it",
            instead,
        )


def _check_alone(tracking: str, cluster: JobServer) -> None:
    """Raises InputError for a database file where the cluster has several nodes."""
    if tracking.startswith("sqlite:") and (nodes := cluster.num_nodes()) > 1:
        raise InputError(
            f"MLflow's address {tracking}",
            f"it is a file on the disk of one node, and the cluster has {nodes}",
            "The job may run on any of them, the next submission on another",
            "Name a server: --tracking-uri http://HOST:5000, or none for no tracking",
        )


def _no_place(study: Study, field: str, path: str, name: str) -> StudyError:
    return StudyError(
        study.at(field),
        f"{path} {'lie' if name == TASKS else 'lies'} beside the study, and no data travel with a job",
        "On a node there would be nothing",
        f"Say where every node has them: --root {name}=/mnt/{name}, or roots: {{{name}: /mnt/{name}}} in {FILE}",
    )


def _runs_already(study: str, job: Job) -> InputError:
    return InputError(
        f"study {study}",
        f"job {job.submission_id} fills it already ({job.state})",
        "Two jobs of one study would only take each other's stages",
        f"Follow it: stilts logs {job.submission_id} --follow; --join does that in place of submitting; "
        f"stilts stop {job.submission_id} ends it",
    )


def _new_id(study: str) -> str:
    return f"{study}-{time.strftime('%Y%m%d-%H%M%S')}"
