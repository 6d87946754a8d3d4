//! Calendars as Outlook, Google and Apple write them, against an independent implementation; bounds; random agendas.

use super::agenda::{Agenda, Occurrence, Shown};
use super::expand::Window;
use super::marks::Owner;
use super::text::{NoCalendar, Reading, read};
use chrono::{DateTime, TimeDelta, Utc};
use presence_core::Presence;
use proptest::prelude::*;
use std::fs;
use std::path::Path;

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn window(from: &str, to: &str) -> Window {
    Window { from: instant(from), to: instant(to) }
}

fn week() -> Window {
    window("2026-11-30T00:00:00Z", "2026-12-07T00:00:00Z")
}

/// Returns the changes of an agenda, as `checks/calendars.py` writes them.
fn changes(agenda: &Agenda) -> Vec<serde_json::Value> {
    let changes = agenda.changes.iter().map(|(at, shown)| {
        let presence = shown.presence.map(|presence| presence.activity().name());
        serde_json::json!([at.format("%Y-%m-%dT%H:%M:%SZ").to_string(), presence, shown.out_of_office])
    });
    changes.collect()
}

fn compare(calendar: &Path) {
    let text = fs::read_to_string(calendar).unwrap();
    let expected = fs::read_to_string(calendar.with_extension("json")).unwrap();
    let expected: Vec<serde_json::Value> = serde_json::from_str(&expected).unwrap();
    assert!(!expected.is_empty());
    for reader in expected {
        let text_of = |name: &str| reader[name].as_str().unwrap();
        let addresses = reader["addresses"].as_array().unwrap().iter().map(|own| own.as_str().unwrap().to_owned());
        let owner = Owner { addresses: addresses.collect(), tentative: reader["tentative"].as_bool().unwrap() };
        let window = window(text_of("from"), text_of("to"));
        let reading = read(&text, text_of("zone").parse().unwrap(), &owner, window).unwrap();
        assert_eq!(reading.left_out, 0, "{}", calendar.display());
        let (ours, theirs) = (changes(&reading.agenda), reader["changes"].as_array().unwrap());
        let first = ours.iter().zip(theirs).find(|(ours, theirs)| ours != theirs);
        assert!(first.is_none(), "{}: {first:?}", calendar.display());
        assert_eq!(ours.len(), theirs.len(), "{}", calendar.display());
    }
}

fn compare_all(directory: &Path) -> usize {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let calendars: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "ics")).collect();
    calendars.iter().for_each(|calendar| compare(calendar));
    calendars.len()
}

#[test]
fn calendars_show_what_an_independent_implementation_says() {
    assert_eq!(compare_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("calendars")), 3);
    // Random ones, by `checks/calendars.py --random`.
    if let Some(directory) = std::env::var_os("PRESENCE_CALENDARS") {
        assert!(compare_all(Path::new(&directory)) > 0);
    }
}

fn calendar(events: &str) -> String {
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{}END:VCALENDAR\r\n", events.replace('\n', "\r\n"))
}

fn event(lines: &str) -> String {
    calendar(&format!("BEGIN:VEVENT\nUID:one\n{lines}\nEND:VEVENT\n"))
}

fn in_berlin(text: &str) -> Result<Reading, NoCalendar> {
    read(text, chrono_tz::Europe::Berlin, &Owner::default(), week())
}

fn busy_minutes(text: &str) -> i64 {
    let agenda = in_berlin(text).unwrap().agenda;
    let mut now = week().from;
    let mut minutes = 0;
    while now < week().to {
        minutes += i64::from(agenda.at(now).presence.is_some());
        now += TimeDelta::minutes(1);
    }
    minutes
}

#[test]
fn what_is_no_calendar_is_told_from_an_empty_one() {
    assert_eq!(in_berlin(""), Err(NoCalendar::NotOne));
    assert_eq!(in_berlin("<!DOCTYPE html>\n<title>Sign in</title>\n"), Err(NoCalendar::NotOne));
    assert_eq!(in_berlin("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:20261201T09"), Err(NoCalendar::CutOff));
    assert_eq!(in_berlin(&calendar("")), Ok(Reading::default()));
    assert_eq!(in_berlin(&format!("\u{feff}{}\n\n", calendar(""))), Ok(Reading::default()));
}

