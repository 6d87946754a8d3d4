//! All that a shard knows: its users, and what they have told. Commands, reads and time; nothing of disks and queues.

use super::details::Kept;
use super::job::{Changes, Everybody, Shown};
use super::users::{SESSIONS, Users, allocate};
use presence_core::details::{DetailsCommand, DetailsError};
use presence_core::directory::{Cursor, Progress};
use presence_core::{Cause, Command, CommandError, Instant, SessionId, User, UserId};

/// Most users in one answer about changes, or about everybody.
pub const CHUNK: usize = 128;
/// Most changes that are looked through for a reader that is behind; one that is further behind starts over. A look
/// through so many takes about as long as a hundred commands.
pub const MAX_BEHIND: u64 = 4096;

/// What a shard knows.
pub struct State {
    /// The users.
    pub users: Users,
    /// What they have told.
    pub kept: Kept,
}

impl State {
    /// Nothing, with room for so many users.
    pub fn new(users: usize) -> Self {
        Self { users: allocate(users), kept: Kept::default() }
    }

    /// Carries out a command at `now`. Says whether a record must be written; what time did follows from records that are
    /// there already.
    pub fn execute(&mut self, now: Instant, user: UserId, command: Command<SessionId>) -> Result<bool, CommandError> {
        self.kept.free_room(&mut self.users, now, user);
        let mut is_changed = false;
        let outcome = self.users.execute(now, user, command, |_, transition| {
            is_changed |= !matches!(transition.cause(), Cause::Faded | Cause::Expired | Cause::PreferredExpired);
        });
        outcome.map(|()| is_changed)
    }

    /// The same of a command about what a user tells; [`Kept::take_changed`] says whose records must be written.
    pub fn tell(&mut self, now: Instant, user: UserId, command: DetailsCommand<'_>) -> Result<(), DetailsError> {
        self.kept.execute(&mut self.users, now, user, command)
    }

    /// Lets one thing happen that is due. Says whether there may be more.
    pub fn advance(&mut self, now: Instant) -> bool {
        match self.users.advance(now) {
            Progress::Changed { .. } | Progress::Working => true,
            Progress::Idle { .. } => self.kept.advance(&mut self.users, now),
        }
    }

    /// When to advance next.
    pub fn next_deadline(&self) -> Option<Instant> {
        [self.users.next_deadline(), self.kept.next_deadline()].into_iter().flatten().min()
    }

    /// A user at `now`.
    pub fn read(&self, now: Instant, user: UserId) -> Shown {
        self.users.read(now, user, |found| self.shown(now, user, found))
    }

    /// Users at `now`, in the order asked.
    pub fn read_many(&self, now: Instant, users: &[UserId]) -> Vec<Shown> {
        let mut shown = Vec::with_capacity(users.len());
        self.users.read_batch(now, users, |user, found| shown.push(self.shown(now, user, found)));
        shown
    }

    fn shown(&self, now: Instant, user: UserId, found: &User<SessionId, SESSIONS>) -> Shown {
        let (presence, version) = (found.presence(), found.version());
        match self.kept.read(now, user) {
            Some(told) if told.is_empty() => Shown { user, presence, version: version + told.version(), told: None },
            told => Shown { user, presence, version, told },
        }
    }

    /// Some of the users who changed after a cursor.
    pub fn changes_since(&self, now: Instant, since: Cursor) -> Changes {
        let behind = self.users.cursor().to_number().saturating_sub(since.to_number());
        match self.users.changes_since(since) {
            Ok(changed) if behind <= MAX_BEHIND => {
                let some = changed.take(CHUNK);
                Changes::Users(some.map(|change| (self.read(now, change.id), change.cursor)).collect())
            }
            _ => Changes::CursorError,
        }
    }

    /// Some of everybody, from a place of the directory on.
    pub fn everybody(&self, now: Instant, place: usize) -> Everybody {
        let (users, next) = self.users.users_from(place, CHUNK);
        let users = users.map(|(user, _)| self.read(now, user)).collect();
        Everybody { users, next, cursor: self.users.cursor() }
    }
}
