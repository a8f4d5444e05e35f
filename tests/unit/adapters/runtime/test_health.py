"""One question to a service, in each of the three ways, and never an exception for an answer."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from tars_peer.adapters.runtime.health import ask_grpc, ask_service
from tars_peer.model.policy import Health, Service

PYTHON = Path(sys.executable)


def asked(kind: Health, port: int) -> bool:
    """Ask the service on ``port``."""
    return ask_service(Service(command=("x",), health=kind), port, Path.cwd(), python=PYTHON)


class Handler(BaseHTTPRequestHandler):
    """Answers ``/204`` with 204 and so on; ``/hang`` does not answer."""

    def do_GET(self):
        if self.path == "/hang":
            self.server.held.wait(5)
            return
        self.send_response(int(self.path[1:4]))
        self.end_headers()

    def log_message(self, *args):
        """Stay quiet."""


@pytest.fixture
def http_port():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.held = threading.Event()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.held.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/200", True), ("/204", True), ("/301", False), ("/404", False), ("/503", False)],
)
def test_http_is_healthy_where_the_answer_is_a_success(http_port, path, expected):
    assert asked(Health(http_path=path), http_port) is expected


def test_http_that_hangs_or_is_not_there_is_not_healthy(http_port):
    assert not asked(Health(http_path="/hang"), http_port)
    assert not asked(Health(http_path="/200"), 1)


def test_grpc_is_healthy_where_the_service_is_serving():
    server = grpc.server(ThreadPoolExecutor(2))
    servicer = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        servicer.set("ready", health_pb2.HealthCheckResponse.SERVING)
        servicer.set("ill", health_pb2.HealthCheckResponse.NOT_SERVING)
        assert asked(Health(grpc_service="ready"), port)
        assert asked(Health(grpc_service=""), port)
        assert not asked(Health(grpc_service="ill"), port)
        assert not ask_grpc(f"127.0.0.1:{port}", "unknown")
    finally:
        server.stop(None).wait()
    assert not ask_grpc(f"127.0.0.1:{port}", "ready")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (("python", "-c", "import sys; sys.exit(sys.argv[1] != '1234')", "{port}"), True),
        (("python", "-c", "raise SystemExit(3)"), False),
        (("sleep", "60"), False),
        (("no-such-program",), False),
    ],
)
def test_a_command_is_healthy_where_it_succeeds(command, expected):
    assert asked(Health(command=command), 1234) is expected