#[test]
fn an_event_that_cannot_be_understood_is_left_out_and_counted() {
    for lines in [
        "SUMMARY:No start",
        "DTSTART:tomorrow",
        "DTSTART;TZID=Nowhere/Land:20261201T090000\nDTEND;TZID=Nowhere/Land:20261201T100000",
        "DTSTART;TZID=\"(UTC+05:30) Nowhere\":20261201T090000\nDTEND:20261201T100000Z",
        "DTSTART:20261201T090000Z\nDTEND:later",
        "DTSTART:20261201T090000Z\nDTEND:20261201T100000Z\nRRULE:FREQ=NEVER",
        "DTSTART:20261201T090000Z\nDTEND:20261201T100000Z\nRRULE:RSCALE=HEBREW;FREQ=YEARLY",
        "DTSTART:20261201T090000Z\nDTEND:20261201T100000Z\nEXDATE:sometimes",
        "DTSTART:20261201T090000Z\nDTEND:20261201T100000Z\nRECURRENCE-ID:whichever",
    ] {
        let reading = in_berlin(&event(lines)).unwrap();
        assert_eq!((reading.agenda, reading.left_out), (Agenda::default(), 1), "{lines:?}");
    }
}

/// Returns what one event of an hour shows, for someone whose address is given.
fn marked(lines: &str, addresses: &[&str], tentative: bool) -> Option<Presence> {
    let owner = Owner { addresses: addresses.iter().map(|own| (*own).to_owned()).collect(), tentative };
    let text = event(&format!("DTSTART:20261201T090000Z\nDTEND:20261201T100000Z\n{lines}"));
    let reading = read(&text, chrono_tz::UTC, &owner, week()).unwrap();
    let shown = reading.agenda.at(instant("2026-12-01T09:30:00Z"));
    assert_eq!(shown.out_of_office, shown.presence == Some(Presence::Away));
    shown.presence
}

#[test]
fn events_count_as_they_are_marked() {
    let (meeting, day, away) = (Some(Presence::InAMeeting), Some(Presence::Busy), Some(Presence::Away));
    for (lines, shown, with_tentative) in [
        ("SUMMARY:Plain", meeting, meeting),
        ("TRANSP:TRANSPARENT", None, None),
        ("STATUS:CANCELLED", None, None),
        ("STATUS:TENTATIVE", None, meeting),
        ("X-MICROSOFT-CDO-BUSYSTATUS:FREE\nTRANSP:OPAQUE", None, None),
        ("X-MICROSOFT-CDO-BUSYSTATUS:BUSY\nTRANSP:TRANSPARENT", meeting, meeting),
        ("x-microsoft-cdo-busystatus:tentative", None, meeting),
        ("X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE", None, None),
        ("X-MICROSOFT-CDO-BUSYSTATUS:OOF", away, away),
        ("X-MICROSOFT-CDO-BUSYSTATUS:OOF\nSTATUS:CANCELLED", None, None),
        ("X-MICROSOFT-CDO-BUSYSTATUS:SOMETHING NEW\nTRANSP:OPAQUE", meeting, meeting),
        ("X-MICROSOFT-CDO-ALLDAYEVENT:TRUE\nX-MICROSOFT-CDO-BUSYSTATUS:BUSY", day, day),
        ("X-MICROSOFT-CDO-ALLDAYEVENT:FALSE\nX-MICROSOFT-CDO-BUSYSTATUS:BUSY", meeting, meeting),
        ("ATTENDEE;PARTSTAT=DECLINED:mailto:ME@example.com", None, None),
        ("ATTENDEE;PARTSTAT=DECLINED:mailto:boss@example.com", meeting, meeting),
        ("ATTENDEE;PARTSTAT=TENTATIVE:mailto:me@example.com", None, meeting),
        ("ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:me@example.com", meeting, meeting),
        ("ATTENDEE:mailto:me@example.com", meeting, meeting),
    ] {
        assert_eq!(marked(lines, &["me@example.com"], false), shown, "{lines:?}");
        assert_eq!(marked(lines, &["other@example.com", "me@example.com"], true), with_tentative, "{lines:?}");
    }
    assert_eq!(marked("ATTENDEE;PARTSTAT=DECLINED:mailto:me@example.com", &[], false), meeting);
}

#[test]
fn cancelled_calendars_show_nothing() {
    let lines = "DTSTART:20261201T090000Z\nDTEND:20261201T100000Z";
    assert_eq!(busy_minutes(&event(lines)), 60);
    assert_eq!(busy_minutes(&event(lines).replace("VERSION:2.0", "METHOD:CANCEL")), 0);
}

