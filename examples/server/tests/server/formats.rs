//! Tests that data of every earlier format is served as it was, and that of a later one left alone.

use crate::support::{Server, expect_start_error};
use serde_json::{Map, Value};
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// The directories of `tests/data`, which the program of each format has written, and the format of their journals.
const GOLDEN: [(&str, u32); 3] = [("format-2", 2), ("unkeyed", 3), ("format-3", 3)];
/// The number of users for which there are several shards, and one.
const USERS: [&str; 2] = ["5000", "1000"];
/// The offset of the format version in SQLite's header, and that of the version of the file's own form.
const USER_VERSION: usize = 60;

fn golden(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// Returns the names of the files in a directory, and their bytes.
fn files(directory: &Path) -> Vec<(OsString, Vec<u8>)> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
    let mut files: Vec<_> = entries.map(|entry| (entry.file_name(), fs::read(entry.path()).unwrap())).collect();
    files.sort();
    files
}

/// Copies golden data, but not what it is expected to show.
fn copy(name: &str, to: &Path) {
    fs::create_dir(to).unwrap();
    for (name, bytes) in files(&golden(name)).into_iter().filter(|(name, _)| name != "shown.json") {
        fs::write(to.join(name), bytes).unwrap();
    }
}

fn format(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes[USER_VERSION..USER_VERSION + 4].try_into().unwrap())
}

fn is_journal(name: &OsString) -> bool {
    name.to_str().is_some_and(|name| name.ends_with(".sqlite"))
}

/// Checks that a server shows each user as the program did that has written the data: its presence, its explanation, and whether it
/// is listed.
fn check(server: &Server, expected: &Map<String, Value>) {
    let listed = server.get("dev", "/admin/users?$top=999").json();
    for (user, shown) in expected {
        let explained = server.get("dev", &format!("/v1.0/users/{user}/presence/explain")).json();
        let entry = listed["value"].as_array().unwrap().iter().find(|entry| entry["id"] == user.as_str());
        let found: Vec<_> = [server.presence(user), explained].into_iter().chain(entry.cloned()).collect();
        assert_eq!(Value::from(found), *shown, "{user}");
    }
}

#[test]
fn data_of_every_format_is_served_as_it_was() {
    for (name, version) in GOLDEN {
        let expected = fs::read(golden(name).join("shown.json")).unwrap();
        let expected: Map<_, _> = serde_json::from_slice(&expected).unwrap();
        assert!(expected.len() > 30, "{name}");
        let journals: Vec<_> = files(&golden(name)).into_iter().filter(|(name, _)| is_journal(name)).collect();
        assert!(journals.len() > 1 && journals.iter().all(|(_, bytes)| format(bytes) == version), "{name}");
        for users in USERS {
            let own = TempDir::new().unwrap();
            let data = own.path().join("data");
            copy(name, &data);
            for _ in 0..2 {
                let mut server = Server::start_on(&data, &["--virtual-clock", "--users", users]);
                check(&server, &expected);
                server.terminate();
                assert!(server.wait().success());
            }
            let journals = files(&data).into_iter().filter(|(name, _)| is_journal(name));
            assert!(journals.into_iter().all(|(_, bytes)| format(&bytes) == 3), "{name} is not of the current format");
        }
    }
}

#[test]
fn data_of_a_later_format_is_left_as_it_is() {
    for (name, _) in GOLDEN {
        let own = TempDir::new().unwrap();
        let data = own.path().join("data");
        copy(name, &data);
        let journals = files(&data).into_iter().filter(|(name, _)| is_journal(name));
        // The last journal alone, as after an interrupted start of a later program. The rest is not changed either.
        let (last, mut bytes) = journals.max().unwrap();
        bytes[USER_VERSION..USER_VERSION + 4].copy_from_slice(&4u32.to_be_bytes());
        fs::write(data.join(&last), bytes).unwrap();
        // Of another spread, which a start would remove.
        fs::write(data.join("journal-7-0.sqlite"), "not the server's").unwrap();
        fs::write(data.join("lock"), "").unwrap();
        let before = files(&data);
        for users in USERS {
            let messages = expect_start_error(&data, users);
            assert!(messages.contains(last.to_str().unwrap()), "{messages}");
            assert!(messages.contains("format 4 is newer than this program knows"), "{messages}");
            assert_eq!(files(&data).len(), before.len());
            assert!(files(&data) == before, "{name} has changed");
        }
    }
}
