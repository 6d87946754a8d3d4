"""Gives many users something, twenty at a time, over several connections."""

import threading
from concurrent.futures import ThreadPoolExecutor

from . import names

CONNECTIONS = 8
# A batch has so many elements at most. Rule H5.
ELEMENTS = 20
SET = {"sessionId": names.APPLICATION, "availability": "Busy", "activity": "InACall", "expirationDuration": "PT4H"}


def post_batch(client, actions):
    """Sends actions, each a user, its name and its body, as one batch. Returns their statuses."""
    headers = {"Content-Type": "application/json"}
    requests = [
        {"id": str(number), "method": "POST", "url": f"/users/{user}/presence/{action}", "headers": headers, "body": body}
        for number, (user, action, body) in enumerate(actions)
    ]
    answer = client.post("/v1.0/$batch", {"requests": requests})
    assert answer.status == 200, answer
    return [response["status"] for response in answer.json["responses"]]


def fill(server, actions):
    """Sends as many actions as there are; all must succeed."""
    own = threading.local()

    def send(begin):
        if not hasattr(own, "client"):
            own.client = server.client()
        some = actions[begin : begin + ELEMENTS]
        assert post_batch(own.client, some) == [200] * len(some)

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for _ in pool.map(send, range(0, len(actions), ELEMENTS)):
            pass
