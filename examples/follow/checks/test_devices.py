"""Microphones in use, by a real PipeWire that is cut and started again."""

import pytest

from parts.follow import Follow
from parts.pipewire import PipeWire


@pytest.fixture
def pipewire(tmp_path):
    with PipeWire(tmp_path / "run") as pipewire:
        yield pipewire


@pytest.fixture
def follow(pipewire, tmp_path):
    # No sound card or camera of this machine.
    (tmp_path / "root/proc").mkdir(parents=True)
    options = ["--devices", "--devices-delay", "1", "--devices-root", tmp_path / "root", "--ignore-program", "tuner", "--verbose"]
    with Follow(*options, environment=pipewire.environment) as follow:
        yield follow


def test_who_records_is_in_a_call(pipewire, follow):
    follow.shows("Offline", {"devices": "ok"})
    # None of these is a call, whatever else is.
    pipewire.record("meter", **{"stream.monitor": "true"})
    pipewire.record("played", "speaker", **{"stream.capture.sink": "true"})
    pipewire.record("tuner")
    call = pipewire.record("call")
    follow.message("devices: microphone: call; camera: nobody")
    follow.shows("InACall")
    call.kill()
    follow.shows("Offline")
    assert follow.stop() == 0


def test_a_pipewire_that_is_cut_is_a_link_and_ends_no_call(pipewire, follow):
    pipewire.record("call")
    follow.shows("InACall", {"devices": "ok"})
    pipewire.cut()
    follow.shows("InACall", {"devices": "down"})
    pipewire.start()
    pipewire.record("call")
    follow.shows("InACall", {"devices": "ok"})
    assert follow.stop() == 0
