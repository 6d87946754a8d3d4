"""A server that all addresses can reach, and connections to it from chosen addresses."""

import contextlib
import http.client
import select
import socket
import time

import pytest

from harness import names
from harness.server import Server

TOKEN = "a-token-of-twenty-characters"
PRESENCE = f"/v1.0/users/{names.USER}/presence"
# The longest wait for what takes milliseconds on a machine that is not busy.
PATIENCE = 60


class Peer:
    """A connection from an address."""

    def __init__(self, server, address):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE)
        # A port is chosen when the other end is known, so that many addresses and ports are possible.
        self.socket.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
        self.socket.bind((address, 0))
        # The other end is an address of this machine, too: the same, which is no loopback address unless it is meant to be.
        self.socket.connect((address, server.port))

    def send(self, method="GET", path=PRESENCE, headers="", body=b""):
        """Sends a request, or its beginning."""
        head = f"{method} {path} HTTP/1.1\r\nHost: presence.example\r\nAuthorization: Bearer {TOKEN}\r\n{headers}\r\n"
        self.socket.sendall(head.encode() + body)
        return self

    def response(self):
        """Reads a response with a length. Returns its status, and its headers in small letters."""
        response = http.client.HTTPResponse(self.socket)
        response.begin()
        response.read()
        return response.status, {name.lower(): value for name, value in response.getheaders()}

    def ask(self):
        """Returns the status of a read."""
        return self.send().response()[0]

    def is_closed(self):
        """Waits until the server closes the connection. Returns false if something comes, or nothing for very long."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    def is_open(self):
        """Reports whether the connection is open and silent at this moment."""
        waiting = select.poll()
        waiting.register(self.socket, select.POLLIN)
        return not waiting.poll(0)

    def close(self):
        self.socket.close()


class Site:
    """A server, and all connections of a test to it."""

    def __init__(self, stack, server):
        self.stack = stack
        self.server = server

    def connect(self, address):
        peer = Peer(self.server, address)
        self.stack.callback(peer.close)
        return peer

    def asks(self, address):
        """Returns the status of a read on a new connection from an address."""
        return self.connect(address).ask()

    def idle(self, addresses):
        """Returns a connection from each address that has asked once. They became idle in this order."""
        peers = []
        for address in addresses:
            peers.append(self.connect(address))
            assert peers[-1].ask() == 200
            self.wait_for_idle(len(peers))
        return peers

    def wait_for_idle(self, count):
        """Waits until so many connections are idle, which they are shortly after a client has its response."""
        until = time.monotonic() + PATIENCE
        while self.metric("connections_idle") != count:
            assert time.monotonic() < until, f"{self.metric('connections_idle')} connections are idle instead of {count}"
            time.sleep(0.01)

    def metric(self, name):
        with self.server.client(TOKEN) as client:
            lines = client.get("/metrics").body.decode().splitlines()
        return next((float(line.split()[-1]) for line in lines if line.startswith(f"presence_{name} ")), 0)


@pytest.fixture
def site():
    """Starts a server with some options."""
    with contextlib.ExitStack() as stack:

        def start(*options):
            token = ["--app-token", f"{TOKEN}={names.APPLICATION}"]
            server = Server(*token, *options, listen="[::]:0", virtual_clock=False, tokens=False)
            stack.enter_context(server)
            stack.callback(lambda: print(f"the server says:\n{server.messages()}"))
            return Site(stack, server)

        yield start
