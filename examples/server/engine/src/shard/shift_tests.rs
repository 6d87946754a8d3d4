//! Tests of shifts of the clock, which journals keep as one number.

use super::commit::Commit;
use super::flusher::{Flushed, FlusherLink};
use super::job::OwnedDetailsCommand;
use super::journal_index::JournalIndex;
use super::pending::Pending;
use super::tests::{append, empty_state, flush, refs};
use super::{reset_clock, restore, stored_clock};
use crate::clock::{Shift, Time};
use crate::data;
use crate::journal::sqlite::SqliteJournal;
use crate::journal::{Group, Journal, Metadata, Record, change_metadata, newest_instant};
use presence_core::details::{DetailsCommand, LocationLayer, OutOfOffice, WorkLocationType, WorkPlace};
use presence_core::{Command, Duration, Instant, Presence, SessionId, UserId};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// A state with the default number of sessions of a user.
type State = super::state::State<8>;

const USERS: u8 = 7;
const CAPACITY: usize = 4;
const YEAR: u64 = 365 * 86_400;

fn id(number: u8) -> UserId {
    UserId::from_bytes([number; 16])
}

/// A shard without threads: a state, its journal, and the clock.
struct Shard {
    journal: SqliteJournal,
    state: State,
    pending: Pending,
    submitted: Receiver<Commit>,
    flushed: SyncSender<Flushed>,
    time: Time,
}

impl Shard {
    /// Restores a shard from its journal.
    fn restore(journal: SqliteJournal, time: Time) -> Self {
        let (mut state, mut index) = (empty_state(CAPACITY), JournalIndex::new(CAPACITY));
        restore::load(&journal, &mut state, &mut index, time).unwrap();
        let (groups, submitted) = sync_channel(1);
        let (flushed, from_flusher) = sync_channel(1);
        let pending = Pending::new(Some(FlusherLink { groups, flushed: from_flusher }), index);
        Self { journal, state, pending, submitted, flushed, time }
    }

    fn flush(&mut self) {
        self.pending.submit(&mut self.state, self.time.now, 0);
        if let Ok(group) = self.submitted.try_recv() {
            self.flushed.send(Flushed::Group(flush(&self.journal, group))).unwrap();
            assert!(self.pending.poll_flushed(&self.state).is_none());
        }
    }

    /// Shifts the clock back, as the writer does.
    fn shift(&mut self, by: Duration) {
        let to = self.time.now.saturating_sub(by);
        self.state.rebase(self.time.now, to).unwrap();
        self.time = Time { now: to, shift: self.time.shift.plus(by) };
        self.pending.set_shift(self.time.shift);
        self.flush();
    }

    fn execute(&mut self, user: UserId, command: Command<SessionId>) {
        if let Ok(true) = self.state.execute(self.time.now, user, command) {
            self.pending.mark_dirty(&self.state.users, user);
        }
    }

    fn execute_details(&mut self, user: UserId, command: DetailsCommand<'_>) {
        let _ = self.state.execute_details(self.time.now, user, command);
        self.pending.mark_changed_details(&mut self.state);
    }

    /// Returns what is shown of each user now and later, with the length of time until then.
    fn forecast(&self) -> Vec<Shown> {
        let mut all = Vec::new();
        for later in [0, 1, 60_000, 200_000, 400_000, 86_400_000] {
            let now = self.time.now.saturating_add(Duration::from_millis(later));
            for user in 1..=USERS {
                let view = self.state.read(now, id(user));
                let details = view.details.as_ref().filter(|details| !details.is_empty());
                all.push(Shown {
                    user,
                    later,
                    presence: view.presence,
                    version: view.version + view.details.as_ref().map_or(0, |details| details.version()),
                    details: details.map(|details| format!("{:?}", details.view())).unwrap_or_default(),
                });
            }
        }
        all
    }

    /// Returns the same without dates, which a shift changes, and without unknown users, whose versions then grow.
    fn remaining(&self) -> Vec<Shown> {
        let mut all = self.forecast();
        all.retain(|shown| self.state.users.handle(id(shown.user)).is_some());
        all.iter_mut().for_each(|shown| shown.details.clear());
        all
    }
}

