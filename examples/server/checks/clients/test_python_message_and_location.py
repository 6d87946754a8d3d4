"""Tests status messages, work locations and out of office with the Python client. Rules T1, W1, O1."""

import datetime
import zoneinfo

import pytest
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.work_location_source import WorkLocationSource
from msgraph.generated.models.work_location_type import WorkLocationType

from harness import names
from harness.names import OTHER_USER, USER

from . import sdk
from .sdk import AutomaticLocation, ManualLocation, message_body

pytestmark = pytest.mark.anyio
# Rule T1: names of zones in Windows and in the zone database, each with its name in the latter.
ZONES = {
    "UTC": "UTC",
    "Pacific Standard Time": "America/Los_Angeles",
    "W. Europe Standard Time": "Europe/Berlin",
    "India Standard Time": "Asia/Kolkata",
    "AUS Eastern Standard Time": "Australia/Sydney",
    "America/St_Johns": "America/St_Johns",
    "Europe/Berlin": "Europe/Berlin",
    "Pacific/Auckland": "Pacific/Auckland",
    "Etc/UTC": "UTC",
}


def content(presence):
    return presence.status_message and presence.status_message.message and presence.status_message.message.content


@pytest.mark.parametrize("text", ["In a meeting", "Zażółć gęślą jaźń 🦀 👩‍💻", 'quotes " and \\ and\nlines\t', "x" * 280])
async def test_t1_a_message_is_shown_until_it_is_removed(server, text):
    presence = sdk.graph(server.url).users.by_user_id(USER).presence
    await presence.set_status_message.post(message_body(text))
    assert content(await presence.get()) == text
    await presence.set_status_message.post(message_body("another"))
    assert content(await presence.get()) == "another"
    server.advance(400 * 86_400)
    assert content(await presence.get()) == "another"
    await presence.set_status_message.post(message_body(""))
    assert not content(await presence.get())


@pytest.mark.parametrize(("name", "same_as"), ZONES.items())
async def test_t1_a_message_expires_at_a_local_time(server, name, same_as):
    mine = sdk.graph(server.url, names.USER_TOKEN).me.presence
    others = sdk.graph(server.url).users.by_user_id(USER).presence
    await mine.set_status_message.post(message_body("until noon"))
    now = (await mine.get()).status_message.published_date_time
    expiry = now + datetime.timedelta(hours=20)
    await mine.set_status_message.post(message_body("until noon", sdk.local_time(expiry, zoneinfo.ZoneInfo(same_as)), name))
    seen = (await mine.get()).status_message
    assert seen.expiry_date_time.time_zone == "UTC"
    assert seen.expiry_date_time.date_time == sdk.local_time(expiry)
    # Other users do not see the times.
    seen = (await others.get()).status_message
    assert (seen.message.content, seen.expiry_date_time, seen.published_date_time) == ("until noon", None, None)
    server.advance(20 * 3600 - 0.001)
    assert content(await others.get()) == "until noon"
    server.advance(0.001)
    assert not content(await others.get())


@pytest.mark.parametrize("zone", ["UTC", "America/St_Johns", "Europe/Berlin", "Asia/Kathmandu"])
async def test_t1_pythons_own_text_of_a_moment_there_and_back(server, zone):
    mine = sdk.graph(server.url, names.USER_TOKEN).me.presence
    moment = datetime.datetime(2099, 7, 1, 3, 4, 5, 678000, zoneinfo.ZoneInfo(zone))
    # The offset counts, whatever zone stands beside it, or none.
    for name in (zone, "UTC", "Nowhere Standard Time", None):
        await mine.set_status_message.post(message_body("until then", moment.isoformat(), name))
        seen = (await mine.get()).status_message.expiry_date_time
        local = datetime.datetime.fromisoformat(seen.date_time)
        assert local.tzinfo is None and seen.time_zone == "UTC"
        assert local.replace(tzinfo=datetime.UTC) == moment
        # As it came, and with the Z that other clients append.
        for text in (seen.date_time, seen.date_time + "Z"):
            await mine.set_status_message.post(message_body("until then", text, seen.time_zone))
            assert (await mine.get()).status_message.expiry_date_time.date_time == seen.date_time


@pytest.mark.parametrize(
    ("expiry", "zone"),
    [
        ("2030-01-01T00:00:00+24:00", "UTC"),
        ("2030-01-01T00:00:00.0000000", "Middle-earth Standard Time"),
        ("2030-01-01T00:00:00.0000000", ""),
        ("2030-02-30T00:00:00.0000000", "UTC"),
        ("tomorrow", "UTC"),
        ("", "UTC"),
    ],
)
async def test_t1_malformed_expiries_are_rejected(server, expiry, zone):
    presence = sdk.graph(server.url).users.by_user_id(USER).presence
    body = message_body("never")
    body.status_message.expiry_date_time = sdk.DateTimeTimeZone(date_time=expiry, time_zone=zone)
    with pytest.raises(ODataError) as rejected:
        await presence.set_status_message.post(body)
    assert (rejected.value.response_status_code, rejected.value.error.code) == (400, "InvalidArgument")
    assert content(await presence.get()) is None


