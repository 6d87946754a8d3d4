//! Tests of torn, damaged, truncated and missing files. A start repairs the effects of a crash, and reports all others.

use crate::support::{ADELE, Server, TEAMS, expect_start_error, numbered, start_error};
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Returns the largest write-ahead log.
fn log(data: &Path) -> PathBuf {
    let logs = fs::read_dir(data).unwrap().map(|entry| entry.unwrap().path());
    let logs = logs.filter(|path| path.to_str().is_some_and(|path| path.ends_with("-wal")));
    logs.max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap()
}

#[test]
fn a_torn_or_damaged_end_is_cut_and_never_misread() {
    let few = ["--virtual-clock", "--users", "100"];
    let own = TempDir::new().unwrap();
    let original = own.path().join("original");
    let mut server = Server::start_on(&original, &few);
    // The activity and the sequence number identify each state.
    let activities = ["Available", "Away", "InACall", "Presenting"];
    let mut states = vec![server.activity(ADELE)];
    for number in 0..12 {
        assert_eq!(server.set(ADELE, TEAMS, activities[number % 4], "PT4H").status, 200);
        states.push(server.activity(ADELE));
    }
    server.kill();
    let name = log(&original).file_name().unwrap().to_owned();
    let len = fs::metadata(original.join(&name)).unwrap().len();
    let mut lost = 0;
    for (number, back) in [0, 1, 7, 100, 4000, 4120, 4121, 9000, 20_000, 40_000].into_iter().enumerate() {
        for is_flipped in [false, true] {
            let data = own.path().join(format!("{number}-{is_flipped}"));
            copy(&original, &data);
            let offset = len.saturating_sub(back);
            let file = OpenOptions::new().write(true).read(true).open(data.join(&name)).unwrap();
            if is_flipped && back > 0 {
                flip(&file, offset);
            } else {
                file.set_len(offset).unwrap();
            }
            let server = Server::start_on(&data, &few);
            let shown = server.activity(ADELE);
            let restored = states.iter().position(|state| *state == shown);
            let restored = restored.unwrap_or_else(|| panic!("{back} bytes from the end: {shown:?} never was"));
            lost = lost.max(states.len() - 1 - restored);
            assert!(back > 0 || restored == states.len() - 1, "nothing was damaged");
            // The server accepts writes as before.
            assert_eq!(server.set(ADELE, TEAMS, "InACall", "PT4H").status, 200);
        }
    }
    assert!(lost > 0, "no damage lost anything: this test damages the wrong file");
}

fn flip(file: &fs::File, offset: u64) {
    use std::os::unix::fs::FileExt;
    let mut byte = [0];
    file.read_exact_at(&mut byte, offset).unwrap();
    file.write_all_at(&[byte[0] ^ 0x10], offset).unwrap();
}

/// Returns the data of a server that was stopped with one user, below a temporary directory.
fn data_of_stopped_server() -> (TempDir, PathBuf) {
    let own = TempDir::new().unwrap();
    let data = own.path().join("data");
    let mut server = Server::start_on(&data, &["--virtual-clock", "--users", "100"]);
    server.set(ADELE, TEAMS, "InACall", "PT4H");
    server.terminate();
    assert!(server.wait().success());
    (own, data)
}

