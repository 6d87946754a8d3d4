//! Tests of backups: that one is of one moment, and that nothing but a complete one is restored, to nothing but a free directory.

use super::Shards;
use super::running::{NO_ROOM, Running, at, fill, set, user};
use crate::backup::{Backups, Manifest, ManifestError, RestoreError, State, restore};
use crate::data;
use crate::data::journal_set::{LayoutError, RESTORING, SHARDS};
use crate::metrics::Metrics;
use presence_core::{Instant, Presence, UserId};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use tempfile::TempDir;

const SHARD_COUNT: usize = 3;
/// The users of a chain of writes, who take turns.
const LINKS: u32 = 8;

/// A directory of data, and one for its backups.
struct Place {
    own: TempDir,
    backups: Backups,
}

impl Place {
    fn new() -> Self {
        let own = TempDir::new().unwrap();
        let backups = Backups::new(&own.path().join("data"), &own.path().join("backups"));
        Self { own, backups }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.own.path().join(name)
    }

    fn start(&self, data: &str) -> Running {
        Running::start(&self.path(data), SHARD_COUNT, 1000, at(1000))
    }

    fn back_up(&self, shards: &Shards) -> Result<PathBuf, String> {
        match self.backups.make(&self.backups.begin().unwrap(), shards) {
            State::Complete(made) => Ok(made.path),
            State::Failed { error, .. } => Err(error),
            state => panic!("{state:?}"),
        }
    }

    /// Makes a backup of some users. Returns its path.
    fn filled(&self) -> PathBuf {
        let running = self.start("data");
        fill(&running);
        let path = self.back_up(&running.shards).unwrap();
        running.stop();
        path
    }
}

/// Returns the names of the files in a directory, and their bytes.
fn files(directory: &Path) -> Vec<(OsString, Vec<u8>)> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
    let mut files: Vec<_> =
        entries.map(|entry| (entry.file_name(), fs::read(entry.path()).unwrap_or_default())).collect();
    files.sort();
    files
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    files(from).into_iter().for_each(|(name, bytes)| fs::write(to.join(name), bytes).unwrap());
}

/// Requires that a backup is refused, and that nothing of it is left in the directory.
fn refused(backup: &Path, data: &Path) -> RestoreError {
    let error = restore(backup, data).unwrap_err();
    let left = if data.exists() { data::server_files(data).unwrap() } else { Vec::new() };
    assert!(left.is_empty(), "{error}: {left:?}");
    error
}

fn link(chain: u32, number: u32) -> UserId {
    user(chain * LINKS + number % LINKS)
}

/// Writes a chain until it is told to stop: each link when the one before is acknowledged, about another user.
fn write_chain(running: &Running, chain: u32, acknowledged: &AtomicU32, is_stopping: &AtomicBool) {
    let mut number = 1;
    while !is_stopping.load(Ordering::Relaxed) {
        running.set_message(link(chain, number), &number.to_string(), Instant::NEVER).unwrap();
        acknowledged.store(number, Ordering::Release);
        number += 1;
    }
}

/// Tells the writers to stop.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Returns the last link of a chain, after checking that none before it is missing.
fn last_link(running: &Running, chain: u32) -> u32 {
    let text = |number| {
        let details = running.read(link(chain, number)).details?;
        details.status_message().map(|message| message.text.parse::<u32>().unwrap())
    };
    let last = (0..LINKS).filter_map(text).max().unwrap_or_default();
    for number in (1..=last).rev().take(LINKS as usize) {
        assert_eq!(text(number), Some(number), "of chain {chain}, which ends at {last}");
    }
    last
}

