"""Tests heads of requests: too many headers, unusual paths, and bytes that are no HTTP."""

import pytest

from harness.names import USER

from .raw import PRESENCE, TOKEN, Raw, ask, get, post


@pytest.mark.parametrize("count", [200, 1_000, 100_000])
def test_many_headers(server, count):
    response = ask(server, get(headers=TOKEN + "".join(f"X-{number}: x\r\n" for number in range(count))))
    assert response.status == 431


@pytest.mark.parametrize(("size", "status"), [(63_000, 401), (65_500, 431)])
def test_a_head_has_64_kib(server, size, status):
    assert ask(server, get(headers=f"Authorization: Bearer {'x' * size}\r\n")).status == status


@pytest.mark.parametrize("size", [100_000, 1_000_000, 50_000_000])
def test_a_large_header(server, size):
    with Raw(server) as raw:
        raw.send("GET / HTTP/1.1\r\nHost: localhost\r\nX: ", b"x" * size, "\r\n\r\n")
        response = raw.response()
        # A client that still sends may miss the response, because the connection is reset.
        assert response is None or response.status == 431


def test_a_large_name_and_a_large_target(server):
    assert ask(server, "GET / HTTP/1.1\r\n" + "X" * 100_000 + ": x\r\n\r\n").status in (400, 431)
    assert ask(server, get(f"/v1.0/users/{'7' * 100_000}/presence")).status in (414, 431)
    assert ask(server, get(f"{PRESENCE}?$select={'a,' * 10_000}")).status in (200, 400, 414)


STATUSES_OF_PATHS = {
    # A dot segment is a name like any other: nothing is resolved.
    f"/v1.0/../v1.0/users/{USER}/presence": 404,
    f"/v1.0/./users/{USER}/presence": 404,
    f"/v1.0/users/../users/{USER}/presence": 404,
    f"/v1.0/users/{USER}/presence/../../x/presence": 404,
    f"/v1.0/%2e%2e/users/{USER}/presence": 404,
    f"/v1.0/users/%2e%2e%2fusers%2f{USER}/presence": 400,
    "/v1.0/users/../../../../etc/passwd": 404,
    "/%2e%2e/%2e%2e/etc/passwd": 404,
    # An escaped slash belongs to its segment, here to a user's id.
    f"/v1.0/users%2F{USER}/presence": 404,
    f"/v1.0/users/{USER}%2Fpresence": 400,
    f"/v1.0/users/{USER}%2F/presence": 400,
    f"/v1.0%2Fusers/{USER}/presence": 404,
    f"//v1.0/users/{USER}/presence": 404,
    f"/v1.0//users/{USER}/presence": 404,
    f"/v1.0/users//{USER}/presence": 404,
    # Rule H7.
    f"/v1.0/users/{USER}/presence/": 200,
    f"/v1.0/users/{USER}/presence//": 404,
    f"/V1.0/users/{USER}/presence": 200,
    f"/v1.0/users('{USER}')/presence": 200,
    f"/v1.0/users('{USER}'/presence": 404,
    f"/v1.0/users('{'x' * 30000}')/presence": 400,
    f"/v1.0/users({'(' * 30000}/presence": 404,
    f"/v1.0/communications/presences?$filter=id+in+({'(' * 30000}": 400,
    f"/v1.0/communications/presences?$filter=id+in+('{USER}'{',' * 30000})": 400,
    f"/v1.0/communications/presences?{'&' * 30000}$filter=id+in+('{USER}')": 200,
    f"/v1.0/v1.0/users/{USER}/presence": 404,
    f"/v1.0/users/{USER}/presence%00": 404,
    f"/v1.0/users/{USER}%00/presence": 400,
    "/v1.0/users/%FF%FE/presence": 400,
    f"/v1.0/users/{USER}%/presence": 400,
    f"/v1.0/users/{USER}%zz/presence": 400,
    f"/v1.0/users/{USER};x=y/presence": 400,
    f"/v1.0/users/{'%2D'.join(USER.split('-'))}/presence": 200,
    f"/v1.0/users/%7B{USER}%7D/presence": 200,
    f"/v1.0/%75sers/{USER}/presence": 200,
    # A server must accept the absolute form, as sent to a proxy. RFC 9112, section 3.2.2.
    f"http://localhost/v1.0/users/{USER}/presence": 200,
    f"http://localhost/../v1.0/users/{USER}/presence": 404,
    "http://localhost": 404,
    f"http://elsewhere.example/v1.0/users/{USER}/presence": 421,
    "*": 404,
    "/": 404,
}


@pytest.mark.parametrize(("path", "status"), STATUSES_OF_PATHS.items())
def test_paths(server, path, status):
    response = ask(server, get(path))
    assert response.status == status
    if status != 200:
        assert response.code == {400: "InvalidArgument", 404: "NotFound", 421: "MisdirectedRequest"}[status]


@pytest.mark.parametrize(
    "path",
    [b"/v1.0/users/\xff\xfe/presence", b"/v1.0/users/\x00/presence", b"/v1.0/users/caf\xc3\xa9/presence", b"/a b", b"", b"x"],
)
def test_malformed_targets(server, path):
    response = ask(server, b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n" + TOKEN.encode() + b"\r\n")
    assert response is None or response.status in (400, 404)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "SETPRESENCE"])
def test_h1_methods(server, method):
    with Raw(server) as raw:
        raw.send(f"{method} {PRESENCE} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{TOKEN}\r\n")
        line = raw.reader.readline()
    assert line.split()[1] == b"405", line


def test_h9_head_is_answered_without_a_body(server):
    with Raw(server) as raw:
        raw.send(f"HEAD {PRESENCE} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{TOKEN}\r\n")
        head, _, body = raw.reader.read().partition(b"\r\n\r\n")
    assert head.split()[1] == b"200" and not body, (head, body)


NO_HTTP = {
    "nothing": b"\r\n\r\n\r\n",
    "random": bytes(range(256)) * 8,
    "zeros": bytes(10_000),
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
    "http 2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(64),
    "http 0.9": b"GET /\r\n",
    "http 9.9": b"GET / HTTP/9.9\r\n\r\n",
    "connect": b"CONNECT elsewhere.example:443 HTTP/1.1\r\nHost: elsewhere.example:443\r\n\r\n",
    "no colon": b"GET / HTTP/1.1\r\nHost x\r\n\r\n",
    "space before colon": b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
    "folded": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\r\n  b\r\n\r\n",
    "nul in a header": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n",
    "carriage return in a header": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n",
}


@pytest.mark.parametrize("bytes_sent", NO_HTTP.values(), ids=NO_HTTP)
def test_malformed_http(server, bytes_sent):
    with Raw(server, timeout=5) as raw:
        raw.send(bytes_sent)
        raw.hang_up()
        response = raw.response()
        assert response is None or 400 <= response.status < 500 or response.status in (501, 505)


def test_http_1_0(server):
    with Raw(server) as raw:
        response = raw.send(f"GET {PRESENCE} HTTP/1.0\r\n{TOKEN}\r\n").response()
        assert response.status == 200 and raw.is_closed()


def test_header_names_are_case_insensitive(server):
    response = ask(server, post(headers=TOKEN.replace("Authorization: Bearer", "aUTHORIZATION:bearer")))
    assert response.status == 200
