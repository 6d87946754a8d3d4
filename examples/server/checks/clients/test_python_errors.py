"""What the Python client makes of refusals, and that it comes back when it is throttled. Rules H1, H2."""

import asyncio

import pytest
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph.generated.models.o_data_errors.o_data_error import ODataError

from harness import names
from harness.stalled_bodies import Hoard
from harness.names import APPLICATION, OTHER_APPLICATION, OTHER_USER, USER
from harness.throttle import Throttle

from . import sdk
from .sdk import clear_body, preferred_body, set_body, shown

pytestmark = pytest.mark.anyio
OUT_OF_RANGE = "The provided [ExpirationDuration] is out of range."
NO_SESSION = "[SessionId]: The SessionId field is required."


async def refusal(call):
    """What a call is refused with: status, code, message. Every error names when and which request it was."""
    with pytest.raises(ODataError) as refused:
        await call
    error = refused.value.error
    assert error.inner_error.request_id and error.inner_error.date
    assert error.inner_error.date.year >= 1970
    return refused.value.response_status_code, error.code, error.message


async def test_h1_what_is_wrong_with_a_body(server):
    presence = sdk.graph(server.url).users.by_user_id(USER).presence
    post = presence.set_presence.post
    assert await refusal(post(sdk.Set(availability="Away", activity="Away"))) == (400, "InvalidArgument", NO_SESSION)
    assert await refusal(presence.clear_presence.post(sdk.Clear())) == (400, "InvalidArgument", NO_SESSION)
    for duration in ("PT4M", "PT4M59S", "PT4H1S", "P1D"):
        assert await refusal(post(set_body("Away", "Away", duration))) == (400, "InvalidArgument", OUT_OF_RANGE)
    for pair in (("Busy", "Busy"), ("Away", "Available"), ("Offline", "OffWork"), ("busy", "napping"), ("", "")):
        assert (await refusal(post(set_body(*pair))))[:2] == (400, "InvalidArgument")
    for pair in (("Busy", "InACall"), ("Offline", "Offline"), ("DoNotDisturb", "Presenting")):
        assert (await refusal(presence.set_user_preferred_presence.post(preferred_body(*pair))))[0] == 400
    for missing in (sdk.Preferred(activity="Away"), sdk.Preferred(availability="Away")):
        assert (await refusal(presence.set_user_preferred_presence.post(missing)))[0] == 400
    # Rule S7: a refused command changes nothing.
    assert (await presence.get()).sequence_number is None


async def test_h1_who_may_not(server):
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
        assert (await refusal(call))[:2] == (403, "Forbidden")
    for call in (
        delegated.users.by_user_id(OTHER_USER).presence.set_presence.post(body),
        delegated.users.by_user_id(OTHER_USER).presence.clear_presence.post(clear_body()),
        delegated.users.by_user_id(OTHER_USER).presence.set_user_preferred_presence.post(preferred_body("Away", "Away")),
        delegated.users.by_user_id(OTHER_USER).presence.clear_user_preferred_presence.post(),
        sdk.graph(server.url, "unknown-token").users.by_user_id(USER).presence.get(),
        sdk.graph(server.url, APPLICATION).users.by_user_id(USER).presence.set_presence.post(body),
    ):
        assert (await refusal(call))[:2] == (401, "Unauthorized")
    # It may read others.
    assert shown(await delegated.users.by_user_id(OTHER_USER).presence.get()) == ("Offline", "Offline")
    assert shown(await application.users.by_user_id(USER).presence.get()) == ("Away", "Away")


@pytest.mark.parametrize("name", ["someone@example.com", names.UNKNOWN_PRINCIPAL_NAME])
async def test_section_7_user_principal_names_that_nobody_has(server, name):
    presence = sdk.graph(server.url).users.by_user_id(name).presence
    assert (await refusal(presence.get()))[:2] == (404, "NotFound")
    assert (await refusal(presence.set_presence.post(set_body("Away", "Away"))))[:2] == (404, "NotFound")


async def test_section_7_what_is_no_id_is_refused(server):
    assert (await refusal(sdk.graph(server.url).users.by_user_id("nobody").presence.get()))[:2] == (400, "InvalidArgument")


async def test_h1_an_error_repeats_the_clients_id(server):
    request = RequestConfiguration()
    request.headers.add("client-request-id", "7d5ad8c6-9f5c-4d52-8f34-ee9fb7a3f0a1")
    with pytest.raises(ODataError) as refused:
        await sdk.graph(server.url).users.by_user_id("nobody").presence.get(request)
    assert refused.value.error.inner_error.client_request_id == "7d5ad8c6-9f5c-4d52-8f34-ee9fb7a3f0a1"


async def test_section_7_an_application_has_no_me(server):
    assert (await refusal(sdk.graph(server.url).me.presence.get()))[:2] == (404, "NotFound")


async def test_h1_methods_that_the_client_has_and_graph_has_not(server):
    presence = sdk.graph(server.url).users.by_user_id(USER).presence
    assert (await refusal(presence.delete()))[0] == 405
    assert (await refusal(presence.patch(sdk.Presence(availability="Away"))))[0] == 405
    assert (await refusal(sdk.graph(server.url).communications.presences.get()))[0] == 404


async def test_h1_a_throttled_client_comes_back_and_gives_up_in_the_end(server):
    with Throttle(server, refusals=2) as throttle:
        presence = sdk.graph(throttle.url).users.by_user_id(USER).presence
        await presence.set_presence.post(set_body("Busy", "InACall"))
        assert [headers.get("Retry-Attempt") for _, _, headers in throttle.seen] == [None, "1", "2"]
        throttle.refusals = 1
        assert shown(await presence.get()) == ("Busy", "InACall")
        throttle.refusals = 4
        with pytest.raises(ODataError) as refused:
            await presence.get()
        assert (refused.value.response_status_code, refused.value.error.code) == (429, "TooManyRequests")


async def test_h1_the_server_itself_throttles(server):
    """Clients that do not end their bodies take up the room for bodies; who comes then, comes back later."""
    presence = sdk.graph(server.url).users.by_user_id(USER).presence
    with Hoard(server) as hoard:
        with server.client(names.APPLICATION_TOKEN) as client:
            answer = client.act(USER, "setPresence", {"sessionId": APPLICATION, "availability": "Away", "activity": "Away"})
        assert (answer.status, answer.code, answer.headers["retry-after"]) == (429, "TooManyRequests", "1")
        asked = asyncio.create_task(presence.set_presence.post(set_body("Busy", "InACall")))
        await asyncio.sleep(0.5)
        assert not asked.done()
        hoard.end()
        await asked
    assert shown(await presence.get()) == ("Busy", "InACall")
