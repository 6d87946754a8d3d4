"""Bytes as a hostile client sends them, and whatever comes back."""

import http.client
import json
import socket
from dataclasses import dataclass

from harness import names
from harness.names import USER

# What the server may answer at all: the statuses of rule H1, and those of HTTP itself for what is no request.
DOCUMENTED = {200, 400, 401, 403, 404, 405, 408, 413, 414, 415, 424, 429, 431, 501, 503, 505, 507}
PRESENCE = f"/v1.0/users/{USER}/presence"
TOKEN = f"Authorization: Bearer {names.APPLICATION_TOKEN}\r\n"
SET_BODY = json.dumps({"sessionId": names.APPLICATION, "availability": "Away", "activity": "Away"})


class _KeptOpen:
    """A reader that survives the answer which was read from it."""

    def __init__(self, reader):
        self.reader = reader

    def __getattr__(self, name):
        return getattr(self.reader, name)

    def close(self):
        pass


@dataclass
class Answer:
    status: int
    headers: dict
    body: bytes

    @property
    def code(self):
        return json.loads(self.body)["error"]["code"]


class Raw:
    """A connection to which anything can be written."""

    def __init__(self, server, timeout=30):
        self.socket = socket.create_connection((server.host, server.port), timeout=timeout)
        self.reader = self.socket.makefile("rb")

    def makefile(self, mode):
        """For the parser of answers, which would read ahead and throw away what follows: the one reader of all of them."""
        return _KeptOpen(self.reader)

    def send(self, *pieces):
        """Sends, as far as the other side takes it."""
        try:
            for piece in pieces:
                self.socket.sendall(piece.encode() if isinstance(piece, str) else piece)
        except ConnectionError:
            pass
        return self

    def hang_up(self):
        """Says that nothing more comes, unless the other side has ended already."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def answer(self):
        """The next answer; None when the connection has ended instead, or says nothing more."""
        response = http.client.HTTPResponse(self)
        try:
            response.begin()
            body = response.read()
        except (ConnectionError, http.client.HTTPException, TimeoutError):
            return None
        assert response.status in DOCUMENTED, f"an undocumented status: {response.status} {body}"
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)

    def is_closed(self):
        """Whether the server has ended the connection; waits for it."""
        try:
            return self.reader.read(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    def close(self):
        self.reader.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def get(path=PRESENCE, headers=TOKEN):
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n"


def post(body=SET_BODY, path=f"{PRESENCE}/setPresence", headers=TOKEN, media_type="application/json"):
    body = body.encode() if isinstance(body, str) else body
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body


def ask(server, *pieces):
    """Sends it all on a connection of its own and returns the answer."""
    with Raw(server) as raw:
        return raw.send(*pieces).answer()
