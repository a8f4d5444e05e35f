"""A cluster of fake desks behind real servers, and the command line in this process."""

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from typer.testing import CliRunner

from tars_peer.cli.main import app
from tests.fakes.cluster import Cluster


@dataclass(frozen=True)
class Answer:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Tars = Callable[..., Answer]


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    cluster = Cluster()
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture
def tars(cluster: Cluster) -> Tars:
    """Run ``tars`` with the given words, about that cluster."""

    def call(*words: str) -> Answer:
        result = CliRunner().invoke(app, [*words], obj=cluster.machine)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Answer(code=result.exit_code, out=result.stdout, err=result.stderr)

    return call


@pytest.fixture
def nobody() -> Iterator[str]:
    """Return an address where nobody listens and nobody will."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{held.getsockname()[1]}"
