"""Tests missing, wrong and other callers' tokens. Rules H1, H2."""

import subprocess

import pytest

from harness import names
from harness.names import APPLICATION, OTHER_APPLICATION, OTHER_USER, USER
from harness.server import Server, program

from .raw import PRESENCE, ask, get, post

OTHER_PRESENCE = PRESENCE.replace(USER, OTHER_USER)

READER, WRITER, SELF = "reader-token", "writer-token", "self-token"
BAD_HEADERS = [
    "",
    "Authorization:\r\n",
    "Authorization: Bearer\r\n",
    "Authorization: Bearer \r\n",
    "Authorization: Bearer unknown\r\n",
    f"Authorization: Bearer {names.APPLICATION_TOKEN[:-1]}\r\n",
    f"Authorization: Bearer {names.APPLICATION_TOKEN}x\r\n",
    f"Authorization: Bearer {names.APPLICATION_TOKEN.upper()}\r\n",
    f"Authorization: Basic {names.APPLICATION_TOKEN}\r\n",
    f"Authorization: {names.APPLICATION_TOKEN}\r\n",
    f"Authorization: Bearer {APPLICATION}\r\n",
    f"X-Authorization: Bearer {names.APPLICATION_TOKEN}\r\n",
    f"Authorization: Bearer {names.APPLICATION_TOKEN}\r\nAuthorization: Bearer {names.USER_TOKEN}\r\n",
    "Authorization: Bearer " + "x" * 20_000 + "\r\n",
    "Authorization: Bearer \x01\x02\r\n",
]


@pytest.mark.parametrize("headers", BAD_HEADERS)
def test_h1_requests_without_a_known_token_are_rejected(server, headers):
    for request in (
        get(headers=headers),
        post(headers=headers),
        post('{"ids":[]}', "/v1.0/communications/getPresencesByUserId", headers),
        get("/presence/changes", headers),
        get("/no/such/path", headers),
        post("not json", headers=headers),
    ):
        response = ask(server, request)
        # A control character makes the header malformed.
        assert response.status == (400 if "\x01" in headers else 401), (request, response)
        if response.status == 401:
            assert response.code == "Unauthorized" and "www-authenticate" in response.headers


def test_h1_a_token_in_the_query_is_ignored(server):
    assert ask(server, get(f"{PRESENCE}?access_token={names.APPLICATION_TOKEN}", "")).status == 401


def test_h1_another_applications_session(server, application, other_application, signed_in):
    body = {"sessionId": APPLICATION, "availability": "Away", "activity": "Away"}
    assert application.act(USER, "setPresence", body).status == 200
    assert other_application.act(USER, "setPresence", body).status == 403
    assert other_application.act(USER, "clearPresence", {"sessionId": APPLICATION}).status == 403
    assert signed_in.act(USER, "clearPresence", {"sessionId": OTHER_APPLICATION}).status == 403
    # Rule M2: its own session, with another spelling of the id.
    assert application.act(USER, "clearPresence", {"sessionId": "{" + APPLICATION.upper() + "}"}).status == 200


def test_h1_a_batch_grants_no_permissions(server, application, signed_in):
    element = {
        "id": "1",
        "method": "POST",
        "url": f"/users/{OTHER_USER}/presence/setPresence",
        "headers": {"Content-Type": "application/json", "Authorization": f"Bearer {names.DEVELOPER_TOKEN}"},
        "body": {"sessionId": OTHER_APPLICATION, "availability": "Away", "activity": "Away"},
    }
    assert application.post("/v1.0/$batch", {"requests": [element]}).json["responses"][0]["status"] == 403
    assert signed_in.post("/v1.0/$batch", {"requests": [element]}).json["responses"][0]["status"] == 401


def test_dev_advance_needs_the_development_token(server, application, signed_in, developer):
    assert application.post("/dev/advance?seconds=1").status == 403
    assert signed_in.post("/dev/advance?seconds=1").status == 403
    for query in ("", "?seconds=", "?seconds=-1", "?seconds=x", "?seconds=1e9", "?seconds=99999999999999999999999"):
        assert developer.post(f"/dev/advance{query}").status == 400, query


def test_h1_a_token_has_only_its_permissions():
    tokens = ["--app-token", f"{READER}={APPLICATION}:Presence.Read.All"]
    tokens += ["--app-token", f"{WRITER}={APPLICATION}:Presence.ReadWrite.All"]
    tokens += ["--user-token", f"{SELF}={APPLICATION}/{USER}:Presence.ReadWrite"]
    body = {"sessionId": APPLICATION, "availability": "Away", "activity": "Away"}
    with Server(*tokens) as server, server.client(READER) as reader, server.client(WRITER) as writer:
        # Section 7: an application that writes everybody reads everybody.
        assert (reader.act(USER, "setPresence", body).status, writer.act(USER, "setPresence", body).status) == (403, 200)
        assert (reader.get(PRESENCE).status, writer.get(PRESENCE).status) == (200, 200)
        ids = {"ids": [USER]}
        bulk = "/v1.0/communications/getPresencesByUserId"
        assert (reader.post(bulk, ids).status, writer.post(bulk, ids).status) == (200, 200)
        # Reading and writing oneself is nobody else, no bulk read and no changes.
        with server.client(SELF) as signed_in:
            assert (signed_in.get(PRESENCE).status, signed_in.get(OTHER_PRESENCE).status) == (200, 403)
            assert signed_in.act(USER, "setPresence", body).status == 200
            assert (signed_in.post(bulk, ids).status, signed_in.get("/presence/changes").status) == (403, 403)


def test_a_wall_clock_cannot_be_advanced():
    with Server(virtual_clock=False) as server, server.client() as developer:
        assert developer.post("/dev/advance?seconds=1").status == 404


@pytest.mark.parametrize(
    "options",
    [
        ["--listen", "0.0.0.0:0", "--dev-token", "x"],
        ["--listen", "127.0.0.1:0", "--virtual-clock", "--app-token", f"x={APPLICATION}"],
        ["--listen", "127.0.0.1:0", "--app-token", "x=no-id"],
        ["--listen", "127.0.0.1:0", "--user-token", f"x={APPLICATION}"],
        ["--listen", "127.0.0.1:0", "--users", "0"],
        ["--listen", "nowhere"],
    ],
)
def test_malformed_options_are_rejected(options, tmp_path):
    run = subprocess.run([program(), "--data", tmp_path, *options], capture_output=True, text=True, timeout=10)
    assert run.returncode != 0 and run.stderr and "panicked" not in run.stderr and "http://" not in run.stdout, run