/// What is shown of a user, now or after some milliseconds.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    user: u8,
    later: u64,
    presence: Presence,
    version: u64,
    details: String,
}

/// Returns a generator of numbers below a bound.
fn random(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    }
}

/// Random commands, shifts and kills: what remains of each deadline is to the millisecond what it was, before a kill and after
/// it, also if a shift makes the instants of older rows negative. Rules C2, V1.
#[test]
fn c2_a_shift_changes_no_remaining_time_and_survives_kills() {
    let own = tempfile::TempDir::new().unwrap();
    for seed in 0..16u64 {
        let mut next = random(seed);
        let journal = SqliteJournal::create(&own.path().join(format!("{seed}.sqlite"))).unwrap();
        let start = Time { now: Instant::from_secs(40 * YEAR), shift: Shift::default() };
        let mut shard = Shard::restore(journal, start);
        for round in 0..200 {
            let (now, user) = (shard.time.now, id(1 + next(USERS.into()) as u8));
            let until = now.saturating_add(Duration::from_millis(next(400_000)));
            match next(10) {
                0 | 1 => {
                    let lease = Some(Duration::from_millis(300_000 + next(300_000)));
                    let presence = if next(2) == 0 { Presence::Available } else { Presence::InACall };
                    let session = SessionId::from_bytes([9; 16]);
                    shard.execute(user, Command::SetPresence { session, presence, lease });
                }
                2 => {
                    let duration = Some(Duration::from_millis(1 + next(500_000)));
                    shard.execute(user, Command::SetPreferredPresence { presence: Presence::Busy, duration });
                }
                3 => {
                    let expires_at = if next(3) == 0 { Instant::NEVER } else { until };
                    shard.execute_details(user, DetailsCommand::SetStatusMessage { text: "x", expires_at });
                }
                4 => {
                    let place = WorkPlace { kind: WorkLocationType::Office, id: None };
                    let layer = if next(2) == 0 { LocationLayer::Manual } else { LocationLayer::Automatic };
                    shard.execute_details(user, DetailsCommand::SetLocation { layer, place, until });
                }
                5 => {
                    let out = OutOfOffice { is_out_of_office: next(2) == 0, message: None };
                    shard.execute_details(user, DetailsCommand::SetOutOfOffice(out));
                }
                6 | 7 => shard.time.now = until,
                8 => {
                    // Steps forward too, so that a step back may lead to before 1970 for older rows.
                    let step = Duration::from_secs(if next(4) == 0 { next(30 * YEAR) } else { next(7200) });
                    if next(3) == 0 {
                        shard.time.now = now.saturating_add(step);
                    }
                    while shard.state.advance(shard.time.now) {}
                    let before = shard.remaining();
                    shard.shift(step.min(shard.time.now.saturating_duration_since(Instant::from_secs(86_400))));
                    assert_eq!(shard.remaining(), before, "seed {seed} round {round}");
                }
                _ => {
                    shard.flush();
                    shard.flush();
                    let (time, before) = (shard.time, shard.forecast());
                    let path = shard.journal.path().to_owned();
                    drop(shard);
                    let journal = SqliteJournal::open(&path).unwrap();
                    assert_eq!(journal.metadata().unwrap().shift, time.shift);
                    shard = Shard::restore(journal, time);
                    assert_eq!(shard.forecast(), before, "seed {seed} round {round}");
                }
            }
        }
    }
}