async def test_t1_a_message_does_not_change_the_presence(server):
    presence = sdk.graph(server.url).users.by_user_id(USER).presence
    await presence.set_presence.post(sdk.set_body("Busy", "InACall"))
    before = await presence.get()
    await presence.set_status_message.post(message_body("on the phone"))
    after = await presence.get()
    assert sdk.shown(after) == sdk.shown(before)
    # Rule V1: but it is a visible change.
    assert after.sequence_number > before.sequence_number


async def test_t1_a_delegated_caller_writes_only_its_users_message(server):
    delegated = sdk.graph(server.url, names.USER_TOKEN)
    await delegated.me.presence.set_status_message.post(message_body("mine"))
    with pytest.raises(ODataError) as rejected:
        await delegated.users.by_user_id(OTHER_USER).presence.set_status_message.post(message_body("not mine"))
    assert (rejected.value.response_status_code, rejected.value.error.code) == (401, "Unauthorized")


def where(presence):
    place = presence.work_location
    return (place.work_location_type, place.source, place.place_id)


NOWHERE = (WorkLocationType.Unspecified, WorkLocationSource.None_, None)


async def test_w1_layers_and_their_sources(server):
    mine = sdk.graph(server.url, names.USER_TOKEN).me.presence
    read = sdk.graph(server.url).communications.presences.by_presence_id(USER).get
    # Rule M5: a user without a session would read like an unknown one.
    await mine.set_presence.post(sdk.set_body("Away", "Away"))
    assert where(await read()) == NOWHERE
    await mine.set_automatic_location.post(AutomaticLocation(work_location_type=WorkLocationType.Remote))
    assert where(await read()) == (WorkLocationType.Remote, WorkLocationSource.Automatic, None)
    await mine.set_manual_location.post(ManualLocation(work_location_type=WorkLocationType.Office, place_id="building 7"))
    assert where(await read()) == (WorkLocationType.Office, WorkLocationSource.Manual, "building 7")
    await mine.clear_automatic_location.post()
    assert where(await read()) == (WorkLocationType.Office, WorkLocationSource.Manual, "building 7")
    await mine.set_automatic_location.post(AutomaticLocation(work_location_type=WorkLocationType.TimeOff))
    assert where(await read()) == (WorkLocationType.Office, WorkLocationSource.Manual, "building 7")
    await mine.clear_location.post()
    assert where(await read()) == NOWHERE


@pytest.mark.parametrize("layer", ["manual", "automatic"])
async def test_w1_a_location_lasts_for_the_day(server, layer):
    mine = sdk.graph(server.url, names.USER_TOKEN).me.presence
    if layer == "manual":
        await mine.set_manual_location.post(ManualLocation(work_location_type=WorkLocationType.Office))
    else:
        await mine.set_automatic_location.post(AutomaticLocation(work_location_type=WorkLocationType.Office))
    assert where(await mine.get())[0] == WorkLocationType.Office
    server.advance(86_400)
    assert where(await mine.get()) == NOWHERE


async def test_w1_every_path(server):
    client = sdk.graph(server.url, names.USER_TOKEN)
    for writer in (
        client.me.presence,
        client.users.by_user_id(USER).presence,
        client.communications.presences.by_presence_id(USER),
    ):
        await writer.set_manual_location.post(ManualLocation(work_location_type=WorkLocationType.Office, place_id="x"))
        assert where(await writer.get()) == (WorkLocationType.Office, WorkLocationSource.Manual, "x")
        await writer.clear_location.post()
        await writer.set_automatic_location.post(AutomaticLocation(work_location_type=WorkLocationType.Office))
        assert where(await writer.get()) == (WorkLocationType.Office, WorkLocationSource.Automatic, None)
        await writer.clear_automatic_location.post()
        assert where(await writer.get()) == NOWHERE
        await writer.set_status_message.post(message_body("here"))
        assert content(await writer.get()) == "here"
        await writer.set_status_message.post(message_body(""))


async def test_w1_a_location_needs_a_type(server):
    mine = sdk.graph(server.url, names.USER_TOKEN).me.presence
    with pytest.raises(ODataError) as rejected:
        await mine.set_manual_location.post(ManualLocation(place_id="x"))
    assert (rejected.value.response_status_code, rejected.value.error.code) == (400, "InvalidArgument")


async def test_o1_out_of_office(server, developer):
    presence = sdk.graph(server.url).users.by_user_id(USER).presence
    await presence.set_presence.post(sdk.set_body("Available", "Available"))
    before = await presence.get()
    assert (before.out_of_office_settings.is_out_of_office, before.out_of_office_settings.message) == (False, None)
    settings = {"isOutOfOffice": True, "message": "Back on Monday 🏖"}
    assert developer.post(f"/dev/users/{USER}/outOfOffice", settings).status == 200
    after = await presence.get()
    assert (after.out_of_office_settings.is_out_of_office, after.out_of_office_settings.message) == (True, "Back on Monday 🏖")
    assert sdk.shown(after) == sdk.shown(before) and after.sequence_number > before.sequence_number
