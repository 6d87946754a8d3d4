"""A server behind nginx. pytest shows the error log of nginx with a test that fails."""

import contextlib

import pytest

from harness.nginx import Nginx
from harness.server import Server


@pytest.fixture
def behind_nginx():
    """Starts a server with some options, and nginx in front of it."""
    with contextlib.ExitStack() as stack:

        def start(*options, read_timeout=60):
            server = stack.enter_context(Server(*options))
            nginx = stack.enter_context(Nginx(server, read_timeout))
            stack.callback(lambda: print(f"nginx says:\n{nginx.messages()}\nthe server says:\n{server.messages()}"))
            return server, nginx

        yield start
