"""Asks pip-audit about what is installed beside this Python, and is not content with an answer about nothing.

    python .ci/audit.py

Where its database cannot be reached, pip-audit skips every package and ends well: "No known vulnerabilities found".
Exit status: 0 where none is known of what was audited, 1 where one is, 3 where nothing could be audited.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any


def verdict(packages: Sequence[Mapping[str, Any]]) -> tuple[int, list[str]]:
    """Exit status and lines for pip-audit's ``dependencies``."""
    skipped = [one["name"] for one in packages if "skip_reason" in one]
    audited = [one for one in packages if "skip_reason" not in one]
    if not audited:
        return 3, [f"Not run: none of {len(packages)} packages could be audited; pip-audit's database was not reached."]
    holes = [f"{one['name']} {one['version']}: {hole['id']}" for one in audited for hole in one["vulns"]]
    beside = f"; not audited: {', '.join(skipped)}" if skipped else ""
    return int(bool(holes)), [*holes, f"{len(audited)} packages audited, {len(holes)} known holes{beside}."]


def main() -> int:
    """Runs pip-audit and prints what it found."""
    words = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off", "--skip-editable"]
    ran = subprocess.run(words, capture_output=True, text=True)
    try:
        status, lines = verdict(json.loads(ran.stdout)["dependencies"])
    except (ValueError, LookupError):
        status, lines = 3, [f"Not run: {(ran.stderr.strip().splitlines() or ['pip-audit said nothing'])[-1]}"]
    print("\n".join(lines))
    return status


if __name__ == "__main__":
    sys.exit(main())
