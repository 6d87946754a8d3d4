"""Replays what clients without a Python or JavaScript package send: PowerShell's cmdlets, the Go SDK, and whoever follows a
notification's `resource`. Rules H7, H8, H9 and H1 about content codings."""

import gzip
import json

import pytest

from harness import names
from harness.names import APPLICATION, OTHER_USER, USER, numbered
from harness.wire import Client

SESSION = {"activity": "InACall", "availability": "Busy", "expirationDuration": "PT1H", "sessionId": APPLICATION}
PREFERRED = {"activity": "Away", "availability": "Away", "expirationDuration": "P1W"}
MESSAGE = {"statusMessage": {"message": {"content": "Back soon", "contentType": "text"}}}

POWERSHELL = {
    "User-Agent": "Mozilla/5.0 (Linux; Debian GNU/Linux 12; en-US) PowerShell/7.4.6 Set-MgCommunicationPresence_SetExpanded",
    "SdkVersion": "graph-powershell/2.25.0, Graph-dotnet-1.25.1",
    "Accept-Encoding": "gzip",
    "Cache-Control": "no-store, no-cache",
    "Content-Type": "application/json",
}
GO = {
    "User-Agent": "Go-http-client/1.1 kiota-go/1.5.0",
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "Content-Type": "application/json",
}

# The actions that both have, and their bodies, in an order that shows each.
CMDLETS = [
    ("setPresence", SESSION),
    ("setUserPreferredPresence", PREFERRED),
    ("setStatusMessage", MESSAGE),
    ("clearUserPreferredPresence", None),
    ("clearPresence", {"sessionId": APPLICATION}),
]


def indented(body):
    """Returns a body as `ConvertTo-Json` writes it."""
    return b"" if body is None else json.dumps(body, indent=2).replace("\n", "\r\n").encode()


