"""Clients that hold back the last byte of their bodies, until the server has no memory for another body."""

import select
import socket
import time

from . import names
from .require import require

# The number of clients for each length of body: large bodies first, then smaller ones for the memory that is left.
BODIES = {1 << 20: 160, 64 << 10: 32, 4 << 10: 32, 1 << 10: 8}


class StalledBodies:
    def __init__(self, server):
        self.sockets = []
        for length, clients in BODIES.items():
            some = [self.begin(server, length) for _ in range(clients)]
            # The last ones must be throttled. Each may have held a part of its body until then, so all of them are waited for.
            throttled, before, until = 0, None, time.monotonic() + 5
            while (not throttled or throttled != before) and time.monotonic() < until:
                time.sleep(0.2)
                before = throttled
                throttled += sum(connection.recv(12).endswith(b"429") for connection in readable(some))
            require(throttled > 0, f"the server has memory for every body of {length} bytes")

    def begin(self, server, length):
        path = f"/v1.0/users/{names.USER}/presence/setPresence"
        head = (
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n"
            f"Authorization: Bearer {names.APPLICATION_TOKEN}\r\n\r\n"
        )
        connection = socket.create_connection((server.host, server.port), timeout=30)
        self.sockets.append(connection)
        connection.sendall(head.encode() + b" " * (length - 1))
        return connection

    def end(self):
        for connection in self.sockets:
            connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def readable(connections):
    """Returns the connections that have a response."""
    poll = select.poll()
    by_number = {connection.fileno(): connection for connection in connections}
    for number in by_number:
        poll.register(number, select.POLLIN)
    return [by_number[number] for number, _ in poll.poll(0)]
