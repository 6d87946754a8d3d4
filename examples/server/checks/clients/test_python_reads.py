"""Tests bulk reads, `$select` and batches with the Python client. Rules H2, H3, H5."""

import json

import pytest
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.users.item.presence.presence_request_builder import PresenceRequestBuilder
from msgraph.generated.users.item.user_item_request_builder import UserItemRequestBuilder
from msgraph_core.requests.batch_request_builder import BatchRequestBuilder
from msgraph_core.requests.batch_request_content import BatchRequestContent
from msgraph_core.requests.batch_request_item import BatchRequestItem

from harness import names
from harness.names import OTHER_USER, USER, numbered

from . import sdk
from .sdk import clear_body, preferred_body, set_body, shown

pytestmark = pytest.mark.anyio


async def test_h3_a_bulk_of_650_keeps_the_order_of_its_ids(server):
    client = sdk.graph(server.url)
    ids = [numbered("bulk", number) for number in range(650)]
    for user in ids[::50]:
        await client.users.by_user_id(user).presence.set_presence.post(set_body("Busy", "InAConferenceCall"))
    response = await client.communications.get_presences_by_user_id.post(sdk.Ids(ids=ids))
    assert [presence.id for presence in response.value] == ids
    busy = [presence.id for presence in response.value if presence.activity == "InAConferenceCall"]
    assert busy == ids[::50]
    assert {shown(presence) for presence in response.value} == {("Busy", "InAConferenceCall"), ("Offline", "Offline")}


async def test_h2_a_repeated_id_is_returned_twice(server):
    ids = [USER, OTHER_USER, USER.upper()]
    response = await sdk.graph(server.url).communications.get_presences_by_user_id.post(sdk.Ids(ids=ids))
    assert [presence.id for presence in response.value] == [USER, OTHER_USER, USER]


@pytest.mark.parametrize("ids", [[], [USER] * 651, ["no-id"], ["someone@example.com"]])
async def test_h2_malformed_bulks_are_rejected(server, ids):
    with pytest.raises(ODataError) as rejected:
        await sdk.graph(server.url).communications.get_presences_by_user_id.post(sdk.Ids(ids=ids))
    assert (rejected.value.response_status_code, rejected.value.error.code) == (400, "InvalidArgument")


async def test_select_returns_only_the_selected_members(server):
    presence = sdk.graph(server.url).users.by_user_id(USER).presence
    await presence.set_presence.post(set_body("Away", "Away"))
    query = PresenceRequestBuilder.PresenceRequestBuilderGetQueryParameters(select=["availability", "activity"])
    selected = await presence.get(RequestConfiguration(query_parameters=query))
    assert shown(selected) == ("Away", "Away")
    assert (selected.id, selected.sequence_number, selected.work_location) == (None, None, None)


async def test_section_7_what_is_known_of_a_user(server):
    """As a light begins: who am I, then how am I."""
    signed_in = sdk.graph(server.url, names.USER_TOKEN)
    for user in (
        await signed_in.me.get(),
        await signed_in.users.by_user_id(USER).get(),
        await sdk.graph(server.url).users.by_user_id(names.PRINCIPAL_NAME).get(),
    ):
        assert (user.id, user.user_principal_name, user.display_name) == (USER, names.PRINCIPAL_NAME, None)
    query = UserItemRequestBuilder.UserItemRequestBuilderGetQueryParameters(select=["id", "mail", "jobTitle"])
    selected = await signed_in.me.get(RequestConfiguration(query_parameters=query))
    assert (selected.id, selected.user_principal_name) == (USER, None)
    with pytest.raises(ODataError) as nobody:
        await sdk.graph(server.url).me.get()
    assert (nobody.value.response_status_code, nobody.value.error.code) == (400, "BadRequest")
    batch = BatchRequestContent()
    batch.add_request("1", BatchRequestItem(element(Method.GET, "/me"), "1"))
    batch.add_request("2", BatchRequestItem(element(Method.GET, "/me/presence"), "2"))
    response = await BatchRequestBuilder(signed_in.request_adapter).post(batch)
    assert response.get_response_status_codes() == {"1": 200, "2": 200}


def element(method, url, body=None, headers=None):
    """Returns a request for an element of a batch, built by hand."""
    request = RequestInformation()
    request.http_method, request.url = method, url
    if body is not None:
        request.headers.try_add("Content-Type", "application/json")
        request.content = json.dumps(body).encode()
    return request


async def test_h5_a_batch_of_20(server):
    client = sdk.graph(server.url)
    batch = BatchRequestContent()
    users = [numbered("batch", number) for number in range(10)]
    body = {"sessionId": names.APPLICATION, "availability": "Busy", "activity": "InACall"}
    for number, user in enumerate(users):
        path = f"/users/{user}/presence"
        batch.add_request(f"set{number}", BatchRequestItem(element(Method.POST, f"{path}/setPresence", body), f"set{number}"))
        batch.add_request(f"get{number}", BatchRequestItem(element(Method.GET, path), f"get{number}"))
    response = await BatchRequestBuilder(client.request_adapter).post(batch)
    assert response.get_response_status_codes() == {name: 200 for name in batch.requests}
    assert list(response.responses) == list(batch.requests)
    # msgraph-core drops bodies that are objects; the JavaScript client's test checks them.
    assert {response.get_response_by_id(f"get{number}").content_type for number in range(10)} == {"application/json"}
    for user in users:
        assert shown(await client.users.by_user_id(user).presence.get()) == ("Busy", "InACall")


async def test_h5_a_batch_of_requests_that_the_client_builds(server):
    """Its elements have absolute addresses."""
    client = sdk.graph(server.url)
    presence = client.users.by_user_id(USER).presence
    requests = {
        "set": presence.set_presence.to_post_request_information(set_body("Away", "Away")),
        "get": presence.to_get_request_information(),
        "prefer": presence.set_user_preferred_presence.to_post_request_information(preferred_body("Busy", "Busy")),
        "clear": presence.clear_presence.to_post_request_information(clear_body()),
        "again": presence.clear_presence.to_post_request_information(clear_body()),
    }
    batch = BatchRequestContent()
    for name, request in requests.items():
        request.path_parameters["baseurl"] = client.request_adapter.base_url
        batch.add_request(name, BatchRequestItem(request, name))
        assert batch.requests[name].url.startswith(server.url)
    response = await BatchRequestBuilder(client.request_adapter).post(batch)
    assert response.get_response_status_codes() == {"set": 200, "get": 200, "prefer": 200, "clear": 200, "again": 404}
    assert shown(await presence.get()) == ("Offline", "Offline")