#[test]
fn all_copies_are_of_one_moment_after_what_was_acknowledged() {
    let place = Place::new();
    let running = place.start("data");
    let (acknowledged, is_stopping) = ([0; 3].map(AtomicU32::new), AtomicBool::new(false));
    let made = std::thread::scope(|scope| {
        for (chain, acknowledged) in (0..).zip(&acknowledged) {
            let (running, is_stopping) = (&running, &is_stopping);
            scope.spawn(move || write_chain(running, chain, acknowledged, is_stopping));
        }
        // Also when something fails here, because the scope waits for them.
        let _stop = StopOnDrop(&is_stopping);
        (0..12)
            .map(|_| {
                let least = acknowledged.each_ref().map(|number| number.load(Ordering::Acquire));
                (place.back_up(&running.shards).unwrap(), least)
            })
            .collect::<Vec<_>>()
    });
    running.stop();
    for (number, (path, least)) in made.iter().enumerate() {
        let data = format!("restored {number}");
        restore(path, &place.path(&data)).unwrap();
        let running = place.start(&data);
        for (chain, least) in (0..).zip(least) {
            let last = last_link(&running, chain);
            assert!(last >= *least, "chain {chain} ends at {last}, before {least}");
        }
        running.stop();
    }
}

#[test]
fn a_backup_is_for_its_owner_alone_and_names_its_files() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let path = place.filled();
    for (path, mode) in [(path.parent().unwrap(), 0o700), (&path, 0o700)] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, mode, "{}", path.display());
    }
    let manifest = Manifest::read(&path).unwrap();
    assert_eq!(manifest.files.len(), SHARD_COUNT + 1);
    for entry in fs::read_dir(&path).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{entry:?}");
        let name = entry.file_name().into_string().unwrap();
        assert!(name == "backup.json" || manifest.entry(&name).is_some(), "{name}");
    }
}

#[test]
fn what_is_damaged_or_incomplete_is_refused() {
    let place = Place::new();
    let (path, data) = (place.filled(), place.path("restored"));
    let bad = place.path("bad");
    for (name, bytes) in files(&path) {
        let flipped = |at: usize| {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1;
            Some(bytes)
        };
        let middle = bytes.len() / 2;
        // In the manifest a digit is flipped; elsewhere it says something else, or nothing.
        let all = [None, flipped(middle), flipped(bytes.len() - 2), Some(bytes[..middle].to_vec()), Some(Vec::new())];
        for changed in all {
            copy(&path, &bad);
            match &changed {
                Some(bytes) => fs::write(bad.join(&name), bytes).unwrap(),
                None => fs::remove_file(bad.join(&name)).unwrap(),
            }
            let error = refused(&bad, &data).to_string();
            assert!(error.contains(name.to_str().unwrap()) || name == "backup.json", "{name:?}: {error}");
            fs::remove_dir_all(&bad).unwrap();
        }
    }
    // The backup itself was only read.
    restore(&path, &data).unwrap();
    place.start("restored").stop();
}

/// Checksums that fit do not make a record that no server would load.
#[test]
fn what_no_server_would_load_is_refused() {
    let place = Place::new();
    let (path, data) = (place.filled(), place.path("restored"));
    let mut manifest = Manifest::read(&path).unwrap();
    let names: Vec<_> = manifest.files.iter().map(|entry| entry.name.clone()).filter(|name| name != SHARDS).collect();
    // The journals of two shards take each other's place.
    let (first, second) = (path.join(&names[0]), path.join(&names[1]));
    let (one, two) = (fs::read(&first).unwrap(), fs::read(&second).unwrap());
    fs::write(&first, two).unwrap();
    fs::write(&second, one).unwrap();
    let (one, two) = (manifest.entry(&names[0]).unwrap().clone(), manifest.entry(&names[1]).unwrap().clone());
    for entry in &mut manifest.files {
        match &entry.name {
            name if *name == names[0] => (entry.bytes, entry.sha256) = (two.bytes, two.sha256.clone()),
            name if *name == names[1] => (entry.bytes, entry.sha256) = (one.bytes, one.sha256.clone()),
            _ => {}
        }
    }
    fs::remove_file(path.join("backup.json")).unwrap();
    manifest.write(&path).unwrap();
    assert!(matches!(refused(&path, &data), RestoreError::Load(_)));
}

#[test]
fn a_newer_format_is_refused_by_name() {
    let place = Place::new();
    let (path, data) = (place.filled(), place.path("restored"));
    let manifest = Manifest { format: 2, ..Manifest::read(&path).unwrap() };
    fs::remove_file(path.join("backup.json")).unwrap();
    manifest.write(&path).unwrap();
    let error = refused(&path, &data);
    assert!(matches!(error, RestoreError::Manifest(_, ManifestError::Format(2))), "{error}");
    assert!(error.to_string().contains("newer"), "{error}");
}

