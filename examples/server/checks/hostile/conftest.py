"""One server for all hostile clients: after each of them it must answer as if nothing had happened, and not have grown."""

import pytest

from harness import names
from harness.server import Server

# What it may take, whatever is done to it, in MiB: what it has when it starts, and bounded buffers.
ROOM = 224
MEBIBYTE = 1 << 20


@pytest.fixture(scope="session")
def hostile_server():
    with Server("--users", "10000") as server:
        yield server


@pytest.fixture
def server(hostile_server, request, record_property):
    yield hostile_server
    assert hostile_server.is_alive(), f"the server has ended:\n{hostile_server.messages()}"
    with hostile_server.client(names.APPLICATION_TOKEN) as client:
        user = names.numbered("after", request.node.nodeid)
        body = {"sessionId": names.APPLICATION, "availability": "Busy", "activity": "InACall"}
        assert client.act(user, "setPresence", body).status == 200
        assert client.presence(user)["activity"] == "InACall"
    resident = hostile_server.resident() // MEBIBYTE
    record_property("resident", resident)
    assert resident <= ROOM, f"the server takes {resident} MiB"


def pytest_terminal_summary(terminalreporter):
    sizes = [
        (value, report.nodeid.rpartition("::")[2])
        # Those of clean-ups, which pytest files under no name.
        for report in terminalreporter.getreports("")
        for name, value in report.user_properties
        if name == "resident"
    ]
    if sizes:
        most, after = max(sizes)
        terminalreporter.write_line(
            f"resident memory of the server: {min(sizes)[0]} MiB at least, {most} MiB at most, after {after}"
        )
