#!/usr/bin/env python3
"""What calendars show, by an independent implementation: icalendar and recurring-ical-events.

usage: calendars.py --check      compares calendars/*.json with what comes out here
       calendars.py --write      writes them
       calendars.py --random DIR writes random calendars, and what they show, into a directory

`cargo test` reads the same files and compares; with PRESENCE_CALENDARS=DIR those of a directory too.
"""

import datetime
import json
import pathlib
import random
import sys
import zoneinfo

import dateutil.tz
import icalendar
import recurring_ical_events
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

HERE = pathlib.Path(__file__).resolve().parent
CALENDARS = HERE.parent / "calendars"
UTC = datetime.timezone.utc
FROM = "2026-10-19T00:00:00Z"
TO = "2027-04-19T00:00:00Z"
READERS = {
    "apple": [("Australia/Lord_Howe", [], False)],
    "google": [("America/New_York", ["me@example.com"], False), ("Europe/London", [], True)],
    "outlook": [("Europe/Berlin", [], False), ("America/New_York", [], True)],
}
ORDER = ["Away", "Busy", "InAMeeting"]


def instant(time, zone):
    """Returns the instant of a date or a time, of which those without a zone are the reader's."""
    if not isinstance(time, datetime.datetime):
        time = datetime.datetime.combine(time, datetime.time())
    time = time if time.tzinfo else time.replace(tzinfo=zone)
    # A time that is skipped has the offset from before (RFC 5545, 3.3.5), which zones of iCalendar do not see to by themselves.
    return dateutil.tz.resolve_imaginary(time).astimezone(UTC)


def answer(event, addresses):
    """Returns what the owner answered."""
    attendees = event.get("ATTENDEE", [])
    for attendee in attendees if isinstance(attendees, list) else [attendees]:
        address = str(attendee).lower().removeprefix("mailto:")
        if address in [own.lower() for own in addresses]:
            return attendee.params.get("PARTSTAT", "")
    return ""


def shown(event, addresses, count_tentative):
    """Returns the presence of an event, and whether it means out of office; None if it shows nothing."""
    partstat = answer(event, addresses)
    status = str(event.get("STATUS", ""))
    if status == "CANCELLED" or partstat == "DECLINED":
        return None
    day = not isinstance(event["DTSTART"].dt, datetime.datetime)
    busy = str(event.get("X-MICROSOFT-CDO-BUSYSTATUS", ""))
    if not busy:
        free = "TRANSPARENT" if day else "OPAQUE"
        busy = "FREE" if str(event.get("TRANSP", free)) == "TRANSPARENT" else "BUSY"
    if busy == "BUSY" and (status == "TENTATIVE" or partstat == "TENTATIVE"):
        busy = "TENTATIVE"
    if busy == "OOF":
        return ("Away", True)
    if busy == "BUSY" or (busy == "TENTATIVE" and count_tentative):
        return ("Busy" if day else "InAMeeting", False)
    return None


class Lengths:
    """How long occurrences are: of a series, exactly as long as the first (RFC 5545, 3.8.5.3), also when a clock is moved."""

    def __init__(self, calendar, zone):
        self.zone = zone
        events = list(calendar.walk("VEVENT"))
        self.own = {self.key(event) for event in events if "RECURRENCE-ID" in event}
        self.series = {str(event["UID"]): event for event in events if "RECURRENCE-ID" not in event and "DTEND" in event}

    def key(self, event):
        occurrence = event.get("RECURRENCE-ID")
        return (str(event["UID"]), occurrence and instant(occurrence.dt, self.zone))

    def end(self, event):
        """Returns when an occurrence ends."""
        series = self.series.get(str(event["UID"]))
        timed = isinstance(event["DTSTART"].dt, datetime.datetime)
        if not timed or series is None or "RRULE" not in series or self.key(event) in self.own:
            return instant(event["DTEND"].dt, self.zone)
        length = instant(series["DTEND"].dt, self.zone) - instant(series["DTSTART"].dt, self.zone)
        return instant(event["DTSTART"].dt, self.zone) + length