@pytest.mark.parametrize("version", ["v1.0", "beta"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["", "with a byte order mark"])
def test_powershell_sets_and_clears_a_presence(application, version, mark):
    for action, body in CMDLETS:
        path = f"/{version}/communications/presences/{USER}/microsoft.graph.{action}"
        sent = mark + indented(body) if body else b""
        response = application.post(path, sent, headers=POWERSHELL)
        assert (response.status, response.body) == (200, b""), (path, response)
        assert response.headers["client-request-id"] == response.headers["request-id"]
        shown = application.presence(USER)["activity"]
        expected = {"setPresence": "InACall", "clearUserPreferredPresence": "InACall", "clearPresence": "Offline"}
        assert shown == expected.get(action, "Away"), action


def test_powershell_reads(application):
    application.post(f"/v1.0/communications/presences/{USER}/microsoft.graph.setPresence", SESSION, headers=POWERSHELL)
    one = application.get(f"/v1.0/communications/presences/{USER}", headers=POWERSHELL)
    assert (one.status, one.json["activity"]) == (200, "InACall")
    bulk = application.post("/v1.0/communications/microsoft.graph.getPresencesByUserId", {"ids": [USER]}, headers=POWERSHELL)
    assert bulk.json["value"] == [one.json]
    # Get-MgCommunicationPresence without an id, and with a filter.
    listed = application.get("/v1.0/communications/presences", headers=POWERSHELL)
    assert (listed.status, listed.code) == (400, "InvalidArgument")
    filtered = application.get(f"/v1.0/communications/presences?$filter=id%20in%20%28%27{USER}%27%29", headers=POWERSHELL)
    assert filtered.json == bulk.json


def go(client, path, body):
    """Sends a body as the Go SDK does: compressed first, and as it is when the response is 415. Returns both responses."""
    plain = json.dumps(body, separators=(",", ":")).encode()
    compressed = gzip.compress(plain, mtime=0)
    first = client.post(path, compressed, headers={**GO, "Content-Encoding": "gzip"})
    return first, client.post(path, plain, headers=GO) if first.status == 415 else first


@pytest.mark.parametrize("path", ["users/{}/presence", "communications/presences/{}", "users/{}/presence/microsoft.graph"])
def test_go_compresses_first_and_falls_back_on_415(application, path):
    separator = "." if path.endswith(".graph") else "/"
    for action, body in CMDLETS:
        target = f"/v1.0/{path.format(USER)}{separator}{action}"
        if body is None:
            assert application.post(target, headers=GO).status == 200
            continue
        first, second = go(application, target, body)
        assert (first.status, first.code) == (415, "UnsupportedMediaType"), target
        assert first.headers["accept-encoding"] == "identity"
        assert (second.status, second.body) == (200, b""), (target, second)


def test_go_keeps_its_connection(server):
    """One connection, which `http.client` opens again only when the server has closed it."""
    with Client(server.host, server.port, names.APPLICATION_TOKEN) as client:
        client.get(f"/v1.0/users/{USER}/presence")
        socket = client.connection.sock
        for number in range(20):
            ids = [numbered("go", other) for other in range(1 + number * 30)]
            first, second = go(client, "/v1.0/communications/getPresencesByUserId", {"ids": ids})
            assert (first.status, second.status, len(second.json["value"])) == (415, 200, len(ids))
            assert client.connection.sock is socket, "the connection was closed"


def test_go_changes_nothing_with_what_was_not_read(application):
    first = application.post(f"/v1.0/users/{USER}/presence/setPresence", gzip.compress(json.dumps(SESSION).encode()), headers={**GO, "Content-Encoding": "gzip"})
    assert first.status == 415
    assert application.presence(USER)["activity"] == "Offline"


def test_a_batch_is_compressed_as_well(application):
    body = {"requests": [{"id": "1", "method": "GET", "url": f"/users/{USER}/presence"}]}
    first, second = go(application, "/v1.0/$batch", body)
    assert (first.status, second.json["responses"][0]["status"]) == (415, 200)


RESOURCES = ["communications/presences('{}')", "users('{}')/presence", "users/{}/presence", "communications/presences(%27{}%27)"]


@pytest.mark.parametrize("resource", RESOURCES)
def test_the_resource_of_a_notification_is_followed(application, resource):
    application.act(USER, "setPresence", SESSION)
    path = resource.format(USER)
    assert application.get(f"/v1.0/{path}").json["activity"] == "InACall"
    assert application.get(f"/beta/{path}?$select=activity").json == {"activity": "InACall"}
    elements = [{"id": "1", "method": "GET", "url": path}, {"id": "2", "method": "GET", "url": f"/{path}/"}]
    responses = application.post("/v1.0/$batch", {"requests": elements}).json["responses"]
    assert [response["body"]["activity"] for response in responses] == ["InACall"] * 2


def test_h8_a_filter_of_650_ids_is_read_however_it_is_escaped(application):
    ids = [numbered("filter", number) for number in range(649)] + [USER]
    application.act(USER, "setPresence", SESSION)
    bulk = application.post("/v1.0/communications/getPresencesByUserId", {"ids": ids}).json
    for quote, comma, space in [("'", ",", "+"), ("%27", "%2C", "%20"), ("%27", "%2C+", "%20")]:
        listed = comma.join(f"{quote}{user}{quote}" for user in ids)
        response = application.get(f"/v1.0/communications/presences?%24filter=id{space}in{space}%28{listed}%29")
        assert (response.status, response.json) == (200, bulk)


def test_h9_head_is_get_without_its_body(application):
    path = f"/v1.0/users/{USER}/presence"
    head, get = application.request("HEAD", path), application.get(path)
    assert (head.status, head.body) == (200, b"")
    assert {name: head.headers[name] for name in ("content-type", "content-length")} == {
        name: get.headers[name] for name in ("content-type", "content-length")
    }


def test_h1_me_needs_a_signed_in_user(application, signed_in):
    for path in ["/v1.0/me/presence", "/beta/ME/presence/"]:
        response = application.get(path)
        assert (response.status, response.code) == (400, "BadRequest")
        assert response.json["error"]["message"] == "/me request is only valid with delegated authentication flow."
        assert signed_in.get(path).status == 200
    assert signed_in.post(f"/v1.0/users/{OTHER_USER}/presence/microsoft.graph.clearUserPreferredPresence").status == 401