#[test]
fn of_two_events_for_one_occurrence_the_newer_one_counts() {
    let series = "BEGIN:VEVENT\nUID:one\nDTSTART:20261130T090000Z\nDTEND:20261130T100000Z\nRRULE:FREQ=DAILY;COUNT=2\nEND:VEVENT\n";
    let moved = |sequence: u8, start: u8| {
        let day = "BEGIN:VEVENT\nUID:one\nRECURRENCE-ID:20261201T090000Z";
        format!("{day}\nSEQUENCE:{sequence}\nDTSTART:20261201T{start}0000Z\nDURATION:PT30M\nEND:VEVENT\n")
    };
    let text = calendar(&format!("{}{series}{}", moved(2, 15), moved(1, 12)));
    assert_eq!(busy_minutes(&text), 90);
    let agenda = in_berlin(&text).unwrap().agenda;
    assert_eq!(agenda.at(instant("2026-12-01T15:10:00Z")).presence, Some(Presence::InAMeeting));
    assert_eq!(agenda.at(instant("2026-12-01T12:10:00Z")).presence, None);
}

#[test]
fn what_stands_for_an_occurrence_that_is_left_out_is_left_out() {
    let series = "BEGIN:VEVENT\nUID:one\nDTSTART:20261130T090000Z\nDTEND:20261130T100000Z\nRRULE:FREQ=DAILY;COUNT=3\n\
                  EXDATE:20261201T090000Z\nEND:VEVENT\n";
    let moved = |day: u8| {
        format!(
            "BEGIN:VEVENT\nUID:one\nRECURRENCE-ID:202612{day:02}T090000Z\nDTSTART:20261203T120000Z\nDURATION:PT30M\nEND:VEVENT\n"
        )
    };
    assert_eq!(busy_minutes(&calendar(series)), 120);
    assert_eq!(busy_minutes(&calendar(&format!("{series}{}", moved(1)))), 120);
    assert_eq!(busy_minutes(&calendar(&format!("{series}{}", moved(2)))), 90);
}

#[test]
fn an_occurrence_may_change_all_later_ones() {
    let text = calendar(
        "BEGIN:VEVENT\nUID:one\nDTSTART:20261130T090000Z\nDTEND:20261130T100000Z\nRRULE:FREQ=DAILY;COUNT=4\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:one\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261202T090000Z\nDTSTART:20261202T110000Z\n\
         DTEND:20261202T113000Z\nEND:VEVENT\n",
    );
    assert_eq!(busy_minutes(&text), 60 + 60 + 30 + 30);
    let agenda = in_berlin(&text).unwrap().agenda;
    assert_eq!(agenda.next_change(instant("2026-12-03T00:00:00Z")), Some(instant("2026-12-03T11:00:00Z")));
}

#[test]
fn a_leaving_date_takes_out_the_whole_day_and_a_date_ends_a_rule_with_it() {
    let lines =
        "DTSTART:20261130T090000Z\nDTEND:20261130T100000Z\nEXDATE;VALUE=DATE:20261201\nRRULE:FREQ=DAILY;UNTIL=20261202";
    assert_eq!(busy_minutes(&event(lines)), 120);
}

#[test]
fn hostile_rules_end_soon() {
    let rule = |rule: &str| event(&format!("DTSTART:19700101T000000Z\nDURATION:PT1S\nRRULE:{rule}"));
    let seconds = (0..60).map(|second| second.to_string()).collect::<Vec<_>>().join(",");
    let hours = (0..24).map(|hour| hour.to_string()).collect::<Vec<_>>().join(",");
    let many = vec!["1"; 100_000].join(",");
    for refused in [
        "FREQ=SECONDLY".to_owned(),
        "FREQ=MINUTELY".to_owned(),
        format!("FREQ=YEARLY;BYHOUR={hours};BYMINUTE={seconds};BYSECOND={seconds}"),
        format!("FREQ=HOURLY;BYMINUTE={seconds}"),
        format!("FREQ=DAILY;BYMONTHDAY={many}"),
        format!("FREQ=DAILY;BYSETPOS={many}"),
    ] {
        assert_eq!(in_berlin(&rule(&refused)).unwrap().left_out, 1, "{}", &refused[..20]);
    }
    // What never comes, and what comes for ever, is looked for only so far.
    for never in
        ["FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=MONTHLY;BYMONTHDAY=32"]
    {
        let reading = in_berlin(&rule(never)).unwrap();
        assert!(reading.agenda.changes.is_empty(), "{never}");
    }
    let one =
        "BEGIN:VEVENT\nDTSTART:19700101T000000Z\nDURATION:PT1S\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30\nEND:VEVENT\n";
    assert_eq!(in_berlin(&calendar(&one.repeat(400))), Err(NoCalendar::TooMuch));
    let one = "BEGIN:VEVENT\nDTSTART:20200101T000000Z\nDURATION:PT1S\nRRULE:FREQ=HOURLY\nEND:VEVENT\n";
    assert_eq!(in_berlin(&calendar(&one.repeat(400))), Err(NoCalendar::TooMuch));
}

