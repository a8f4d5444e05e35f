"""A program that pretends to be a peer, for the supervisor's tests; it is copied, not imported.

It lies in a folder as ``tars_peer/__main__.py`` and does what the file ``behaviour`` beside that
package says: ``run``, ``serve``, ``falter`` (serve for a second, then crash), ``crash``, ``usage``,
``done`` or ``swap PATH``.
"""

import ctypes
import json
import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1]
HOME = Path(sys.argv[sys.argv.index("--home") + 1])
PEER = sys.argv[sys.argv.index("--peer") + 1]
FOLDER = HOME / "peers" / PEER


def leash() -> None:
    """End with the supervisor, as a peer does."""
    ctypes.CDLL(None).prctl(1, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != int(os.environ["TARS_SUPERVISOR"]):
        sys.exit(0)


def serve(seconds: float | None = None) -> None:
    """Answer the health question at the peer's address, so long or for ever."""
    import grpc  # noqa: PLC0415  (slow to load, and only two of them needs it)
    from grpc_health.v1 import health, health_pb2, health_pb2_grpc  # noqa: PLC0415

    address = json.loads((HOME / "cluster.json").read_text())["peers"][0]["address"]
    server = grpc.server(ThreadPoolExecutor(2))
    servicer = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    servicer.set("tars.readiness", health_pb2.HealthCheckResponse.SERVING)
    pem = (FOLDER / "identity.pem").read_bytes()  # the certificate and its key
    trusted = (HOME / "certs" / "trusted.pem").read_bytes()
    credentials = grpc.ssl_server_credentials([(pem, pem)], trusted, require_client_auth=True)
    server.add_secure_port(address, credentials)
    server.start()
    threading.Event().wait(seconds)


def swap(artifact: str) -> None:
    """Ask for the program in ``artifact``, unless that went wrong before; then run on."""
    tried = FOLDER / "active.json"
    if tried.exists() and json.loads(tried.read_text())["verdicts"].get("b" * 40):
        signal.pause()
    python = (Path(artifact) / "python").read_text()
    note = {"tree": "b" * 40, "artifact": artifact, "python": python}
    (FOLDER / "swap.json").write_text(json.dumps(note))
    sys.exit(75)


leash()
with (FOLDER / "starts").open("a") as starts:
    words = [SOURCE.name, os.environ["TARS_TREE"][0], f"{os.getpid()}", f"{time.monotonic()}"]
    starts.write(" ".join(words) + "\n")
behaviour, _, argument = (SOURCE / "behaviour").read_text().partition(" ")
if behaviour == "crash":
    sys.stderr.write("a line before\nthe last words\n")
    sys.stderr.write("I1122 23:35:07.465139   13645 ssl.cc:25] Handshake failed\n")
    sys.exit(3)
elif behaviour == "usage":
    sys.stderr.write("error: wrong settings\n")
    sys.exit(2)
elif behaviour == "done":
    sys.exit(0)
elif behaviour == "serve":
    serve()
elif behaviour == "falter":
    serve(1.0)
    sys.stderr.write("it was too much\n")
    os._exit(3)
elif behaviour == "swap":
    swap(argument)
else:
    signal.pause()
