"""A connection for arbitrary bytes, as a hostile client sends them, and the responses to them."""

import http.client
import json
import socket
from dataclasses import dataclass

from harness import names
from harness.names import USER
from harness.require import require

# The statuses that a response may have: those of rule H1, and those of HTTP itself for malformed requests.
DOCUMENTED = {200, 400, 401, 403, 404, 405, 408, 413, 414, 415, 421, 424, 429, 431, 501, 503, 505, 507}
PRESENCE = f"/v1.0/users/{USER}/presence"
TOKEN = f"Authorization: Bearer {names.APPLICATION_TOKEN}\r\n"
SET_BODY = json.dumps({"sessionId": names.APPLICATION, "availability": "Away", "activity": "Away"})


class _KeptOpen:
    """A reader that stays open after a response was read from it."""

    def __init__(self, reader):
        self.reader = reader

    def __getattr__(self, name):
        return getattr(self.reader, name)

    def close(self):
        pass


@dataclass
class Response:
    status: int
    headers: dict
    body: bytes

    @property
    def code(self):
        return json.loads(self.body)["error"]["code"]


class Raw:
    """A connection for arbitrary bytes."""

    def __init__(self, server, timeout=30):
        self.socket = socket.create_connection((server.host, server.port), timeout=timeout)
        self.reader = self.socket.makefile("rb")

    def makefile(self, mode):
        """Returns the one reader of all responses; a reader for each would read ahead, and lose what follows."""
        return _KeptOpen(self.reader)

    def send(self, *pieces):
        """Sends as much as the server accepts."""
        try:
            for piece in pieces:
                self.socket.sendall(piece.encode() if isinstance(piece, str) else piece)
        except ConnectionError:
            pass
        return self

    def hang_up(self):
        """Ends the sending side, unless the server has closed the connection already."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def response(self):
        """Returns the next response; None if the connection has ended, or nothing comes in time."""
        response = http.client.HTTPResponse(self)
        try:
            response.begin()
            body = response.read()
        except (ConnectionError, http.client.HTTPException, TimeoutError):
            return None
        require(response.status in DOCUMENTED, f"an undocumented status: {response.status} {body}")
        return Response(response.status, {name.lower(): value for name, value in response.getheaders()}, body)

    def is_closed(self):
        """Reports whether the server has closed the connection, after waiting for it."""
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
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n"


def post(body=SET_BODY, path=f"{PRESENCE}/setPresence", headers=TOKEN, media_type="application/json"):
    body = body.encode() if isinstance(body, str) else body
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body


def ask(server, *pieces):
    """Sends the pieces on a new connection, and returns the response."""
    with Raw(server) as raw:
        return raw.send(*pieces).response()
