//! All that a shard knows: its users, and what they have told. Commands, reads and time; nothing of disks and queues.

use super::details::{Entry, Kept, Told};
use super::job::{Changes, Everybody, Place, Shown};
use super::users::{SESSIONS, Users, allocate};
use presence_core::details::{DetailsCommand, DetailsError};
use presence_core::directory::{Cursor, Progress};
use presence_core::{Cause, Command, CommandError, Instant, SessionId, User, UserId};
use std::sync::Arc;

/// Users in one answer about changes, or about everybody.
const CHUNK: usize = 128;
/// Most changes that are looked through for a reader that is behind; one that is further behind starts over. A look
/// through so many takes about as long as a hundred commands.
const MAX_BEHIND: u64 = 4096;

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
        Self { users: allocate(users), kept: Kept::new(users) }
    }

    /// Carries out a command at `now`. Says whether a record must be written; what time did follows from records that are
    /// there already.
    pub fn execute(&mut self, now: Instant, user: UserId, command: Command<SessionId>) -> Result<bool, CommandError> {
        let Self { users, kept } = self;
        kept.free_room(users, now, user);
        let mut is_changed = false;
        let outcome = users.execute(now, user, command, |_, transition| {
            is_changed |= !matches!(transition.cause(), Cause::Faded | Cause::Expired | Cause::PreferredExpired);
        });
        kept.refresh(users, user);
        outcome.map(|()| is_changed)
    }

    /// The same of a command about what a user tells.
    pub fn tell(&mut self, now: Instant, user: UserId, command: DetailsCommand<'_>) -> Result<bool, DetailsError> {
        self.kept.execute(&mut self.users, now, user, command)
    }

    /// Lets one thing happen that is due. Says whether there may be more.
    pub fn advance(&mut self, now: Instant) -> bool {
        match self.users.advance(now) {
            Progress::Changed { user, .. } => {
                self.kept.refresh(&self.users, user);
                true
            }
            Progress::Working => true,
            Progress::Idle { .. } => self.kept.advance(&mut self.users, now),
        }
    }

    /// When to advance next. What is due already, and could not happen, waits for something else.
    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let kept = self.kept.next_deadline().filter(|deadline| !deadline.is_due(now));
        [self.users.next_deadline(), kept].into_iter().flatten().min()
    }

    /// A user at `now`.
    pub fn read(&self, now: Instant, user: UserId) -> Shown {
        self.users.read(user, now, |found| self.shown(now, user, found))
    }

    /// Users at `now`, in the order asked.
    pub fn read_many(&self, now: Instant, users: &[UserId]) -> Vec<Shown> {
        let mut shown = Vec::with_capacity(users.len());
        self.users.read_batch(users, now, |user, found| shown.push(self.shown(now, user, found)));
        shown
    }

    fn shown(&self, now: Instant, user: UserId, found: &User<SessionId, SESSIONS>) -> Shown {
        let (presence, version) = (found.presence(), found.version());
        match self.kept.get(user) {
            None => Shown { user, presence, version, told: None },
            Some(entry) => {
                // What the directory has forgotten of a user is remembered here.
                let version = version.max(entry.user_version);
                let told = entry.at(now);
                let version = if told.is_some() { version } else { version + entry.version };
                Shown { user, presence, version, told }
            }
        }
    }

    /// Some of the users who changed after a cursor.
    pub fn changes_since(&self, now: Instant, since: Cursor) -> Changes {
        let behind = self.users.cursor().to_number().saturating_sub(since.to_number());
        match self.users.changes_since(since) {
            Ok(changed) if behind <= MAX_BEHIND && !self.kept.has_untold(since) => {
                let some = changed.take(CHUNK);
                Changes::Users(some.map(|change| (self.shown(now, change.id, change.user), change.cursor)).collect())
            }
            _ => Changes::StartOver,
        }
    }

    /// Some of everybody.
    pub fn everybody(&self, now: Instant, from: Place) -> Everybody {
        let cursor = self.users.cursor();
        match from {
            Place::User(place) => {
                let (users, next) = self.users.users_from(place, CHUNK);
                let users = users.map(|(user, found)| self.shown(now, user, found)).collect();
                Everybody { users, next: Some(next.map_or(Place::Told(None), Place::User)), cursor }
            }
            Place::Told(after) => {
                let mut last = None;
                let looked_at = self.kept.after(after).take(CHUNK).inspect(|user| last = Some(*user));
                // Who was given a place meanwhile may have been given one that the walk is past.
                let users = looked_at.map(|user| self.read(now, user)).collect();
                Everybody { users, next: last.map(|user| Place::Told(Some(user))), cursor }
            }
        }
    }

    /// What a user has told, as it is written down; nothing if nothing is kept of it.
    pub fn told(&self, now: Instant, user: UserId) -> Option<(&Entry, Arc<Told>)> {
        let entry = self.kept.get(user)?;
        Some((entry, entry.at(now).unwrap_or_else(|| Arc::new(Told::starting_at(entry.version)))))
    }
}
