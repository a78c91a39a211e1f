"""Credentials stay out of what Ray keeps of a trial.

Tune copies the AWS keys of the driver into the runtime environment of every trial, and Ray's runtime_env_agent writes
that to a log that every user of the machine can read. Workers need no copy: those of a private cluster inherit the
environment in which it was started, and those of another have their node's own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from stilts.addresses import is_secret_variable
from stilts.errors import StiltsError


@contextmanager
def credentials_kept_back() -> Iterator[None]:
    """A context in which Tune gives its trials no credential of this process.

    It takes their names out of Tune's own list, and then looks at what Tune would give. StiltsError where this process
    holds credentials and Tune gives them all the same, or decides in a place that is not known here: of a Ray other
    than those that this was written for (2.60).
    """
    if not any(is_secret_variable(name) for name in os.environ):
        yield
        return
    try:
        from ray.tune.execution import class_cache

        names = class_cache.ENV_VARS_TO_PROPAGATE
    except (ImportError, AttributeError) as error:
        raise _other_ray(str(error)) from error
    class_cache.ENV_VARS_TO_PROPAGATE = {name for name in names if not is_secret_variable(name)}
    try:
        given = sorted(name for name in _given_to_trials() if is_secret_variable(name))
        if given:
            raise _other_ray(f"it would give its trials {', '.join(given)}")
        yield
    finally:
        class_cache.ENV_VARS_TO_PROPAGATE = names


def _given_to_trials() -> Mapping[str, str]:
    """The variables that Tune would write into the runtime environment of a trial now."""
    from ray.tune.execution import class_cache

    try:
        cache: Any = class_cache._ActorClassCache  # untyped in Ray
        options = cache().get(_Probe)._default_options
        given: Mapping[str, str] = options["runtime_env"]["env_vars"]
    except (AttributeError, KeyError, TypeError) as error:
        raise _other_ray(f"{type(error).__name__}: {error}") from error
    return given


class _Probe:
    """A trainable that is never run."""


def _other_ray(found: str) -> StiltsError:
    import ray

    return StiltsError(
        "Ray Tune's trials",
        f"Ray {ray.__version__} hands them environment variables in an unknown way ({found})",
        "Ray would write the credentials of this process to logs that others can read",
        "Install the Ray of constraints.txt, or run without credentials in the environment, or with --local",
    )