#[test]
fn data_is_never_overwritten() {
    let place = Place::new();
    let path = place.filled();
    let before = files(&place.path("data"));
    assert!(matches!(restore(&path, &place.path("data")), Err(RestoreError::HasData(_))));
    assert_eq!(files(&place.path("data")), before);
    // Nor is that of a running server.
    let running = place.start("other");
    let error = restore(&path, &place.path("other")).unwrap_err();
    assert!(matches!(error, RestoreError::Layout(LayoutError::Locked(_))), "{error}");
    running.stop();
}

#[test]
fn no_server_starts_on_what_is_restored_in_part_and_restoring_again_begins_anew() {
    let place = Place::new();
    let path = place.filled();
    let data = place.path("restored");
    restore(&path, &data).unwrap();
    let whole = files(&data);
    // Whatever else is there: nothing yet, or everything.
    for name in whole.iter().map(|(name, _)| name).chain([&OsString::from(RESTORING)]) {
        fs::write(data.join(RESTORING), "").unwrap();
        let error = Running::try_start(&data, SHARD_COUNT, 1000, at(1000)).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("restore it again"), "{error}");
        restore(&path, &data).unwrap();
        assert!(!data.join(RESTORING).exists());
        if name != "lock" && name != RESTORING {
            fs::remove_file(data.join(name)).unwrap();
        }
        fs::write(data.join(RESTORING), "").unwrap();
        restore(&path, &data).unwrap();
    }
    place.start("restored").stop();
}

#[test]
fn a_copy_that_fails_ends_nothing_else() {
    let place = Place::new();
    let running = place.start("data");
    assert_eq!(running.execute(user(1), set(3600)), Ok(()));
    // The file of one copy cannot be created.
    let directory = place.path("copies");
    let journal = running.shards.spread().journal(&directory, 1);
    fs::create_dir_all(&journal).unwrap();
    running.shards.copy_journals(&directory).unwrap_err();
    assert_eq!(running.execute(user(2), set(3600)), Ok(()));
    let path = place.back_up(&running.shards).unwrap();
    running.stop();
    // A server that has ended makes none, and leaves none.
    let (ended, queues) = Shards::stalled(2, &Arc::new(Metrics::default()));
    drop(queues);
    place.back_up(&ended).unwrap_err();
    let left: Vec<_> = fs::read_dir(place.path("backups")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
    restore(&path, &place.path("restored")).unwrap();
    let running = place.start("restored");
    let presences = running.shown(&[user(1), user(2)]);
    assert!(
        presences.iter().all(|(presence, version, _)| *presence == Presence::InACall && *version == 1),
        "{presences:?}"
    );
    running.stop();
}

#[test]
fn a_backup_takes_no_room_that_the_journals_need() {
    let place = Place::new();
    let running = place.start("data");
    let full = Backups::on(NO_ROOM, &place.path("data"), &place.path("full"));
    let state = full.make(&full.begin().unwrap(), &running.shards);
    assert!(matches!(&state, State::Failed { error, is_full: true } if error.contains("no room")), "{state:?}");
    assert_eq!(fs::read_dir(place.path("full")).unwrap().count(), 1, "the lock");
    running.stop();
}

/// What an interrupted backup has left is removed by the next one, and by the next start; other files stay.
#[test]
fn parts_of_backups_are_removed() {
    let place = Place::new();
    let path = place.filled();
    let part = path.with_file_name("2026-01-01T00-00-00-000Z.partial");
    let again = Backups::new(&place.path("data"), &place.path("backups"));
    copy(&path, &part);
    let others = ["photos.partial", ".partial", "2026-01-01T00-00-00-000.partial", "2026-01-01T00-00-00-000Zx.partial"];
    let others = others.map(|name| path.with_file_name(name));
    others.iter().for_each(|other| fs::create_dir(other).unwrap());
    assert!(again.clean().unwrap_err().to_string().contains("another"), "another server has these backups");
    drop(place.backups);
    again.clean().unwrap();
    assert!(!part.exists() && path.exists());
    assert!(others.iter().all(|other| other.exists()));
}
