//! Time zones, by the names that clients send: those of IANA and of Windows.
//!
//! A zone's offsets come from jiff's copy of the time zone database, or from the machine's if that is newer, see [`machine`];
//! the zone of a Windows name comes from ICU4X's copy of the Unicode CLDR.

mod machine;
#[cfg(test)]
mod tests;

pub use machine::{describe, install};

use icu_provider::{DataProvider, DataRequest};
use icu_time::TimeZone;
use icu_time::provider::Baked;
use icu_time::provider::windows::TimezoneIdentifiersWindowsV1;
use icu_time::zone::iana::IanaParserExtended;
use icu_time::zone::windows::WindowsParser;
use jiff::civil;
use presence_core::graph::DateTime;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::LazyLock;

/// The Windows names and the IANA name of each, sorted without regard to case.
static WINDOWS: LazyLock<Vec<(String, &'static str)>> = LazyLock::new(windows_names);

/// Names that clients of older systems send, and what Windows calls the zone today. The CLDR no longer has them.
///
/// The first are keys of the registry until Windows 7, the next are what it calls these zones when it spells them out, the last
/// are the names in Microsoft's own lists of the time of Windows XP.
const RETIRED: [(&str, &str); 20] = [
    ("Armenian Standard Time", "Caucasus Standard Time"),
    ("Kamchatka Standard Time", "Russia Time Zone 11"),
    ("Mexico Standard Time", "Central Standard Time (Mexico)"),
    ("Mexico Standard Time 2", "Mountain Standard Time (Mexico)"),
    // Windows kept summer time for it, which no place ever had.
    ("Mid-Atlantic Standard Time", "UTC-02"),
    ("Cabo Verde Standard Time", "Cape Verde Standard Time"),
    ("Coordinated Universal Time", "UTC"),
    ("Jerusalem Standard Time", "Israel Standard Time"),
    ("Malay Peninsula Standard Time", "Singapore Standard Time"),
    ("A.U.S. Central Standard Time", "AUS Central Standard Time"),
    ("A.U.S. Eastern Standard Time", "AUS Eastern Standard Time"),
    ("Fiji Islands Standard Time", "Fiji Standard Time"),
    ("Newfoundland and Labrador Standard Time", "Newfoundland Standard Time"),
    ("Pacific S.A. Standard Time", "Pacific SA Standard Time"),
    ("S.A. Eastern Standard Time", "SA Eastern Standard Time"),
    ("S.A. Pacific Standard Time", "SA Pacific Standard Time"),
    ("S.A. Western Standard Time", "SA Western Standard Time"),
    ("Transitional Islamic State of Afghanistan Standard Time", "Afghanistan Standard Time"),
    ("U.S. Eastern Standard Time", "US Eastern Standard Time"),
    ("U.S. Mountain Standard Time", "US Mountain Standard Time"),
];

/// The last millisecond of the year 9999.
const LAST_MOMENT: u64 = 253_402_300_799_999;

/// Converts a local date and time of a zone to Unix milliseconds.
///
/// Returns `None` for an unknown zone. Of a time that comes twice it is the earlier instant; of one that is skipped, the offset
/// from before counts.
pub fn to_unix(local: DateTime, zone: &str) -> Option<u64> {
    let zone = machine::zone(iana_name(zone).unwrap_or(zone))?;
    // `Etc/Unknown`, which would be UTC.
    if zone.is_unknown() {
        return None;
    }
    let local = civil::DateTime::new(
        i16::try_from(local.year).ok()?,
        i8::try_from(local.month).ok()?,
        i8::try_from(local.day).ok()?,
        i8::try_from(local.hour).ok()?,
        i8::try_from(local.minute).ok()?,
        i8::try_from(local.second).ok()?,
        i32::from(local.millisecond) * 1_000_000,
    );
    Some(match zone.to_ambiguous_timestamp(local.ok()?).compatible() {
        Ok(instant) => u64::try_from(instant.as_millisecond()).unwrap_or(0),
        // As in UTC: clients send the last moment of their calendar for always.
        Err(_) => LAST_MOMENT,
    })
}

/// Returns the IANA name of a Windows name in any case. Allocates nothing, however long the name is.
fn iana_name(windows: &str) -> Option<&'static str> {
    let found = WINDOWS.binary_search_by(|(known, _)| compare(known, windows)).ok()?;
    WINDOWS.get(found).map(|(_, iana)| *iana)
}

fn compare(one: &str, other: &str) -> Ordering {
    let [one, other] = [one, other].map(|text| text.bytes().map(|byte| byte.to_ascii_lowercase()));
    one.cmp(other)
}

fn windows_names() -> Vec<(String, &'static str)> {
    let iana: HashMap<TimeZone, &'static str> =
        IanaParserExtended::new().iter().map(|zone| (zone.time_zone, zone.canonical)).collect();
    let iana_of = |name: &str| iana.get(&WindowsParser::new().parse(name, None)?).copied();
    // The parser knows one spelling of each name, and does not list them; its data does.
    let data = DataProvider::<TimezoneIdentifiersWindowsV1>::load(&Baked, DataRequest::default());
    let keys = data.iter().flat_map(|data| data.payload.get().map.iter()).map(|(key, _)| key);
    // Of the zones that a name has, by territories, that of the whole world.
    let current = keys.filter_map(|key| key.strip_suffix("/001").map(str::to_owned));
    let current = current.filter_map(|name| iana_of(&name).map(|iana| (name, iana)));
    let retired = RETIRED.iter().filter_map(|(name, now)| Some(((*name).to_owned(), iana_of(now)?)));
    let mut names: Vec<_> = current.chain(retired).collect();
    names.sort_by(|(one, _), (other, _)| compare(one, other));
    names
}
