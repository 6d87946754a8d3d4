"""Sends many actions in batches of twenty, over several connections."""

import threading
from concurrent.futures import ThreadPoolExecutor

from . import names
from .require import require

CONNECTIONS = 8
# The most elements of a batch. Rule H5.
ELEMENTS = 20
SET = {"sessionId": names.APPLICATION, "availability": "Busy", "activity": "InACall", "expirationDuration": "PT4H"}


def post_batch(client, actions):
    """Sends actions as one batch: each a user, the name of the action, and its body. Returns their statuses."""
    headers = {"Content-Type": "application/json"}
    requests = [
        {"id": str(number), "method": "POST", "url": f"/users/{user}/presence/{action}", "headers": headers, "body": body}
        for number, (user, action, body) in enumerate(actions)
    ]
    response = client.post("/v1.0/$batch", {"requests": requests})
    require(response.status == 200, response)
    return [element["status"] for element in response.json["responses"]]


def fill(server, actions):
    """Sends any number of actions, all of which must succeed."""
    own = threading.local()

    def send(begin):
        if not hasattr(own, "client"):
            own.client = server.client()
        some = actions[begin : begin + ELEMENTS]
        statuses = post_batch(own.client, some)
        require(statuses == [200] * len(some), statuses)

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for _ in pool.map(send, range(0, len(actions), ELEMENTS)):
            pass
