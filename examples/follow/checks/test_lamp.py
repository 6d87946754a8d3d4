"""A lamp with the real firmware, in the emulator: it is unplugged and plugged in again, and shows what is shown."""

import pytest

from harness import names
from parts.follow import Follow
from parts.lamp import Lamp


@pytest.fixture
def lamp(tmp_path):
    with Lamp(tmp_path / "lamp") as lamp:
        yield lamp


def set_presence(server, availability, activity):
    body = {"sessionId": names.APPLICATION, "availability": availability, "activity": activity, "expirationDuration": "PT1H"}
    with server.client(names.APPLICATION_TOKEN) as client:
        assert client.act(names.USER, "setPresence", body).status == 200


@pytest.fixture
def follow(server, lamp, tmp_path):
    token = tmp_path / "token"
    token.write_text(names.APPLICATION_TOKEN + "\n")
    source = ["--follow-server", server.url, "--follow-user", names.USER, "--follow-token-file", token]
    with Follow(*source, "--port", lamp.port, "--verbose") as follow:
        yield follow


def reports(follow, activity, cause):
    """Waits until the lamp reports that it shows an activity, and why."""
    part = f'"activity":"{activity}"}},"cause":"{cause}"'
    follow.message(part)


def test_a_lamp_follows_a_server(server, lamp, follow):
    set_presence(server, "Busy", "InACall")
    follow.message(f"the lamp at {lamp.port} answers")
    reports(follow, "InACall", "set")
    set_presence(server, "BeRightBack", "BeRightBack")
    reports(follow, "BeRightBack", "set")
    lamp.unplug()
    follow.message(f"the lamp at {lamp.port} is gone")
    set_presence(server, "DoNotDisturb", "Presenting")
    lamp.plug_in()
    follow.message(f"the lamp at {lamp.port} answers")
    reports(follow, "Presenting", "set")
    # Gone is told, and not that nothing is known.
    with server.client(names.APPLICATION_TOKEN) as client:
        assert client.act(names.USER, "clearPresence", {"sessionId": names.APPLICATION}).status == 200
    reports(follow, "Offline", "cleared")
    # The link is shown beside it.
    server.kill()
    follow.message('"state":"offline"')
    follow.message('{"id":"link","status":200')
    server.listen = f"127.0.0.1:{server.port}"
    server.start()
    follow.message('"state":"ok"')
    follow.message('{"id":"link","status":200')
    assert follow.stop() == 0