/// What one journal has recorded of a shift counts for all, because rows hold unshifted instants: a kill between two journals
/// shifts nothing twice, and nothing half.
#[test]
fn c2_a_shift_that_one_journal_has_recorded_counts_for_all() {
    let own = tempfile::TempDir::new().unwrap();
    let data::Data { journals, spread, .. } = data::open(own.path(), 2).unwrap();
    for (shard, (journal, seconds)) in journals.iter().zip([5000, 6000]).enumerate() {
        let mut group = Group::default();
        let user = (0..=u8::MAX).map(id).find(|user| spread.of(*user) == shard).unwrap();
        group.push(Record::User, user, Instant::from_secs(seconds), &[7]);
        // A virtual clock that has reached these rows.
        group.metadata = Some(Metadata { number: 1, virtual_now: seconds * 1000, ..Metadata::default() });
        append(&**journal, &group);
    }
    assert_eq!(stored_clock(&refs(&journals)).unwrap().virtual_now, Some(Instant::from_secs(6000)));
    let hour = Shift::default().plus(Duration::from_hours(1));
    change_metadata(&*journals[0], |metadata| metadata.shift = hour).unwrap();
    let stored = stored_clock(&refs(&journals)).unwrap();
    assert_eq!((stored.newest, stored.shift), (Instant::from_secs(2400), hour));
    drop(journals);
    // Also by journals of another number of shards, into which the rows are moved.
    let journals = data::open(own.path(), 1).unwrap().journals;
    let stored = stored_clock(&refs(&journals)).unwrap();
    assert_eq!((stored.newest, stored.shift), (Instant::from_secs(2400), hour));
    // The wall clock is 400 s behind: these are shifted as well.
    let wall = Instant::from_secs(2000);
    let reset = reset_clock(&refs(&journals), stored, wall).unwrap();
    assert_eq!(reset.newest, wall);
    let stored = stored_clock(&refs(&journals)).unwrap();
    assert_eq!((stored.newest, stored.shift), (wall, hour.plus(Duration::from_secs(400))));
    assert_eq!(stored.virtual_now, None, "it would be ahead of the data by the shift");
    // Nothing is ahead any more.
    reset_clock(&refs(&journals), stored, wall).unwrap();
    assert_eq!(stored_clock(&refs(&journals)).unwrap().shift, stored.shift);
}

/// A journal that a server before shifts has written is opened, with a shift of none.
#[test]
fn a_journal_of_format_2_is_opened() {
    let own = tempfile::TempDir::new().unwrap();
    let path = own.path().join("x.sqlite");
    let journal = SqliteJournal::create(&path).unwrap();
    let mut group = Group::default();
    let metadata = Metadata { number: 3, version_floor: 5, newest: 7, ..Metadata::default() };
    group.metadata = Some(metadata);
    append(&journal, &group);
    Box::new(journal).close().unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch("ALTER TABLE marks DROP COLUMN shift; PRAGMA user_version = 2;").unwrap();
    drop(connection);
    for _ in 0..2 {
        let journal = SqliteJournal::open(&path).unwrap();
        assert_eq!(journal.metadata().unwrap().number, 3);
        assert_eq!(journal.metadata().unwrap().shift, Shift::default());
        if newest_instant(&journal).unwrap() == 0 {
            append(&journal, &group);
        }
        Box::new(journal).close().unwrap();
    }
    // A shift is part of the checksum.
    rusqlite::Connection::open(&path).unwrap().execute("UPDATE marks SET shift = 1", []).unwrap();
    assert!(SqliteJournal::open(&path).unwrap().metadata().is_err());
}

/// The instants of a command that was read before a shift are shifted with it; never stays never.
#[test]
fn c2_commands_that_were_read_before_a_shift_are_shifted() {
    let at = Instant::from_secs;
    let place = WorkPlace { kind: WorkLocationType::Office, id: None };
    let until = |until| DetailsCommand::SetLocation { layer: LocationLayer::Manual, place, until };
    let expires_at = |expires_at| DetailsCommand::SetStatusMessage { text: "x", expires_at };
    for (command, shifted) in [
        (until(at(5000)), until(at(1400))),
        (until(at(5)), until(at(0))),
        (expires_at(at(4000)), expires_at(at(400))),
        (expires_at(Instant::NEVER), expires_at(Instant::NEVER)),
    ] {
        let mut owned = OwnedDetailsCommand::from_command(command);
        owned.shift_back(Duration::from_hours(1));
        assert_eq!(owned.as_command(), shifted);
    }
}