def changes(text, zone, addresses, tentative, begin, end):
    """Returns each change of what a calendar shows between two instants."""
    reader = zoneinfo.ZoneInfo(zone)
    calendar = icalendar.Calendar.from_ical(text)
    lengths = Lengths(calendar, reader)
    spans = []
    # Days begin and end in the reader's zone.
    found = recurring_ical_events.of(calendar).between(begin - datetime.timedelta(days=30), end + datetime.timedelta(days=2))
    for event in found:
        what = shown(event, addresses, tentative)
        start, stop = instant(event["DTSTART"].dt, reader), lengths.end(event)
        if what and start < stop and start < end and stop > begin:
            spans.append((start, stop, what))
    edges = sorted({edge for start, stop, _ in spans for edge in (start, stop)})
    result, last = [], (None, False)
    for edge in edges:
        lasting = [what for start, stop, what in spans if start <= edge < stop]
        presence = max((what[0] for what in lasting), key=ORDER.index, default=None)
        now = (presence, any(what[1] for what in lasting))
        if now != last:
            result.append([edge.strftime("%Y-%m-%dT%H:%M:%SZ"), *now])
            last = now
    return result


def reading(text, zone, addresses, tentative, begin=FROM, end=TO):
    """Returns how a calendar is read, and what it shows."""
    window = [datetime.datetime.fromisoformat(edge.replace("Z", "+00:00")) for edge in (begin, end)]
    found = changes(text, zone, addresses, tentative, *window)
    return {"zone": zone, "addresses": addresses, "tentative": tentative, "from": begin, "to": end, "changes": found}


def written(readings):
    """Returns readings as JSON, a change a line."""
    return json.dumps(readings).replace(" [[", "\n[[").replace("], [", "],\n[") + "\n"


def stored():
    """Returns what stands in each file beside a calendar, and what should."""
    for name, readers in READERS.items():
        text = (CALENDARS / f"{name}.ics").read_text(encoding="utf-8")
        readings = [reading(text, *reader) for reader in readers]
        if not all(one["changes"] for one in readings):
            sys.exit(f"{name}.ics shows nothing")
        yield CALENDARS / f"{name}.json", written(readings)


ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Sao_Paulo", "Pacific/Apia"]
# Zones that only the calendar knows: name, offsets of winter and summer, and when summer begins and ends.
OWN_ZONES = [
    ("Own North", "+0100", "+0200", "16010101T020000", "BYDAY=-1SU;BYMONTH=3", "16010101T030000", "BYDAY=-1SU;BYMONTH=10"),
    ("Own South", "+1030", "+1100", "20081005T020000", "BYDAY=1SU;BYMONTH=10", "20080406T020000", "BYDAY=1SU;BYMONTH=4"),
]
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


def zone_lines(name, winter, summer, begins, begin, ends, end):
    """Returns the lines that define a zone."""
    lines = ["BEGIN:VTIMEZONE", f"TZID:{name}"]
    for kind, start, rule_part, before, after in (("DAYLIGHT", begins, begin, winter, summer), ("STANDARD", ends, end, summer, winter)):
        lines += [f"BEGIN:{kind}", f"DTSTART:{start}", f"RRULE:FREQ=YEARLY;{rule_part}"]
        lines += [f"TZOFFSETFROM:{before}", f"TZOFFSETTO:{after}", f"END:{kind}"]
    return [*lines, "END:VTIMEZONE"]


