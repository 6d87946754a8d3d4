"""Tests bodies that are too large, too deep, or no JSON. Rules H1, H2, section 7."""

import json

import pytest

from harness.names import APPLICATION, USER

from .raw import PRESENCE, SET_BODY, TOKEN, Raw, ask, post

TEN_MEGABYTES = 10_000_000
BULK = "/v1.0/communications/getPresencesByUserId"


@pytest.mark.parametrize("headers", [TOKEN, ""], ids=["known", "unknown"])
@pytest.mark.parametrize("path", [f"{PRESENCE}/setPresence", BULK, "/v1.0/$batch", "/no/such/path"])
def test_h2_ten_megabytes_are_too_large_before_anything_else(server, path, headers):
    response = ask(server, post(b"x" * TEN_MEGABYTES, path, headers))
    assert (response.status, response.code) == (413, "RequestEntityTooLarge")
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n{headers}\r\n"
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    response = ask(server, head, chunk * (TEN_MEGABYTES // 0x10000), b"0\r\n\r\n")
    assert (response.status, response.code) == (413, "RequestEntityTooLarge")


def test_h2_a_body_without_end(server):
    head = f"POST {PRESENCE}/setPresence HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n{TOKEN}\r\n"
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    with Raw(server) as raw:
        raw.socket.settimeout(20)
        raw.send(head, chunk * 1000)
        response = raw.response()
        assert response is None or response.status == 413
        raw.send(chunk * 1000)
        assert raw.is_closed()


def test_a_client_that_waits_for_100_continue(server):
    """With `Expect: 100-continue`, a client learns that its body is too large before sending it."""
    head = f"POST {PRESENCE}/setPresence HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
    with Raw(server) as raw:
        response = raw.send(f"{head}Content-Length: {TEN_MEGABYTES}\r\n{TOKEN}\r\n").response()
        assert response.status == 413
    with Raw(server) as raw:
        raw.send(f"{head}Content-Type: application/json\r\nContent-Length: {len(SET_BODY)}\r\n{TOKEN}\r\n")
        assert raw.reader.readline().startswith(b"HTTP/1.1 100") and raw.reader.readline() == b"\r\n"
        assert raw.send(SET_BODY).response().status == 200


def nested(depth, opening="[", closing="]"):
    return opening * depth + closing * depth


DEEP = {
    "brackets": nested(100_000),
    "braces": nested(100_000, '{"a":', "}").replace(":}", ":1}", 1),
    "open brackets": "[" * 1_000_000,
    "a member": f'{{"sessionId":{nested(100_000)}}}',
    "an unknown member": f'{SET_BODY[:-1]},"x":{nested(33)}}}',
}


@pytest.mark.parametrize("body", DEEP.values(), ids=DEEP)
def test_deep_json(server, body):
    response = ask(server, post(body))
    assert (response.status, response.code) == (400, "InvalidArgument")


def test_unknown_members_are_ignored(server):
    member = f'"x":{{"a":{nested(20)},"b":[1.5e300,-0,null,true,"\\ud83e\\udd80\\u0000"]}}'
    assert ask(server, post(f"{SET_BODY[:-1]},{member}}}")).status == 200
    large = f'{SET_BODY[:-1]},"x":"{"y" * 900_000}"}}'
    assert ask(server, post(large)).status == 200


def test_h9_a_byte_order_mark_is_skipped(server):
    assert ask(server, post(b"\xef\xbb\xbf" + SET_BODY.encode())).status == 200


BAD_BODIES = {
    "empty": b"",
    "spaces": b"    ",
    "text": b"hello",
    "half": SET_BODY[:-1].encode(),
    "twice": SET_BODY.encode() * 2,
    "two byte order marks": b"\xef\xbb\xbf" * 2 + SET_BODY.encode(),
    "utf-16": SET_BODY.encode("utf-16"),
    "not utf-8": SET_BODY.encode().replace(b"Away", b"Aw\xffy", 1),
    "an overlong slash": SET_BODY.encode()[:-1] + b',"x":"\xc0\xaf"}',
    "a surrogate in utf-8": SET_BODY.encode()[:-1] + b',"x":"\xed\xa0\x80"}',
    "a control character": SET_BODY.encode()[:-1] + b',"x":"\n"}',
    "a zero byte": SET_BODY.encode() + b"\0",
    "a comma too many": SET_BODY.encode()[:-1] + b",}",
    "single quotes": SET_BODY.encode().replace(b'"', b"'"),
    "a comment": b"/* */" + SET_BODY.encode(),
    "not a number": SET_BODY.encode()[:-1] + b',"x":NaN}',
    "a leading zero": SET_BODY.encode()[:-1] + b',"x":01}',
    "an array": b"[" + SET_BODY.encode() + b"]",
    "null": b"null",
    "a string": json.dumps(SET_BODY).encode(),
    "twice the same member": SET_BODY.encode()[:-1] + b',"activity":"Busy"}',
    "twice the same member, escaped": SET_BODY.encode()[:-1] + b',"\\u0061ctivity":"Away"}',
    "members of a wrong type": b'{"sessionId":1,"availability":[],"activity":{}}',
    "nulls": b'{"sessionId":null,"availability":null,"activity":null}',
    "form": b"sessionId=x&availability=Away&activity=Away",
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
def test_h1_malformed_bodies_are_rejected(server, body):
    response = ask(server, post(body))
    assert (response.status, response.code) == (400, "InvalidArgument")
    json.loads(response.body)


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/xml", "application/jsonp", "json", "", "application/x-www-form-urlencoded"]
)
def test_h1_other_media_types_are_rejected(server, media_type):
    response = ask(server, post(media_type=media_type))
    assert response.status == 415


@pytest.mark.parametrize(
    "media_type",
    ["application/json", "APPLICATION/JSON", "application/json; charset=utf-8", "application/json;odata.metadata=minimal"],
)
def test_h1_json_media_types_are_accepted(server, media_type):
    assert ask(server, post(media_type=media_type)).status == 200


def test_a_read_with_a_body(server):
    head = f"GET {PRESENCE} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n{TOKEN}\r\n"
    assert ask(server, head, "hello").status in (200, 400)


def test_h2_bulks_and_batches_at_their_edges(server, application):
    assert application.post(BULK, {"ids": [USER] * 650}).status == 200
    assert application.post(BULK, {"ids": [USER] * 651}).status == 400
    assert application.post(BULK, {"ids": [USER] * 20_000}).status == 400
    element = {"id": "1", "method": "POST", "url": "/communications/getPresencesByUserId"}
    headers = {"Content-Type": "application/json"}
    bulks = [{**element, "id": str(n), "headers": headers, "body": {"ids": [USER] * 650}} for n in range(20)]
    response = application.post("/v1.0/$batch", {"requests": bulks})
    assert response.status == 200 and [element["status"] for element in response.json["responses"]] == [200] * 20
    nested_batch = {"id": "1", "method": "POST", "url": "/$batch", "headers": headers, "body": {"requests": bulks[:1]}}
    assert application.post("/v1.0/$batch", {"requests": [nested_batch]}).status == 400
    # An id almost as long as the body is echoed once.
    long_id = {**element, "id": "x" * 500_000, "method": "GET", "url": f"/users/{USER}/presence"}
    response = application.post("/v1.0/$batch", {"requests": [long_id]})
    assert response.status in (200, 400)
    circle = [{**long_id, "id": n, "dependsOn": [m]} for n, m in (("1", "2"), ("2", "1"))]
    response = application.post("/v1.0/$batch", {"requests": circle})
    assert response.status in (200, 400) and APPLICATION not in response.body.decode()
    assert application.post("/v1.0/$batch", {"requests": [{**long_id, "id": "1", "dependsOn": ["x"] * 50_000}]}).status in (
        200,
        400,
    )


def test_names_that_could_be_injected_into_logs_or_pages(server, application):
    for name in ("<script>", "%0d%0aX-Injected:%20yes", "${jndi:ldap://x}", "'; drop table users; --", "%s%n%x", "\\u202e"):
        path = f"/v1.0/users/{name}/presence".replace(" ", "%20").replace("<", "%3C").replace(">", "%3E")
        response = application.get(path, headers={"client-request-id": name.replace("%0d%0a", "")})
        assert response.status in (400, 404) and "x-injected" not in response.headers
        assert response.headers["content-type"].startswith("application/json") and response.json["error"]["code"]
