"""Knocks at ports, from a machine of a lab: ``python knocking.py HOST PORT...`` prints what each answers, as JSON.

By HTTP and by the calls of every service of Ray's; TOKEN, where it is set, is shown each time. ``python knocking.py``
prints at which ports of its own the machine listens to others, by what listens there.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request

PATHS = ("/", "/api/version", "/api/jobs/", "/nodes?view=summary", "/metrics")
CALLS = (
    "NodeInfoGcsService/GetAllNodeInfo",
    "InternalKVGcsService/InternalKVKeys",
    "NodeManagerService/GetNodeStats",
    "NodeManagerService/RequestWorkerLease",
    "ObjectManagerService/Push",
    "ObjectManagerService/Pull",
    "CoreWorkerService/GetCoreWorkerStats",
    "RayletDriver/ClusterInfo",
    "ReporterService/GetTraceback",
)
_WITHIN_S = 10.0


def by_http(host: str, port: int, path: str, token: str | None) -> str:
    """``200 # HELP ...``: the status and how the answer begins; the error's name where there is none."""
    request = urllib.request.Request(f"http://{host}:{port}{path}")
    if token is not None:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=_WITHIN_S) as answer:
            return f"{answer.status} {answer.read(60).decode(errors='replace')}"
    except urllib.error.HTTPError as error:
        return str(error.code)
    except Exception as error:
        return type(error).__name__


def by_grpc(host: str, port: int, call: str, token: str | None) -> str:
    """The name of the status with which the service answers: OK, UNAUTHENTICATED, UNIMPLEMENTED, ..."""
    import grpc

    shown = [] if token is None else [("authorization", f"Bearer {token}")]
    with grpc.insecure_channel(f"{host}:{port}") as channel:
        try:
            channel.unary_unary(f"/ray.rpc.{call}")(b"", timeout=_WITHIN_S, metadata=shown)
        except grpc.RpcError as error:
            return str(error.code().name)
    return "OK"


def knocked(host: str, port: int, token: str | None) -> dict[str, str]:
    first = by_http(host, port, "/", token)
    if first[0].isdigit():
        return {path: by_http(host, port, path, token) for path in PATHS}
    return {call: by_grpc(host, port, call, token) for call in CALLS}


def listening() -> dict[str, int]:
    """``{"raylet 34209": 34209}``: ports that others reach, by the program that listens there."""
    import psutil

    found = {}
    for one in psutil.net_connections("tcp"):
        if one.status == psutil.CONN_LISTEN and "127.0.0.1" not in one.laddr.ip and one.laddr.ip != "::1":
            words = (psutil.Process(one.pid).cmdline() if one.pid else []) or ["?"]
            found[f"{words[0].strip().split('/')[-1]} {one.laddr.port}"] = one.laddr.port
    return found


if __name__ == "__main__":
    asked = {int(port): knocked(sys.argv[1], int(port), os.environ.get("TOKEN")) for port in sys.argv[2:]}
    print(json.dumps(asked if asked else listening()))
