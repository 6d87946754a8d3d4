"""Tests the boundaries between requests: pipelining, and framing that smuggles requests past a proxy. RFC 9112."""

import pytest

from .raw import PRESENCE, SET_BODY, TOKEN, Raw, get, post

SMUGGLED = get("/smuggled")
HEAD = f"POST {PRESENCE}/setPresence HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{TOKEN}"
CHUNKED = f"{len(SET_BODY):x}\r\n{SET_BODY}\r\n0\r\n\r\n"


def statuses(server, *pieces, timeout=1):
    """Returns the statuses of all responses, until the connection ends or nothing more comes."""
    found = []
    with Raw(server, timeout) as raw:
        raw.send(*pieces)
        while response := raw.response():
            found.append(response.status)
    return found


def test_pipelining(server):
    assert statuses(server, get() * 50) == [200] * 50
    assert statuses(server, post() + get().encode() + post("{}") + get("/x").encode()) == [200, 200, 400, 404]


def test_pipelining_without_reading(server):
    """Responses wait for a client that does not read, and further requests wait for responses."""
    with Raw(server) as raw:
        raw.socket.settimeout(1)
        sent = 0
        try:
            for _ in range(2_000):
                raw.socket.sendall(get().encode() * 100)
                sent += 100
        except TimeoutError:
            pass
        assert 0 < sent < 200_000, "the server takes requests without end"


def test_chunked(server):
    assert statuses(server, f"{HEAD}Transfer-Encoding: chunked\r\n\r\n{CHUNKED}", get()) == [200, 200]
    one_by_one = "".join(f"1;extension=x\r\n{character}\r\n" for character in SET_BODY) + "0\r\nTrailer: x\r\n\r\n"
    assert statuses(server, f"{HEAD}Transfer-Encoding: chunked\r\n\r\n{one_by_one}", get()) == [200, 200]


@pytest.mark.parametrize("order", ["length first", "encoding first"])
def test_both_a_length_and_chunks(server, order):
    """The request is rejected, or read as chunks as RFC 9112 requires; no part of the body is read as a request."""
    lengths = [f"Content-Length: {len(CHUNKED) + len(SMUGGLED)}", "Transfer-Encoding: chunked"]
    if order == "encoding first":
        lengths.reverse()
    head = HEAD + "\r\n".join(lengths) + "\r\n\r\n"
    # By its length, the body includes the second request; by its chunks, it does not.
    assert statuses(server, head, CHUNKED, SMUGGLED) in ([400], [200], [200, 404])
    # By its length, the body is short, and the rest is a request.
    inner = f"{len(SMUGGLED):x}\r\n{SMUGGLED}\r\n0\r\n\r\n"
    head = f"{HEAD}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert statuses(server, head, inner) in ([400], [400, 400])


MALFORMED_FRAMES = {
    "two lengths": "Content-Length: 5\r\nContent-Length: 6\r\n\r\n{} GET /smuggled",
    "a list of lengths": "Content-Length: 5, 6\r\n\r\n{}   ",
    "a sign": "Content-Length: +2\r\n\r\n{}",
    "negative": "Content-Length: -2\r\n\r\n{}",
    "hexadecimal": "Content-Length: 0x2\r\n\r\n{}",
    "a fraction": "Content-Length: 2.0\r\n\r\n{}",
    "too large a number": "Content-Length: 99999999999999999999999999\r\n\r\n{}",
    "chunked is not last": "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "not chunked at all": "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a vertical tab": "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "a chunk size that overflows": "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n0\r\n\r\n",
    "a negative chunk": "Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n",
    "a chunk without its end": "Transfer-Encoding: chunked\r\n\r\n2\r\n{}{}\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("frame", MALFORMED_FRAMES.values(), ids=MALFORMED_FRAMES)
def test_malformed_frames_are_rejected(server, frame):
    found = statuses(server, HEAD + frame)
    assert found in ([], [400], [413], [501]), found


@pytest.mark.parametrize("frame", ["Content-Length: 100\r\n\r\n{}", "Transfer-Encoding: chunked\r\n\r\n64\r\n{}"])
def test_a_client_that_hangs_up_in_the_middle(server, frame):
    with Raw(server, timeout=5) as raw:
        raw.send(HEAD + frame)
        raw.hang_up()
        response = raw.response()
        assert response is None or response.status == 400


def test_a_flood_of_chunk_extensions(server):
    with Raw(server) as raw:
        raw.send(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n1;", b"x" * 10_000_000)
        response = raw.response()
        assert response is None or response.status in (400, 413)


def test_a_flood_of_trailers(server):
    with Raw(server) as raw:
        trailers = "".join(f"X-{number}: {'x' * 100}\r\n" for number in range(100_000))
        raw.send(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n{CHUNKED[:-2]}", trailers, "\r\n")
        response = raw.response()
        assert response is None or response.status in (400, 413, 431)
