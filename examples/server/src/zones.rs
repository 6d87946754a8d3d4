//! Time zones, by the names that clients send: those of IANA and of Windows.
//!
//! A zone's offsets come from jiff's copy of the time zone database; the zone of a Windows name comes from ICU4X's copy of
//! the Unicode CLDR.

use icu_time::TimeZone;
use icu_time::zone::iana::IanaParserExtended;
use icu_time::zone::windows::WindowsParser;
use jiff::civil;
use jiff::tz::TimeZoneDatabase;
use presence_core::graph::DateTime;
use std::collections::HashMap;
use std::sync::LazyLock;

/// The bundled database, so that zones do not depend on the machine.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The IANA name of every zone.
static NAMES: LazyLock<HashMap<TimeZone, &'static str>> =
    LazyLock::new(|| IanaParserExtended::new().iter().map(|zone| (zone.time_zone, zone.canonical)).collect());

/// The last millisecond of the year 9999.
const LAST_MOMENT: u64 = 253_402_300_799_999;

/// Converts a local date and time of a zone to Unix milliseconds.
///
/// Returns `None` for an unknown zone. A time in a gap is taken as the time after the gap, a time that occurs twice as the first one.
pub fn to_unix(local: DateTime, zone: &str) -> Option<u64> {
    let name = WindowsParser::new().parse(zone, None).and_then(|zone| NAMES.get(&zone).copied()).unwrap_or(zone);
    let zone = ZONES.get(name).ok()?;
    let local = civil::DateTime::new(
        i16::try_from(local.year).ok()?,
        i8::try_from(local.month).ok()?,
        i8::try_from(local.day).ok()?,
        i8::try_from(local.hour).ok()?,
        i8::try_from(local.minute).ok()?,
        i8::try_from(local.second).ok()?,
        i32::from(local.millisecond) * 1_000_000,
    );
    let local = local.ok()?;
    Some(match zone.to_ambiguous_timestamp(local).compatible() {
        Ok(instant) => u64::try_from(instant.as_millisecond()).unwrap_or(0),
        // As in UTC: clients send the first or the last moment of their calendar for always or never.
        Err(_) if local.year() < 0 => 0,
        Err(_) => LAST_MOMENT,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unix(zone: &str, month: u8) -> Option<u64> {
        let local = DateTime { year: 2026, month, day: 24, hour: 17, minute: 5, second: 33, millisecond: 207 };
        to_unix(local, zone)
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
        for zone in ["Pacific Standard Time", "Asia/Tokyo"] {
            assert_eq!((to_unix(first, zone), to_unix(last, zone)), (Some(0), Some(LAST_MOMENT)), "{zone}");
        }
    }

    #[test]
    fn t1_an_unknown_zone_is_none() {
        for zone in ["", "Nowhere", "Europe/Atlantis", "../../etc/passwd", "/etc/localtime", "localtime", "Pacific"] {
            assert_eq!(unix(zone, 1), None, "{zone}");
        }
    }
}
