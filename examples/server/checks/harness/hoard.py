"""Clients that promise large bodies and do not send them: as many as the server has room for, and more."""

import socket
import time

from . import names

PROMISE = 1 << 20
CLIENTS = 160


class Hoard:
    def __init__(self, server):
        path = f"/v1.0/users/{names.USER}/presence/setPresence"
        head = (
            f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {PROMISE}\r\n"
            f"Authorization: Bearer {names.APPLICATION_TOKEN}\r\n\r\n"
        )
        self.sockets = [socket.create_connection((server.host, server.port), timeout=30) for _ in range(CLIENTS)]
        for connection in self.sockets:
            connection.sendall(head.encode())
        # The last ones find no room. When they know, all have been looked at.
        refused = 0
        for connection in self.sockets:
            connection.settimeout(0.01 if refused == 0 else 0.1)
            try:
                refused += connection.recv(12).endswith(b"429")
            except TimeoutError:
                pass
        assert refused > 0, "the server has room for every promise"
        time.sleep(0.1)

    def end(self):
        for connection in self.sockets:
            connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
