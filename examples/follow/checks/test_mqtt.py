"""MQTT with Mosquitto, in the place of Home Assistant's broker: it is cut and started again, and so is the program."""

import json

import pytest

from parts.broker import PASSWORD, USER, Broker
from parts.follow import Follow

STATE, STATUS, SESSION = ("presence-core/desk/" + name for name in ("state", "status", "session"))
CONFIG, CHOICE = "homeassistant/device/presence-follow-desk/config", "presence-core/desk/session/set"


@pytest.fixture
def broker(tmp_path):
    with Broker(tmp_path) as broker:
        yield broker


def options(broker, scheme="mqtt"):
    return ["--mqtt", f"{scheme}://{USER}@127.0.0.1:{broker.port}", "--mqtt-name", "desk"]


def follow(broker, *more, password=PASSWORD, scheme="mqtt"):
    return Follow(*options(broker, scheme), *more, environment={"PRESENCE_MQTT_PASSWORD": password})


def activity(wanted):
    return lambda payload: json.loads(payload)["activity"] == wanted


def test_home_assistant_finds_a_device_whenever_it_starts(broker):
    with follow(broker) as program:
        program.message("connected with mqtt://127.0.0.1")
        # A client that comes late gets what was kept.
        with broker.watch() as watch:
            device = json.loads(watch.wait(CONFIG))
            assert set(device["components"]) == {"availability", "activity", "out_of_office", "link", "session"}
            assert device["components"]["activity"]["state_topic"] == STATE
            assert device["availability_topic"] == STATUS
        with broker.watch() as watch:
            status, chosen, state, _ = watch.kept([STATUS, SESSION, STATE, CONFIG])
            assert (status, chosen) == ("online", "Not set")
            assert json.loads(state)["activity"] is None
            broker.publish("homeassistant/status", "online")
            assert json.loads(watch.wait(CONFIG, kept=False)) == device
            assert watch.wait(STATUS, kept=False) == "online"
        assert program.stop() == 0


def test_a_choice_is_shown_and_taken_back(broker):
    # One that somebody has let the broker keep is not made.
    broker.publish(CHOICE, "Presenting", "-r")
    with broker.watch() as watch, follow(broker) as program:
        watch.wait(STATUS, lambda payload: payload == "online")
        broker.publish(CHOICE, "DoNotDisturb")
        state = program.shows("DoNotDisturb")
        assert state["source"] == "mqtt"
        watch.wait(SESSION, lambda payload: payload == "DoNotDisturb")
        watch.wait(STATE, activity("DoNotDisturb"))
        broker.publish(CHOICE, "Asleep")
        program.message("cannot be chosen")
        assert watch.wait(SESSION) == "DoNotDisturb"
        broker.publish(CHOICE, "Not set")
        watch.wait(SESSION, lambda payload: payload == "Not set")
        watch.wait(STATE, activity("Offline"))
        assert not any("Presenting" in line for line in program.seen)


def test_a_broker_that_is_cut_is_told_everything_again(broker):
    with follow(broker) as program:
        program.message("connected")
        broker.publish(CHOICE, "InACall")
        program.shows("InACall")
        broker.cut()
        program.message("no connection with")
        # It has kept nothing.
        broker.start()
        with broker.watch() as watch:
            watch.wait(CONFIG)
            watch.wait(STATUS, lambda payload: payload == "online")
            watch.wait(SESSION, lambda payload: payload == "InACall")
            watch.wait(STATE, activity("InACall"))
            broker.publish(CHOICE, "Away")
            watch.wait(STATE, activity("Away"))


@pytest.mark.parametrize("end", ["in order", "killed"])
def test_a_program_that_ends_is_not_available(broker, end):
    with broker.watch() as watch, follow(broker) as program:
        watch.wait(STATUS, lambda payload: payload == "online")
        if end == "killed":
            # The broker publishes the last will.
            program.process.kill()
        else:
            assert program.stop() == 0
        assert watch.wait(STATUS) == "offline"
    with broker.watch() as watch:
        assert watch.wait(STATUS, kept=True) == "offline"


def test_a_wrong_password_is_told_and_never_shown(broker, tmp_path):
    file = tmp_path / "password"
    file.write_text("a wrong one\n")
    with follow(broker, "--mqtt-password-file", file, "--verbose") as program:
        assert "BadUserNamePassword" in program.message("no connection") or "NotAuthorized" in program.said[-1]
        program.process.terminate()
        _, lines, messages = program.end()
    assert not any("a wrong one" in line or PASSWORD in line for line in lines + messages)


def test_a_password_on_the_command_line_is_rejected(broker):
    with Follow("--mqtt", f"mqtt://{USER}:secret@127.0.0.1:{broker.port}") as program:
        code, _, messages = program.end()
    assert code == 2 and any("does not belong on a command line" in message for message in messages), messages


def test_tls_is_with_a_broker_whose_certificate_is_known(tmp_path):
    with Broker(tmp_path, tls=True) as broker:
        with follow(broker, "--mqtt-ca", tmp_path / "certificate.pem", scheme="mqtts") as program:
            program.message("connected with mqtts://127.0.0.1")
            with broker.watch() as watch:
                assert watch.wait(STATUS) == "online"
            assert program.stop() == 0
        with follow(broker, scheme="mqtts") as program:
            program.message("no connection with mqtts://127.0.0.1")
            assert not any("connected with" in message for message in program.said)