#[test]
fn hostile_zones_and_lengths_end_soon() {
    let zone = "BEGIN:VTIMEZONE\nTZID:Mine\nBEGIN:STANDARD\nDTSTART:00010101T000000\nTZOFFSETFROM:+0000\nTZOFFSETTO:+0000\n\
                RRULE:FREQ=SECONDLY\nEND:STANDARD\nEND:VTIMEZONE\n";
    assert_eq!(in_berlin(&calendar(zone)), Err(NoCalendar::TooMuch));
    for lines in [
        "DTSTART:20261130T090000Z\nDURATION:P4294967295W",
        "DTSTART:20261130T090000Z\nDURATION:-P4294967295W",
        "DTSTART:20261130T090000Z\nDTEND:99991231T235959Z\nRRULE:FREQ=DAILY",
        "DTSTART:00000101T000000Z\nDTEND:99991231T235959Z",
        "DTSTART:99991231T235959Z\nDURATION:PT1S\nRRULE:FREQ=YEARLY",
        "DTSTART;VALUE=DATE:00000101\nRRULE:FREQ=YEARLY;INTERVAL=65535",
    ] {
        let _ = in_berlin(&event(lines));
    }
}

/// What a naive agenda shows: the strongest of all that lasts.
fn naive(occurrences: &[Occurrence], now: DateTime<Utc>) -> Shown {
    let lasting = occurrences.iter().filter(|occurrence| occurrence.start <= now && now < occurrence.end);
    let shown: Vec<Shown> = lasting.map(|occurrence| occurrence.shown).collect();
    Shown {
        presence: shown.iter().filter_map(|shown| shown.presence).max(),
        out_of_office: shown.iter().any(|shown| shown.out_of_office),
    }
}

fn occurrence() -> impl Strategy<Value = Occurrence> {
    let shown = prop_oneof![
        Just(Shown::OUT_OF_OFFICE),
        Just(Shown::presence(Presence::Busy)),
        Just(Shown::presence(Presence::InAMeeting))
    ];
    (0i64..60, -2i64..20, shown).prop_map(|(start, length, shown)| {
        let start = week().from + TimeDelta::minutes(start);
        Occurrence { start, end: start + TimeDelta::minutes(length), shown }
    })
}

proptest! {
    #[test]
    fn an_agenda_shows_the_strongest_and_wakes_exactly(occurrences in prop::collection::vec(occurrence(), 0..20)) {
        let agenda = Agenda::new(&occurrences);
        let mut now = week().from - TimeDelta::minutes(1);
        for _ in 0..90 {
            let shown = naive(&occurrences, now);
            prop_assert_eq!(agenda.at(now), shown);
            let minutes = (1..200).map(|minutes| now + TimeDelta::minutes(minutes));
            let changes = minutes.into_iter().find(|later| naive(&occurrences, *later) != shown);
            prop_assert_eq!(agenda.next_change(now), changes);
            now += TimeDelta::minutes(1);
        }
    }

    #[test]
    fn no_text_panics(
        at in 0usize..12_000,
        what in prop_oneof![
            "\\PC{0,20}",
            Just("\r\nRRULE:FREQ=HOURLY;COUNT=4294967295;BYMONTHDAY=-31\r\n".to_owned()),
            Just("99999999".to_owned()),
        ],
        cut in 0usize..40,
        which in 0usize..3,
    ) {
        let text = [
            include_str!("../../../calendars/apple.ics"),
            include_str!("../../../calendars/google.ics"),
            include_str!("../../../calendars/outlook.ics"),
        ][which];
        let at = at % text.len();
        let end = (at + cut).min(text.len());
        let mutated = format!("{}{what}{}", &text[..at], &text[end..]);
        let _ = in_berlin(&mutated);
    }
}
