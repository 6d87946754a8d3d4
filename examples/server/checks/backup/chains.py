"""Clients that write in chains: each link is written after the one before was acknowledged, about another user, so mostly in
another shard. A copy of one moment has a chain up to some link, and no link without those before it."""

import http.client
import threading
import time

from harness.names import numbered
from harness.require import require

# The users of a chain, who take turns.
USERS = 16


class Chain(threading.Thread):
    """A client that writes one chain until it is told to stop, or the server is gone."""

    def __init__(self, server, number):
        super().__init__(daemon=True)
        self.client, self.number = server.client(), number
        # The last link that was acknowledged, and the last that was sent.
        self.acknowledged = self.sent = -1
        # Each write's moment of sending, and the time until it was acknowledged.
        self.times = []
        self.is_stopping = False
        self.failure = None
        self.start()

    def text(self, link):
        return f"chain {self.number} link {link}."

    def user(self, link):
        return numbered(f"chain {self.number}", link % USERS)

    def run(self):
        try:
            while not self.is_stopping:
                self.write(self.sent + 1)
        except (OSError, http.client.HTTPException):
            # The server was killed.
            self.is_stopping = True
        except Exception as failure:
            self.failure = failure

    def write(self, link):
        self.sent = link
        began = time.monotonic()
        body = {"statusMessage": {"message": {"content": self.text(link), "contentType": "text"}}}
        response = self.client.act(self.user(link), "setStatusMessage", body)
        require(response.status == 200, response)
        self.acknowledged = link
        self.times.append((began, time.monotonic() - began))

    def stop(self):
        self.is_stopping = True
        self.join()
        if self.failure:
            raise self.failure

    def newest(self, link):
        """Returns for each user of the chain the text that it has when this link is the last; None if it has none."""
        latest = {self.user(number): self.text(number) for number in range(max(0, link - USERS + 1), link + 1)}
        return {self.user(number): latest.get(self.user(number)) for number in range(USERS)}

    def check(self, client, least):
        """Checks that a server has the chain up to some link, and up to `least` for sure. Returns that link."""
        found = {}
        for number in range(USERS):
            message = client.presence(self.user(number)).get("statusMessage")
            found[self.user(number)] = message["message"]["content"] if message else None
        links = [int(text.split()[-1].rstrip(".")) for text in found.values() if text]
        last = max(links, default=-1)
        require(least <= last <= self.sent, f"chain {self.number} ends at {last}, not between {least} and {self.sent}")
        require(found == self.newest(last), f"chain {self.number} has gaps: {found}")
        return last


def begin(server, count):
    return [Chain(server, number) for number in range(count)]
