"""The standard health service, following the desk. No other idea of health may enter here.

``tars.liveness`` serves as long as the server does; ``tars.readiness``, the empty name and the
services serve while ``desk.healthy()``.
"""

# ruff: noqa: N802  (the method names are the wire's)

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable

import grpc
from grpc_health.v1 import health, health_pb2

from tars_peer.ports.desk import Desk

LIVENESS = "tars.liveness"
READINESS = "tars.readiness"

_LOG = logging.getLogger(__name__)


class HealthAnswers(health.HealthServicer):
    """Answers ``grpc.health.v1.Health``: a check asks the desk, watchers see changes soon."""

    def __init__(self, desk: Desk, services: Iterable[str], *, look_s: float) -> None:
        """Follow ``desk`` for ``services``; look every ``look_s`` seconds for watchers' sake."""
        super().__init__()
        self._desk = desk
        self._following = ("", READINESS, *services)
        self.set(LIVENESS, health_pb2.HealthCheckResponse.SERVING)
        self._told: int | None = None
        self._telling = threading.Lock()
        self._closed = threading.Event()
        self._look()
        self._looker = threading.Thread(
            target=self._keep_looking, args=(look_s,), name="rpc-health", daemon=True
        )
        self._looker.start()

    def Check(
        self, request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext
    ) -> health_pb2.HealthCheckResponse:
        """Answer with the health of a service now."""
        self._look()
        return super().Check(request, context)

    def close(self) -> None:
        """Say that nothing serves any more, and look no longer."""
        self._closed.set()
        self._looker.join()
        self.enter_graceful_shutdown()

    def _keep_looking(self, look_s: float) -> None:
        while not self._closed.wait(look_s):
            self._look()

    def _look(self) -> None:
        status = health_pb2.HealthCheckResponse.NOT_SERVING
        try:
            if self._desk.healthy():
                status = health_pb2.HealthCheckResponse.SERVING
        except Exception:  # noqa: BLE001  (a probe gets an answer whatever befalls)
            _LOG.exception("the desk cannot say whether it is healthy")
        with self._telling:
            if status != self._told:
                self._told = status
                for service in self._following:
                    self.set(service, status)
