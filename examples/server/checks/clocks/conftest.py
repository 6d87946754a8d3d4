"""A server in real time, on a machine whose clocks the test moves."""

import pytest

from harness.server import Server

from .machine import Machine


@pytest.fixture
def machine():
    machine = Machine()
    yield machine
    machine.close()


@pytest.fixture
def server(machine):
    with Server(virtual_clock=False, environment=machine.environment) as server:
        yield server
        assert server.is_alive(), f"the server has ended:\n{server.messages()}"