def rule(dice, start):
    """Returns a random rule, as calendars offer them."""
    kind = dice.choice(["DAILY", "WEEKLY", "WEEKLY", "MONTHLY", "MONTHLY", "YEARLY"])
    parts = [f"FREQ={kind}", f"INTERVAL={dice.choice([1, 1, 1, 2, 3])}"]
    if kind == "WEEKLY":
        chosen = dice.sample(DAYS, dice.randint(1, 4))
        parts.append("BYDAY=" + ",".join(sorted({*chosen, DAYS[start.weekday()]}, key=DAYS.index)))
        parts.append(f"WKST={dice.choice(['MO', 'SU'])}")
    elif kind == "MONTHLY":
        first = f"BYDAY={(start.day - 1) // 7 + 1}{DAYS[start.weekday()]}"
        parts.append(dice.choice([f"BYMONTHDAY={start.day}", first, "BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "BYMONTHDAY=-1"]))
    elif kind == "YEARLY":
        parts.append(f"BYMONTH={start.month};BYMONTHDAY={start.day}")
    ending = dice.randint(0, 2)
    if ending == 1:
        parts.append(f"COUNT={dice.randint(1, 60)}")
    elif ending == 2:
        until = start + datetime.timedelta(days=dice.randint(1, 500))
        parts.append(f"UNTIL={until:%Y%m%d}T235959Z")
    return ";".join(parts)


def random_event(dice, number):
    """Returns the lines of a random event, and of those that stand for one of its occurrences."""
    zone = dice.choice(ZONES + [own[0] for own in OWN_ZONES])
    start = datetime.datetime(dice.choice([2024, 2025, 2026]), dice.randint(1, 12), dice.randint(1, 28))
    start += datetime.timedelta(minutes=15 * dice.randint(0, 95))
    # A rule gives its first occurrence, as calendars write it.
    length = datetime.timedelta(minutes=15 * dice.randint(1, 12))
    stamp = f";TZID={zone}:"
    marks = [f"UID:{number}", "DTSTAMP:20260101T000000Z"]
    lines = ["BEGIN:VEVENT", *marks, f"DTSTART{stamp}{start:%Y%m%dT%H%M%S}", f"DTEND{stamp}{start + length:%Y%m%dT%H%M%S}"]
    lines.append(f"TRANSP:{dice.choice(['OPAQUE', 'OPAQUE', 'OPAQUE', 'TRANSPARENT'])}")
    lines.append("RRULE:" + rule(dice, start))
    for _ in range(dice.randint(0, 3)):
        left_out = start + datetime.timedelta(days=dice.randint(0, 400))
        lines.append(f"EXDATE{stamp}{left_out:%Y%m%dT%H%M%S}")
    lines.append("END:VEVENT")
    if dice.random() < 0.5:
        moved = start + datetime.timedelta(days=7 * dice.randint(1, 40))
        there = moved + datetime.timedelta(minutes=15 * dice.randint(-200, 200))
        lines += ["BEGIN:VEVENT", *marks, "SEQUENCE:1", f"RECURRENCE-ID{stamp}{moved:%Y%m%dT%H%M%S}"]
        lines += [f"DTSTART{stamp}{there:%Y%m%dT%H%M%S}", f"DTEND{stamp}{there + length:%Y%m%dT%H%M%S}", "END:VEVENT"]
    return lines


def windows(first):
    """Returns a calendar with a meeting in each zone of Windows, one a day, as from a day on in turn."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//zones//"]
    for number, zone in enumerate(sorted(WINDOWS_TO_OLSON)):
        day = datetime.date(2026, 10, 20) + datetime.timedelta(days=(first + number) % 180)
        lines += ["BEGIN:VEVENT", f"UID:{number}", "DTSTAMP:20260101T000000Z"]
        lines += [f"DTSTART;TZID={zone}:{day:%Y%m%d}T090000", f"DTEND;TZID={zone}:{day:%Y%m%d}T093000", "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


def write(directory, name, text, zone):
    """Writes a calendar, and what it shows."""
    (directory / f"{name}.ics").write_text(text, encoding="utf-8", newline="")
    (directory / f"{name}.json").write_text(written([reading(text, zone, [], False)]), encoding="utf-8")


def write_random(directory, count=150):
    """Writes random calendars, the same ones each time, and one with all zones of Windows in two seasons."""
    directory.mkdir(parents=True, exist_ok=True)
    for first in (0, 90):
        write(directory, f"windows-{first}", windows(first), "UTC")
    for number in range(count):
        dice = random.Random(number)
        lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//random//"]
        lines += [line for own in OWN_ZONES for line in zone_lines(*own)]
        for event in range(dice.randint(1, 4)):
            lines += random_event(dice, event)
        text = "\r\n".join([*lines, "END:VCALENDAR", ""])
        write(directory, number, text, dice.choice(ZONES))


def main():
    match sys.argv[1:]:
        case ["--write"]:
            for path, text in stored():
                path.write_text(text, encoding="utf-8")
        case ["--check"]:
            wrong = [path.name for path, text in stored() if path.read_text(encoding="utf-8") != text]
            if wrong:
                sys.exit(f"not what the calendars show: {', '.join(wrong)}")
            print(f"{len(READERS)} calendars as recorded")
        case ["--random", directory]:
            write_random(pathlib.Path(directory))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
