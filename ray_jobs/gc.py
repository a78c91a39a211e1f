"""Frees what no planned stage of a store needs, as a Ray job: ``python ray_jobs/gc.py --store URL``.

Takes the arguments of ``stilts gc``.
"""

from __future__ import annotations

import sys

from stilts.cli.main import main

if __name__ == "__main__":
    sys.argv[1:1] = ["gc"]
    main()
