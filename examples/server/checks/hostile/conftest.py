"""One server for all hostile clients: after each test it must serve as before, with bounded memory."""

import pytest

from harness import names
from harness.server import Server

# The most memory that the server may use, in MiB: its memory after the start, and bounded buffers.
MEMORY_LIMIT = 224
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
    assert resident <= MEMORY_LIMIT, f"the server takes {resident} MiB"


def pytest_terminal_summary(terminalreporter):
    sizes = [
        (value, report.nodeid.rpartition("::")[2])
        # The reports of teardowns, for which pytest has no category.
        for report in terminalreporter.getreports("")
        for name, value in report.user_properties
        if name == "resident"
    ]
    if sizes:
        most, after = max(sizes)
        terminalreporter.write_line(
            f"resident memory of the server: {min(sizes)[0]} MiB at least, {most} MiB at most, after {after}"
        )
