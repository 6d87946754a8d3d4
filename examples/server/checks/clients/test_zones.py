"""Tests every Windows zone against Python's reading of the zone database, and another project's table of names. Rule T1."""

import datetime
import zoneinfo

import pytest
from tzlocal.windows_tz import win_tz

HOUR = datetime.timedelta(hours=1)
FIRST = datetime.datetime(2098, 1, 1)
# The names that the CLDR gave up, as other projects translate them.
RETIRED = {"Kamchatka Standard Time": "Asia/Kamchatka", "Mid-Atlantic Standard Time": "Etc/GMT+2"}


@pytest.fixture
def zone_of():
    """Zones of the package tzdata, whatever the machine has."""
    paths = zoneinfo.TZPATH
    zoneinfo.reset_tzpath([])
    yield zoneinfo.ZoneInfo.no_cache
    zoneinfo.reset_tzpath(paths)


def changed(zone, first, step, count):
    """Returns the moments before and after each change of offset, as far apart as a step."""
    moments = [(first.replace(tzinfo=datetime.UTC) + index * step).astimezone(zone) for index in range(count + 1)]
    return [pair for pair in zip(moments, moments[1:], strict=False) if pair[0].utcoffset() != pair[1].utcoffset()]


def changes(zone):
    """Returns the local hours of two years at which the offset changes, as they are called before and after."""
    days = [day.astimezone(datetime.UTC) for day, _ in changed(zone, FIRST, 24 * HOUR, 2 * 365)]
    pairs = [pair for day in days for pair in changed(zone, day, HOUR, 24)]
    return [moment.replace(tzinfo=None) for pair in pairs for moment in (pair[0] + HOUR, pair[1])]


def test_t1_every_windows_zone(signed_in, zone_of):
    def written(local, name):
        expiry = {"dateTime": local.isoformat(), "timeZone": name}
        body = {"statusMessage": {"message": {"content": "x"}, "expiryDateTime": expiry}}
        response = signed_in.post("/v1.0/me/presence/setStatusMessage", body)
        assert response.status == 200, (name, response)
        return signed_in.get("/v1.0/me/presence?$select=statusMessage").json["statusMessage"]["expiryDateTime"]["dateTime"]

    assert len(win_tz) > 130
    seen = 0
    for name, iana in (win_tz | RETIRED).items():
        zone = zone_of(iana)
        ends = changes(zone)
        seen += len(ends)
        locals = [FIRST, FIRST + 4000 * HOUR]
        locals += [end + beside for end in ends for beside in (-HOUR / 2, datetime.timedelta(0), HOUR / 2)]
        for index, local in enumerate(locals):
            # Python counts the first of two, and the offset before a gap, if nothing else is said.
            moment = local.replace(tzinfo=zone).astimezone(datetime.UTC)
            spelling = [name, name.upper(), name.lower()][index % 3]
            assert written(local, spelling) == moment.strftime("%Y-%m-%dT%H:%M:%S.0000000"), (spelling, local)
    assert seen > 200
