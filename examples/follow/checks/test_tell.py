"""A server is told, as an application's own session: beside other sessions, until the end, and after an outage."""

import time

import pytest

from harness import names
from harness.require import require
from parts.broker import PASSWORD, PATIENCE, USER, Broker
from parts.follow import Follow

CHOICE = "presence-core/desk/session/set"


@pytest.fixture
def broker(tmp_path):
    with Broker(tmp_path) as broker:
        yield broker


@pytest.fixture
def follow(server, broker, tmp_path):
    token = tmp_path / "token"
    token.write_text(names.APPLICATION_TOKEN + "\n")
    tell = ["--tell-server", server.url, "--tell-user", names.USER, "--tell-application", names.APPLICATION]
    tell += ["--tell-token-file", token, "--tell-policy", "desk"]
    # What is told is chosen here.
    mqtt = ["--mqtt", f"mqtt://{USER}@127.0.0.1:{broker.port}", "--mqtt-name", "desk"]
    with broker.watch() as watch, Follow(*tell, *mqtt, environment={"PRESENCE_MQTT_PASSWORD": PASSWORD}) as follow:
        # What is published before it has subscribed does not reach it.
        watch.wait("presence-core/desk/status", lambda payload: payload == "online")
        yield follow


def wait_for(server, activity):
    """Waits until others are told an activity."""
    end = time.monotonic() + PATIENCE
    with server.client(names.APPLICATION_TOKEN) as client:
        while (told := client.presence(names.USER)["activity"]) != activity:
            require(time.monotonic() < end, f"{told} is told, and not {activity}")
            time.sleep(0.05)


def test_a_session_is_set_changed_and_taken_back(server, broker, follow):
    broker.publish(CHOICE, "InAMeeting")
    wait_for(server, "InAMeeting")
    broker.publish(CHOICE, "Available")
    wait_for(server, "Available")
    broker.publish(CHOICE, "Not set")
    wait_for(server, "Offline")
    broker.publish(CHOICE, "Busy")
    wait_for(server, "Busy")
    # A program that ends in order takes its session with it.
    assert follow.stop() == 0
    wait_for(server, "Offline")


def test_a_server_that_was_away_is_told_the_latest(server, broker, follow):
    broker.publish(CHOICE, "InAMeeting")
    wait_for(server, "InAMeeting")
    server.kill()
    broker.publish(CHOICE, "Presenting")
    follow.message("does not answer")
    server.listen = f"127.0.0.1:{server.port}"
    server.start()
    wait_for(server, "Presenting")
