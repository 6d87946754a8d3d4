"""The official Python client, unmodified, connected to the server on loopback."""

import datetime

from kiota_abstractions.authentication import AccessTokenProvider, AllowedHostsValidator, BaseBearerTokenAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.communications.get_presences_by_user_id.get_presences_by_user_id_post_request_body import (
    GetPresencesByUserIdPostRequestBody as Ids,
)
from msgraph.generated.models.body_type import BodyType
from msgraph.generated.models.date_time_time_zone import DateTimeTimeZone
from msgraph.generated.models.item_body import ItemBody
from msgraph.generated.models.presence import Presence
from msgraph.generated.models.presence_status_message import PresenceStatusMessage
from msgraph.generated.models.work_location_type import WorkLocationType
from msgraph.generated.users.item.presence.clear_presence.clear_presence_post_request_body import (
    ClearPresencePostRequestBody as Clear,
)
from msgraph.generated.users.item.presence.set_automatic_location.set_automatic_location_post_request_body import (
    SetAutomaticLocationPostRequestBody as AutomaticLocation,
)
from msgraph.generated.users.item.presence.set_manual_location.set_manual_location_post_request_body import (
    SetManualLocationPostRequestBody as ManualLocation,
)
from msgraph.generated.users.item.presence.set_presence.set_presence_post_request_body import (
    SetPresencePostRequestBody as Set,
)
from msgraph.generated.users.item.presence.set_status_message.set_status_message_post_request_body import (
    SetStatusMessagePostRequestBody as StatusMessage,
)
from msgraph.generated.users.item.presence.set_user_preferred_presence.set_user_preferred_presence_post_request_body import (
    SetUserPreferredPresencePostRequestBody as Preferred,
)

from harness import names


class Token(AccessTokenProvider):
    """A provider of a fixed token. The provider of azure-identity would insist on https."""

    def __init__(self, token):
        self.token = token

    async def get_authorization_token(self, uri, additional_authentication_context=None):
        return self.token

    def get_allowed_hosts_validator(self):
        return AllowedHostsValidator([])


def adapter(url, token, version="v1.0"):
    adapter = GraphRequestAdapter(BaseBearerTokenAuthenticationProvider(Token(token)))
    adapter.base_url = f"{url}/{version}"
    return adapter


def graph(url, token=names.APPLICATION_TOKEN, version="v1.0"):
    return GraphServiceClient(request_adapter=adapter(url, token, version))


def set_body(availability, activity, duration=None, session=names.APPLICATION):
    return Set(session_id=session, availability=availability, activity=activity, expiration_duration=duration)


def clear_body(session=names.APPLICATION):
    return Clear(session_id=session)


def preferred_body(availability, activity, duration=None):
    return Preferred(availability=availability, activity=activity, expiration_duration=duration)


def message_body(content, expiry=None, zone="UTC"):
    expires = DateTimeTimeZone(date_time=expiry, time_zone=zone) if expiry else None
    message = ItemBody(content=content, content_type=BodyType.Text)
    return StatusMessage(status_message=PresenceStatusMessage(message=message, expiry_date_time=expires))


def local_time(moment, zone=datetime.UTC):
    """Formats a moment as a local time with seven decimals and without a zone, as in Graph's documentation."""
    return moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0"


def shown(presence):
    return (presence.availability, presence.activity)


__all__ = [
    "AutomaticLocation",
    "Clear",
    "Ids",
    "ManualLocation",
    "Preferred",
    "Presence",
    "Set",
    "WorkLocationType",
]
