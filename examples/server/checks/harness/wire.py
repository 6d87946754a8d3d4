"""Plain HTTP requests to the server, on one connection for each client."""

import http.client
import json
from dataclasses import dataclass, field
from .require import require


@dataclass
class Response:
    status: int
    headers: dict
    body: bytes
    # The parsed body, once it has been needed.
    parsed: object = field(default=None, repr=False)

    @property
    def json(self):
        if self.parsed is None:
            self.parsed = json.loads(self.body)
        return self.parsed

    @property
    def code(self):
        """Returns the code of an error. Rule H1."""
        return self.json["error"]["code"]


class Client:
    """A caller: a connection and a token."""

    def __init__(self, host, port, token=None, timeout=30):
        self.connection = http.client.HTTPConnection(host, port, timeout=timeout)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def request(self, method, path, body=None, headers=None):
        sent = dict(self.headers)
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        try:
            self.connection.request(method, path, body=body, headers=sent)
            response = self.connection.getresponse()
            return Response(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
        except Exception:
            # The next request opens a new connection.
            self.connection.close()
            raise

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.request("POST", path, body=body, **options)

    def presence(self, user):
        response = self.get(f"/v1.0/users/{user}/presence")
        require(response.status == 200, response)
        return response.json

    def act(self, user, action, body=None):
        """Makes a call about a user: one of Graph's, or an operator's."""
        if action == "erase":
            return self.request("DELETE", f"/admin/users/{user}")
        if action == "signOut":
            return self.post(f"/admin/users/{user}/signOut")
        return self.post(f"/v1.0/users/{user}/presence/{action}", body)

    def close(self):
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
