"""Tests sessions, preferred presence and reads with the Python client. Sections 2 to 5 and 7."""

import datetime

import pytest
from msgraph.generated.models.o_data_errors.o_data_error import ODataError

from harness import names
from harness.names import OTHER_USER, PREFERRED_PAIRS, SESSION_PAIRS, USER

from . import sdk
from .sdk import clear_body, preferred_body, set_body, shown

pytestmark = pytest.mark.anyio
OFFLINE = ("Offline", "Offline")


@pytest.mark.parametrize("version", ["v1.0", "beta"])
@pytest.mark.parametrize("pair", SESSION_PAIRS)
async def test_p1_every_session_pair(server, pair, version):
    presence = sdk.graph(server.url, version=version).users.by_user_id(USER).presence
    assert shown(await presence.get()) == OFFLINE
    await presence.set_presence.post(set_body(*pair))
    assert shown(await presence.get()) == pair
    await presence.clear_presence.post(clear_body())
    assert shown(await presence.get()) == OFFLINE


@pytest.mark.parametrize("pair", PREFERRED_PAIRS)
async def test_a2_every_preferred_pair_is_over_every_session(server, pair):
    presence = sdk.graph(server.url).users.by_user_id(USER).presence
    await presence.set_user_preferred_presence.post(preferred_body(*pair))
    # Rule U3: without a session it has no effect.
    assert shown(await presence.get()) == OFFLINE
    await presence.set_presence.post(set_body("DoNotDisturb", "Presenting"))
    assert shown(await presence.get()) == pair
    await presence.clear_user_preferred_presence.post()
    assert shown(await presence.get()) == ("DoNotDisturb", "Presenting")
    # Rule U4: clearing succeeds also when nothing is set.
    await presence.clear_user_preferred_presence.post()


async def test_a3_the_strongest_application_decides(server):
    first = sdk.graph(server.url).users.by_user_id(USER).presence
    second = sdk.graph(server.url, names.OTHER_APPLICATION_TOKEN).users.by_user_id(USER).presence
    await first.set_presence.post(set_body("DoNotDisturb", "Presenting"))
    await second.set_presence.post(set_body("Busy", "InACall", session=names.OTHER_APPLICATION))
    assert shown(await second.get()) == ("DoNotDisturb", "Presenting")
    await first.clear_presence.post(clear_body())
    assert shown(await first.get()) == ("Busy", "InACall")


async def test_s5_a_second_clear_is_not_found(server):
    presence = sdk.graph(server.url).users.by_user_id(USER).presence
    await presence.set_presence.post(set_body("Away", "Away"))
    await presence.clear_presence.post(clear_body())
    with pytest.raises(ODataError) as rejected:
        await presence.clear_presence.post(clear_body())
    assert (rejected.value.response_status_code, rejected.value.error.code) == (404, "NotFound")


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        (None, 300),
        (datetime.timedelta(hours=1), 3600),
        (datetime.timedelta(minutes=5, seconds=30, milliseconds=500), 330.5),
        (datetime.timedelta(hours=4), 14400),
        ("PT1H30M", 5400),
        ("PT300S", 300),
    ],
)
async def test_s2_sessions_expire_to_the_millisecond(server, duration, seconds):
    presence = sdk.graph(server.url).users.by_user_id(USER).presence
    await presence.set_presence.post(set_body("Busy", "InACall", duration))
    server.advance(seconds - 0.001)
    assert shown(await presence.get()) == ("Busy", "InACall")
    server.advance(0.001)
    assert shown(await presence.get()) == OFFLINE


async def test_s1_repeating_is_the_keep_alive(server):
    presence = sdk.graph(server.url).users.by_user_id(USER).presence
    for _ in range(3):
        await presence.set_presence.post(set_body("Busy", "InACall"))
        server.advance(299)
    assert shown(await presence.get()) == ("Busy", "InACall")


async def test_s3_available_fades(server):
    presence = sdk.graph(server.url).users.by_user_id(USER).presence
    await presence.set_presence.post(set_body("Available", "Available", datetime.timedelta(hours=1)))
    seen = []
    for seconds in (0, 299, 1, 299, 1, 2999, 1):
        server.advance(seconds)
        seen.append(shown(await presence.get()))
    available, inactive, away = ("Available", "Available"), ("Available", "AvailableInactive"), ("Away", "Away")
    assert seen == [available, available, inactive, inactive, away, away, OFFLINE]


@pytest.mark.parametrize(
    ("pair", "duration", "seconds"),
    [
        (("Busy", "Busy"), None, 86_400),
        (("DoNotDisturb", "DoNotDisturb"), None, 86_400),
        (("Offline", "OffWork"), None, 7 * 86_400),
        (("Away", "Away"), datetime.timedelta(days=1, hours=2), 93_600),
        (("BeRightBack", "BeRightBack"), datetime.timedelta(minutes=10), 600),
    ],
)
async def test_u2_preferred_presences_expire(server, pair, duration, seconds):
    presence = sdk.graph(server.url).users.by_user_id(USER).presence
    await presence.set_user_preferred_presence.post(preferred_body(*pair, duration))
    server.advance(seconds - 1)
    await presence.set_presence.post(set_body("Busy", "InACall"))
    assert shown(await presence.get()) == pair
    server.advance(1)
    assert shown(await presence.get()) == ("Busy", "InACall")


async def test_section_7_all_paths_lead_to_the_same_presence(server):
    client, signed_in = sdk.graph(server.url), sdk.graph(server.url, names.USER_TOKEN)
    for writer in (
        client.users.by_user_id(USER).presence,
        client.communications.presences.by_presence_id(USER),
        signed_in.me.presence,
    ):
        await writer.set_presence.post(set_body("Busy", "InACall"))
        await writer.set_user_preferred_presence.post(preferred_body("Away", "Away"))
        for reader in (
            client.users.by_user_id(USER).presence,
            client.communications.presences.by_presence_id(USER),
            signed_in.me.presence,
        ):
            presence = await reader.get()
            assert (presence.id, *shown(presence)) == (USER, "Away", "Away")
        await writer.clear_user_preferred_presence.post()
        assert shown(await writer.get()) == ("Busy", "InACall")
        await writer.clear_presence.post(clear_body())
        assert shown(await writer.get()) == OFFLINE


@pytest.mark.parametrize("spelling", [USER.upper(), "{" + USER + "}", "{" + USER.upper() + "}", names.PRINCIPAL_NAME])
async def test_m2_section_7_every_way_to_name_a_user(server, spelling):
    client = sdk.graph(server.url)
    body = set_body("Away", "Away", session=names.APPLICATION.upper())
    await client.users.by_user_id(spelling).presence.set_presence.post(body)
    presence = await client.users.by_user_id(USER).presence.get()
    assert (presence.id, *shown(presence)) == (USER, "Away", "Away")


async def test_v1_the_sequence_number_grows_with_what_is_visible(server):
    presence = sdk.graph(server.url).users.by_user_id(USER).presence
    assert (await presence.get()).sequence_number is None
    await presence.set_presence.post(set_body("Away", "Away"))
    first = (await presence.get()).sequence_number
    assert len(first) == 11 and first[0].isalpha() and first[1:].isdigit()
    await presence.set_presence.post(set_body("Away", "Away"))
    assert (await presence.get()).sequence_number == first
    await presence.clear_presence.post(clear_body())
    assert (await presence.get()).sequence_number > first
    assert (await sdk.graph(server.url).users.by_user_id(OTHER_USER).presence.get()).sequence_number is None
