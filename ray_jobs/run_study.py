"""Fills a study's matrix as a Ray job: ``ray job submit --working-dir . -- python ray_jobs/run_study.py STUDY``.

Takes the arguments of ``stilts run``; inside a job the cluster is the one that the job runs on.
"""

from __future__ import annotations

import sys

from stilts.cli.main import main

if __name__ == "__main__":
    sys.argv[1:1] = ["run"]
    main()