#[test]
fn damage_of_earlier_rows_is_reported_and_not_served() {
    let (_own, data) = data_of_stopped_server();
    let path = data.join("journal-1-0.sqlite");
    let bytes = fs::read(&path).unwrap();
    let id = u128::from_str_radix(&ADELE.replace('-', ""), 16).unwrap().to_be_bytes();
    let offset = bytes.windows(16).position(|window| window == id).expect("the user is in the file");
    flip(&OpenOptions::new().write(true).read(true).open(&path).unwrap(), offset as u64 + 3);
    let text = expect_start_error(&data, "100");
    assert!(text.contains("damaged"), "{text}");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn a_truncated_journal_is_rejected_and_left_unchanged() {
    for is_killed in [false, true] {
        let own = TempDir::new().unwrap();
        let data = own.path().join("data");
        let mut server = Server::start_on(&data, &["--virtual-clock", "--users", "100"]);
        for number in 0..100 {
            assert_eq!(server.set(&numbered(number), TEAMS, "InACall", "PT4H").status, 200);
        }
        if is_killed {
            server.kill();
        } else {
            server.terminate();
            assert!(server.wait().success());
        }
        let whole = fs::read(data.join("journal-1-0.sqlite")).unwrap();
        let page = 4096;
        let lengths = [0, 1, 100, 512, page - 1, page, page + 1, whole.len() - page, whole.len() - 1];
        // SQLite reads zeros where bytes are missing, so without the last zeros nothing is.
        let lengths = lengths.into_iter().filter(|len| whole[*len..].iter().any(|byte| *byte != 0));
        // Also with a number of users that moves the data to other shards.
        for (len, users) in lengths.flat_map(|len| [(len, "100"), (len, "100000")]) {
            let cut_off = own.path().join(format!("{len}-{users}"));
            copy(&data, &cut_off);
            fs::write(cut_off.join("journal-1-0.sqlite"), &whole[..len]).unwrap();
            let files = || {
                let files = fs::read_dir(&cut_off).unwrap().map(|entry| entry.unwrap());
                let files = files.map(|file| (file.file_name().into_string().unwrap(), file.metadata().unwrap().len()));
                // Files of a failed move to other shards and empty logs do not count.
                let is_ignored =
                    |name: &str, len| name.starts_with("journal-keyed-2-") || name.ends_with("-wal") && len == 0;
                let mut files: Vec<_> = files.filter(|(name, len)| !is_ignored(name, *len)).collect();
                files.sort();
                files
            };
            let before = files();
            match start_error(&cut_off, users) {
                Some(text) => {
                    assert!(text.contains("journal-1-0.sqlite"), "{len} bytes, killed: {is_killed}: {text}");
                    assert_eq!(files(), before, "{len} bytes, killed: {is_killed}");
                }
                // The log may contain all that was cut off.
                None => {
                    assert!(is_killed && len >= page, "{len} bytes");
                    let server = Server::start_on(&cut_off, &["--virtual-clock", "--users", users]);
                    for number in 0..100 {
                        assert_eq!(server.activity(&numbered(number)).0, "InACall", "{len} bytes");
                    }
                }
            }
        }
    }
}

#[test]
fn an_interrupted_first_start_begins_again() {
    let own = TempDir::new().unwrap();
    let data = own.path().join("data");
    fs::create_dir(&data).unwrap();
    let journal = data.join("journal-1-0.sqlite");
    fs::write(&journal, b"").unwrap();
    let few = ["--virtual-clock", "--users", "100"];
    let mut server = Server::start_on(&data, &few);
    assert_eq!(server.set(ADELE, TEAMS, "InACall", "PT4H").status, 200);
    server.kill();
    // Without the number of shards, an existing journal is treated as a user's data, whatever is left of it.
    fs::remove_file(data.join("shards")).unwrap();
    let whole = fs::read(&journal).unwrap();
    fs::write(&journal, b"").unwrap();
    assert!(expect_start_error(&data, "100").contains("damaged"));
    fs::write(&journal, whole).unwrap();
    assert!(expect_start_error(&data, "100").contains("shards: missing"));
    fs::write(data.join("shards"), "1\n").unwrap();
    assert_eq!(Server::start_on(&data, &few).activity(ADELE).0, "InACall");
}

#[test]
fn data_without_its_number_of_shards_or_a_journal_is_rejected_and_left_unchanged() {
    let (own, data) = data_of_stopped_server();
    fs::write(data.join("journal-of-mine.txt"), "mine").unwrap();
    for name in ["shards", "journal-1-0.sqlite"] {
        fs::rename(data.join(name), own.path().join(name)).unwrap();
        for size in ["100", "100000"] {
            expect_start_error(&data, size);
        }
        fs::rename(own.path().join(name), data.join(name)).unwrap();
    }
    for size in ["100", "100000"] {
        let server = Server::start_on(&data, &["--virtual-clock", "--users", size]);
        assert_eq!(server.activity(ADELE).0, "InACall");
    }
    assert!(data.join("journal-of-mine.txt").exists());
}
