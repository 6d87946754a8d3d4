"""Bodies of a signed-in user whose last byte does not come, so that they hold all memory that the user may have."""

import contextlib
import re
import select
import socket
import time

from . import names
from .require import require

# As many bodies of each length as get memory. In the end there is none for the shortest, which takes one unit of it.
LENGTHS = (1 << 20, 64 << 10, 4 << 10, 1 << 10)
# The longest wait for what takes milliseconds on a machine that is not busy.
PATIENCE = 60


class StalledBodies:
    """The server gives each up after some seconds, so who relies on them asks in the end whether all `are_held` still."""

    def __init__(self, server):
        self.server = server
        self.sockets = []
        self.bytes = 0
        self.is_over = False
        with contextlib.ExitStack() as stack:
            stack.callback(self.end)
            for length in LENGTHS:
                while self.are_held() and self.add(length):
                    pass
            stack.pop_all()

    def add(self, length):
        """Begins another body. Reports whether it is held: waits until its memory is reserved, or it has a response."""
        stalled = self.begin(length)
        until = time.monotonic() + PATIENCE
        while self.are_held() and self.metric("reserved_bytes") != self.bytes + length:
            if is_readable(stalled):
                # A response other than 429, or none, means that not even its beginning came in time.
                self.is_over = not stalled.recv(12).endswith(b"429")
                stalled.close()
                return False
            require(time.monotonic() < until, f"a body of {length} bytes is neither read nor rejected")
        self.sockets.append(stalled)
        self.bytes += length
        return True

    def begin(self, length):
        head = (
            f"POST /v1.0/me/presence/setPresence HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {length}\r\nAuthorization: Bearer {names.USER_TOKEN}\r\n\r\n"
        )
        connection = socket.create_connection((self.server.host, self.server.port), timeout=PATIENCE)
        # The server may have rejected it already.
        with contextlib.suppress(ConnectionError):
            connection.sendall(head.encode() + b" " * (length - 1))
        return connection

    def are_held(self):
        """Reports whether the server still waits for the last byte of every body."""
        return not self.is_over and not any(map(is_readable, self.sockets))

    def metric(self, name):
        """Returns the sum of a metric over its labels."""
        with self.server.client() as client:
            text = client.get("/metrics").body.decode()
        return sum(map(float, re.findall(rf"^presence_{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE)))

    def end(self):
        """Hangs up, and waits until the server has released the memory."""
        for connection in self.sockets:
            connection.close()
        self.sockets.clear()
        until = time.monotonic() + PATIENCE
        while self.metric("reserved_bytes"):
            require(time.monotonic() < until, "memory is not released")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def is_readable(connection):
    """Reports whether a connection has a response, or is closed."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))
