"""Ask a service once whether it is healthy, in the way its settings name."""

from __future__ import annotations

import http.client
import subprocess
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tars_peer.model.policy import Service

_ANSWER_S = 1.0
_HTTP_OK = range(200, 300)


def ask_service(service: Service, port: int, folder: Path, *, python: Path) -> bool:
    """Say whether the service on loopback ``port`` is healthy; one second at most a question."""
    health = service.health
    if health.http_path:
        return _http(port, health.http_path)
    if health.grpc_service is not None:
        return ask_grpc(f"127.0.0.1:{port}", health.grpc_service)
    command = [str(python) if word == "python" else word for word in health.command]
    return _command([word.replace("{port}", str(port)) for word in command], folder)


def ask_grpc(address: str, service: str) -> bool:
    """Say whether the gRPC health service at ``address`` calls ``service`` SERVING."""
    with grpc.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=_ANSWER_S)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def _http(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWER_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().status in _HTTP_OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _command(command: list[str], folder: Path) -> bool:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, timeout=_ANSWER_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
