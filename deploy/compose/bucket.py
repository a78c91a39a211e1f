"""Makes the bucket of a store, and checks that of several who create the same object at once only one does.

Leases and results of a store rest on that. Some S3-compatible servers look first and write then, so that all of them
"create" it: with such a one the deployment must not start.
"""

from __future__ import annotations

import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

RIVALS = 8
ROUNDS = 20


def make(files: Any, bucket: str) -> None:
    """Makes the bucket where there is none."""
    if not files.exists(bucket):
        files.mkdir(bucket)


def winners(files: Any, place: str, rivals: int = RIVALS) -> int:
    """How many of those who created the object at the same moment were told that they did."""
    ready = threading.Barrier(rivals)

    def create(rival: int) -> bool:
        ready.wait()
        try:
            files.pipe_file(place, str(rival).encode(), mode="create")
        except FileExistsError:
            return False
        return True

    with ThreadPoolExecutor(rivals) as pool:
        return sum(pool.map(create, range(rivals)))


def check(files: Any, bucket: str, rounds: int = ROUNDS) -> str | None:
    """What is wrong with the server, in a sentence; None if nothing was seen."""
    for _ in range(rounds):
        place = f"{bucket}/.create-once/{uuid.uuid4().hex}"
        won = winners(files, place)
        if won:
            files.rm_file(place)
        if won != 1:
            return f"{won} of {RIVALS} clients created the same object: this server cannot hold a store"
    return None


def main(bucket: str) -> int:
    """Exit status: 0 if the bucket is there and can hold a store."""
    import s3fs

    files = s3fs.S3FileSystem()
    make(files, bucket)
    wrong = check(files, bucket)
    print(wrong or f"s3://{bucket} is there, and creates an object once")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
