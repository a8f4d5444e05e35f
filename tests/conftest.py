"""What holds for all tests: how Hypothesis searches, and how expected texts are written anew.

No fixture of one package may enter here.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

# The same examples everywhere: a red run here is a red run there. The machine's load decides
# nothing, so there is no deadline. To search further: pytest --hypothesis-profile=explore
settings.register_profile(
    "house",
    deadline=None,
    derandomize=True,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "explore", settings.get_profile("house"), derandomize=False, max_examples=2_000
)
settings.load_profile("house")

#: Genomes are what is evolved: their tests are run by peers, not by us.
collect_ignore = ["genomes"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--rewrite``."""
    parser.addoption(
        "--rewrite",
        action="store_true",
        help="write the expected parts of scenarios and drawn documents anew; review the diff",
    )


@pytest.fixture
def rewrite(request: pytest.FixtureRequest) -> bool:
    """Say whether expected texts are to be written instead of compared."""
    return bool(request.config.getoption("--rewrite"))
