"""Tests the errors that the Python client receives, and its retries when it is throttled. Rules H1, H2."""

import asyncio

import pytest
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph.generated.models.o_data_errors.o_data_error import ODataError

from harness import names
from harness.names import APPLICATION, OTHER_APPLICATION, OTHER_USER, USER
from harness.stalled_bodies import StalledBodies
from harness.throttle import Throttle

from . import sdk
from .sdk import clear_body, preferred_body, set_body, shown

pytestmark = pytest.mark.anyio
OUT_OF_RANGE = "The provided [ExpirationDuration] is out of range."
NO_SESSION = "[SessionId]: The SessionId field is required."


async def error_of(call):
    """Returns the status, code and message of a rejected call. Every error contains its date and request id."""
    with pytest.raises(ODataError) as rejected:
        await call
    error = rejected.value.error
    assert error.inner_error.request_id and error.inner_error.date
    assert error.inner_error.date.year >= 1970
    return rejected.value.response_status_code, error.code, error.message


async def test_h1_what_is_wrong_with_a_body(server):
    presence = sdk.graph(server.url).users.by_user_id(USER).presence
    post = presence.set_presence.post
    assert await error_of(post(sdk.Set(availability="Away", activity="Away"))) == (400, "InvalidArgument", NO_SESSION)
    assert await error_of(presence.clear_presence.post(sdk.Clear())) == (400, "InvalidArgument", NO_SESSION)
    for duration in ("PT4M", "PT4M59S", "PT4H1S", "P1D"):
        assert await error_of(post(set_body("Away", "Away", duration))) == (400, "InvalidArgument", OUT_OF_RANGE)
    for pair in (("Busy", "Busy"), ("Away", "Available"), ("Offline", "OffWork"), ("busy", "napping"), ("", "")):
        assert (await error_of(post(set_body(*pair))))[:2] == (400, "InvalidArgument")
    for pair in (("Busy", "InACall"), ("Offline", "Offline"), ("DoNotDisturb", "Presenting")):
        assert (await error_of(presence.set_user_preferred_presence.post(preferred_body(*pair))))[0] == 400
    for missing in (sdk.Preferred(activity="Away"), sdk.Preferred(availability="Away")):
        assert (await error_of(presence.set_user_preferred_presence.post(missing)))[0] == 400
    # Rule S7: a rejected command changes nothing.
    assert (await presence.get()).sequence_number is None


async def test_h1_missing_permissions(server):
    application, other = sdk.graph(server.url), sdk.graph(server.url, names.OTHER_APPLICATION_TOKEN)
    delegated = sdk.graph(server.url, names.USER_TOKEN)
    body = set_body("Away", "Away")
    await application.users.by_user_id(USER).presence.set_presence.post(body)
    for call in (
        other.users.by_user_id(USER).presence.set_presence.post(body),
        other.users.by_user_id(USER).presence.clear_presence.post(clear_body()),
        application.users.by_user_id(USER).presence.set_presence.post(set_body("Away", "Away", session=OTHER_APPLICATION)),
        delegated.me.presence.set_presence.post(set_body("Away", "Away", session=OTHER_APPLICATION)),
    ):
        assert (await error_of(call))[:2] == (403, "Forbidden")
    for call in (
        delegated.users.by_user_id(OTHER_USER).presence.set_presence.post(body),
        delegated.users.by_user_id(OTHER_USER).presence.clear_presence.post(clear_body()),
        delegated.users.by_user_id(OTHER_USER).presence.set_user_preferred_presence.post(preferred_body("Away", "Away")),
        delegated.users.by_user_id(OTHER_USER).presence.clear_user_preferred_presence.post(),
        sdk.graph(server.url, "unknown-token").users.by_user_id(USER).presence.get(),
        sdk.graph(server.url, APPLICATION).users.by_user_id(USER).presence.set_presence.post(body),
    ):
        assert (await error_of(call))[:2] == (401, "Unauthorized")
    # A delegated caller may read other users.
    assert shown(await delegated.users.by_user_id(OTHER_USER).presence.get()) == ("Offline", "Offline")
    assert shown(await application.users.by_user_id(USER).presence.get()) == ("Away", "Away")


@pytest.mark.parametrize("name", ["someone@example.com", names.UNKNOWN_PRINCIPAL_NAME])
async def test_section_7_unknown_user_principal_names(server, name):
    presence = sdk.graph(server.url).users.by_user_id(name).presence
    assert (await error_of(presence.get()))[:2] == (404, "NotFound")
    assert (await error_of(presence.set_presence.post(set_body("Away", "Away"))))[:2] == (404, "NotFound")


async def test_section_7_malformed_ids_are_rejected(server):
    assert (await error_of(sdk.graph(server.url).users.by_user_id("no-id").presence.get()))[:2] == (400, "InvalidArgument")


async def test_h1_an_error_repeats_the_clients_id(server):
    request = RequestConfiguration()
    request.headers.add("client-request-id", "7d5ad8c6-9f5c-4d52-8f34-ee9fb7a3f0a1")
    with pytest.raises(ODataError) as rejected:
        await sdk.graph(server.url).users.by_user_id("no-id").presence.get(request)
    assert rejected.value.error.inner_error.client_request_id == "7d5ad8c6-9f5c-4d52-8f34-ee9fb7a3f0a1"


async def test_section_7_an_application_has_no_me(server):
    assert (await error_of(sdk.graph(server.url).me.presence.get()))[:2] == (400, "BadRequest")


async def test_h1_methods_that_graph_does_not_have(server):
    presence = sdk.graph(server.url).users.by_user_id(USER).presence
    assert (await error_of(presence.delete()))[0] == 405
    assert (await error_of(presence.patch(sdk.Presence(availability="Away"))))[0] == 405
    assert (await error_of(sdk.graph(server.url).communications.presences.get()))[0] == 400, "without a filter"


async def test_h1_a_throttled_client_retries_and_gives_up_in_the_end(server):
    with Throttle(server, remaining=2) as throttle:
        presence = sdk.graph(throttle.url).users.by_user_id(USER).presence
        await presence.set_presence.post(set_body("Busy", "InACall"))
        assert [headers.get("Retry-Attempt") for _, _, headers in throttle.seen] == [None, "1", "2"]
        throttle.remaining = 1
        assert shown(await presence.get()) == ("Busy", "InACall")
        throttle.remaining = 4
        with pytest.raises(ODataError) as rejected:
            await presence.get()
        assert (rejected.value.response_status_code, rejected.value.error.code) == (429, "TooManyRequests")


async def test_h1_the_server_itself_throttles(server):
    """Unfinished bodies use up a user's memory for bodies; a client that is throttled then retries."""
    presence = sdk.graph(server.url, names.USER_TOKEN).me.presence
    # Each lasts only some seconds, and says nothing if it was over before all was seen.
    for _ in range(10):
        with StalledBodies(server) as stalled:
            throttled = stalled.metric("throttled_total")
            with server.client(names.USER_TOKEN) as client:
                body = {"sessionId": APPLICATION, "availability": "Away", "activity": "Away"}
                response = client.post("/v1.0/me/presence/setPresence", body)
            asked = asyncio.create_task(presence.set_presence.post(set_body("Busy", "InACall")))
            while stalled.metric("throttled_total") < throttled + 2 and not asked.done():
                await asyncio.sleep(0.01)
            was_done, were_held = asked.done(), stalled.are_held()
        await asked
        if were_held:
            break
    assert were_held and not was_done
    assert (response.status, response.code, response.headers["retry-after"]) == (429, "TooManyRequests", "1")
    assert shown(await presence.get()) == ("Busy", "InACall")
