"""Following this project's server: its feed, and a user's presence; and the server is killed and started again."""

import pytest

from conftest import OWN_TOKEN
from harness import names
from parts.follow import Follow, once


@pytest.fixture
def token(tmp_path):
    def write(text):
        path = tmp_path / text
        path.write_text(text + "\n")
        return path

    return write


def set_presence(server, activity, availability="Busy"):
    body = {"sessionId": names.APPLICATION, "availability": availability, "activity": activity, "expirationDuration": "PT1H"}
    with server.client(names.APPLICATION_TOKEN) as client:
        assert client.act(names.USER, "setPresence", body).status == 200


def feed(server, token):
    return ["--follow-server", server.url, "--follow-user", names.USER, "--follow-token-file", token(names.APPLICATION_TOKEN)]


def poll(server, token):
    return ["--follow-server", server.url, "--follow-token-file", token(names.USER_TOKEN), "--interval", "1"]


@pytest.mark.parametrize("way", [feed, poll])
def test_a_server_that_is_killed_is_followed_again(way, server, token):
    options = way(server, token)
    set_presence(server, "InAMeeting")
    code, state, messages = once(*options)
    assert code == 0 and state["activity"] == "InAMeeting", (state, messages)
    with Follow(*options) as follow:
        follow.shows("InAMeeting", {"server": "ok"})
        set_presence(server, "Presenting", "DoNotDisturb")
        follow.shows("Presenting", {"server": "ok"})
        server.kill()
        follow.shows("Presenting", {"server": "down"})
        server.listen = f"127.0.0.1:{server.port}"
        server.start()
        set_presence(server, "Away", "Away")
        follow.shows("Away", {"server": "ok"})
        with server.client(names.APPLICATION_TOKEN) as client:
            assert client.act(names.USER, "clearPresence", {"sessionId": names.APPLICATION}).status == 200
        state = follow.shows("Offline", {"server": "ok"})
        assert not state["isStale"]
        assert follow.stop() == 0


def test_without_an_answer_nothing_is_claimed(server, token):
    options = poll(server, token)
    server.kill()
    code, state, messages = once(*options)
    assert code == 4 and state["isStale"] and state["links"] == {"server": "down"}, (state, messages)
    assert any("does not answer" in message for message in messages), messages
    server.start()


def test_a_token_that_is_not_accepted_is_told(server, token):
    for way, text in ((poll, "unknown"), (feed, "unknown"), (feed, OWN_TOKEN)):
        options = [option if isinstance(option, str) else token(text) for option in way(server, token)]
        code, state, messages = once(*options)
        assert code == 4 and any("token" in message for message in messages), (state, messages)
