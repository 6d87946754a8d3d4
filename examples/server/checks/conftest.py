"""A new server for each test, on a virtual clock, with clients of different callers."""

import pytest

from harness import names
from harness.server import Server


def pytest_configure():
    # In tests, pytest makes of each `assert` what fails always; this is about what they call.
    if not __debug__:
        raise pytest.UsageError("under python -O checks check less")


@pytest.fixture
def server():
    with Server() as server:
        yield server
        assert server.is_alive(), f"the server has ended:\n{server.messages()}"


@pytest.fixture
def application(server):
    with server.client(names.APPLICATION_TOKEN) as client:
        yield client


@pytest.fixture
def other_application(server):
    with server.client(names.OTHER_APPLICATION_TOKEN) as client:
        yield client


@pytest.fixture
def signed_in(server):
    """The application on behalf of USER."""
    with server.client(names.USER_TOKEN) as client:
        yield client


@pytest.fixture
def developer(server):
    with server.client() as client:
        yield client


@pytest.fixture
def anyio_backend():
    return "asyncio"
