"""Tests that ordinary requests get the same responses through a proxy as without it."""

import pytest

from harness import names
from harness.fill import SET, fill, post_batch

PRESENCE = f"/v1.0/users/{names.USER}/presence"
# The client's id of a request, which comes back.
NAMED = {"client-request-id": "2b7f1c5e-8f7b-4f0e-9a52-0d1b3b1f6a11"}
# Headers of one response or one connection.
OWN = {"date", "server", "connection", "request-id", "keep-alive"}

REQUESTS = [
    ("GET", PRESENCE, None),
    ("HEAD", PRESENCE, None),
    ("GET", f"{PRESENCE}?$select=availability", None),
    ("GET", "/v1.0/users/a%2Bb%20c%40x.com%2F%C3%A9/presence", None),
    ("GET", "/v1.0/users/a%20b%20c%40x.com%2F%C3%A9/presence", None),
    ("GET", "/v1.0/users/7/presence", None),
    ("GET", "/nothing", None),
    ("DELETE", PRESENCE, None),
    ("POST", "/presence/changes", None),
    ("POST", f"{PRESENCE}/setPresence", {**SET, "sessionId": names.APPLICATION}),
    ("POST", f"{PRESENCE}/setPresence", {"sessionId": 7}),
    ("POST", f"{PRESENCE}/setPresence", b"{"),
    ("POST", f"{PRESENCE}/setPresence", b" " * 100_000),
    ("POST", f"{PRESENCE}/clearUserPreferredPresence", None),
    ("POST", "/v1.0/communications/getPresencesByUserId", {"ids": [names.USER, names.OTHER_USER]}),
    ("POST", "/v1.0/communications/getPresencesByUserId", {"ids": [7]}),
    ("GET", "/openapi.json", None),
]


def comparable(response):
    headers = {name: value for name, value in response.headers.items() if name not in OWN}
    body = response.body
    if response.status >= 400 and body:
        # The ids and the time of a request are its own.
        body = {name: value for name, value in response.json["error"].items() if name != "innerError"}
    return response.status, headers, body


@pytest.mark.parametrize("token", [names.DEVELOPER_TOKEN, names.USER_TOKEN, "unknown"])
def test_responses_are_the_same_on_one_connection(behind_nginx, token):
    server, nginx = behind_nginx()
    with server.client(token) as direct, nginx.client(token) as through:
        sockets = set()
        for method, path, body in REQUESTS:
            expected, found = (client.request(method, path, body, NAMED) for client in (direct, through))
            assert comparable(found) == comparable(expected), (method, path)
            sockets.add(through.connection.sock)
        assert len(sockets) == 1, "nginx closed the connection of its client"


def test_bulk_reads_and_batches(behind_nginx):
    server, nginx = behind_nginx()
    users = [names.numbered("proxy", number) for number in range(650)]
    fill(nginx, [(user, "setPresence", SET) for user in users])
    with nginx.client() as through, server.client() as direct:
        for _ in range(3):
            found = through.post("/v1.0/communications/getPresencesByUserId", {"ids": users})
            assert found.status == 200
            assert [presence["id"] for presence in found.json["value"]] == users
            assert {presence["activity"] for presence in found.json["value"]} == {"InACall"}
            assert found.body == direct.post("/v1.0/communications/getPresencesByUserId", {"ids": users}).body
        assert post_batch(through, [(user, "clearPresence", {"sessionId": names.APPLICATION}) for user in users[:20]]) == [200] * 20
        assert direct.presence(users[0])["activity"] == "Offline"

