"""A reader of the feed of changes, which is a resumable stream of server-sent events."""

import http.client
import json
from dataclasses import dataclass

from . import names


@dataclass
class Event:
    kind: str
    # The id to resume after this event.
    cursor: str | None
    data: object


class Feed:
    """A connection to `/presence/changes` that resumes at a cursor, or begins with a scan of all users."""

    def __init__(self, server, since=None, token=names.DEVELOPER_TOKEN, timeout=30):
        self.connection = http.client.HTTPConnection(server.host, server.port, timeout=timeout)
        query = "" if since is None else f"?since={since}"
        headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
        self.connection.request("GET", f"/presence/changes{query}", headers=headers)
        self.response = self.connection.getresponse()
        self.status = self.response.status

    def __iter__(self):
        """Yields the events until the connection ends."""
        kind, cursor, data = "message", None, []
        while line := self.response.readline():
            text = line.decode().rstrip("\r\n")
            name, _, value = text.partition(":")
            value = value.removeprefix(" ")
            if not text:
                if data or kind != "message":
                    yield Event(kind, cursor, json.loads("\n".join(data)) if data else None)
                kind, cursor, data = "message", None, []
            elif name == "event":
                kind = value
            elif name == "id":
                cursor = value
            elif name == "data":
                data.append(value)

    def close(self):
        self.connection.close()
