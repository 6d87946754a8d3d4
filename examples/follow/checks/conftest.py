"""A presence server for each test, and what stands in front of it."""

import pytest

from harness import names
from harness.server import Server


def pytest_configure():
    # In tests, pytest makes of each `assert` what fails always; this is about what they call.
    if not __debug__:
        raise pytest.UsageError("under python -O checks check less")


# A token that reads its own user alone.
OWN_TOKEN = "own-token"


@pytest.fixture
def server():
    own = f"{OWN_TOKEN}={names.OTHER_APPLICATION}/{names.USER}:Presence.Read"
    with Server("--policy", "desk", "--user-token", own, virtual_clock=False) as server:
        yield server
        assert server.is_alive(), f"the server has ended:\n{server.messages()}"
