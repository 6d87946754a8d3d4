//! The state of a shard: its users and their details. It is independent of disks and queues.

use super::details::DetailsStore;
use super::job::{Changes, FullScan, UserView};
use super::users::{SESSIONS, Users, allocate};
use presence_core::details::{DetailsCommand, DetailsError};
use presence_core::directory::{Cursor, Progress};
use presence_core::{Cause, Command, CommandError, Instant, SessionId, User, UserId};

/// The most users in one response to [`Changes`] or [`FullScan`].
pub const CHUNK: usize = 128;
/// The most changes that a reader may be behind; one further behind starts over.
///
/// Looking through so many takes about as long as a hundred commands.
pub const MAX_BEHIND: u64 = 4096;

/// The users of a shard, and their details.
pub struct State {
    /// The directory of users.
    pub users: Users,
    /// The details of the users that have any.
    pub details: DetailsStore,
    /// The number that the cursors of this state start from. Readers behind it start over.
    base: u64,
}

impl State {
    /// Creates an empty state for at most this many users.
    pub fn new(users: usize) -> Self {
        Self { users: allocate(users), details: DetailsStore::default(), base: 0 }
    }

    /// Creates an empty state whose cursors follow those of `earlier`, so that its readers start over.
    ///
    /// Frees the earlier state first, since it may take most of the memory.
    pub fn replacing(earlier: Self) -> Self {
        let (users, base) = (earlier.users.capacity(), earlier.cursor().to_number().saturating_add(1));
        drop(earlier);
        Self { base, ..Self::new(users) }
    }

    /// Returns the cursor of the latest change.
    pub const fn cursor(&self) -> Cursor {
        self.rebased(self.users.cursor())
    }

    /// Converts a cursor of the directory to one of this state.
    const fn rebased(&self, cursor: Cursor) -> Cursor {
        Cursor::from_number(self.base.saturating_add(cursor.to_number()))
    }

    /// Executes a command at `now`. Reports whether a record must be written.
    ///
    /// Due transitions need no record, because they follow from earlier records.
    pub fn execute(&mut self, now: Instant, user: UserId, command: Command<SessionId>) -> Result<bool, CommandError> {
        self.details.make_vacancy(&mut self.users, now, user);
        let mut is_changed = false;
        let outcome = self.users.execute(now, user, command, |_, transition| {
            is_changed |= !matches!(transition.cause(), Cause::Faded | Cause::Expired | Cause::PreferredExpired);
        });
        outcome.map(|()| is_changed)
    }

    /// Executes a command about details. [`DetailsStore::take_changed`] then returns whose records must be written.
    pub fn execute_details(
        &mut self,
        now: Instant,
        user: UserId,
        command: DetailsCommand<'_>,
    ) -> Result<(), DetailsError> {
        self.details.execute(&mut self.users, now, user, command)
    }

    /// Applies one due transition, or the due transitions of one user's details. Reports whether more may be due.
    pub fn advance(&mut self, now: Instant) -> bool {
        match self.users.advance(now) {
            Progress::Changed { .. } | Progress::Working => true,
            Progress::Idle { .. } => self.details.advance(&mut self.users, now),
        }
    }

    /// Returns the earliest deadline.
    pub fn next_deadline(&self) -> Option<Instant> {
        [self.users.next_deadline(), self.details.next_deadline()].into_iter().flatten().min()
    }

    /// Reads a user at `now`.
    pub fn read(&self, now: Instant, user: UserId) -> UserView {
        self.users.read(now, user, |found| self.view(now, user, found))
    }

    /// Reads users at `now`, in the given order.
    pub fn read_many(&self, now: Instant, users: &[UserId]) -> Vec<UserView> {
        let mut views = Vec::with_capacity(users.len());
        self.users.read_batch(now, users, |user, found| views.push(self.view(now, user, found)));
        views
    }

    fn view(&self, now: Instant, user: UserId, found: &User<SessionId, SESSIONS>) -> UserView {
        let (presence, version) = (found.presence(), found.version());
        match self.details.read(now, user) {
            Some(details) if details.is_empty() => {
                UserView { user, presence, version: version + details.version(), details: None }
            }
            details => UserView { user, presence, version, details },
        }
    }

    /// Reads the next users that changed after a cursor.
    pub fn changes_since(&self, now: Instant, since: Cursor) -> Changes {
        let Some(own) = since.to_number().checked_sub(self.base) else { return Changes::StartOver };
        let behind = self.users.cursor().to_number().saturating_sub(own);
        match self.users.changes_since(Cursor::from_number(own)) {
            Ok(changed) if behind <= MAX_BEHIND => {
                let chunk = changed.take(CHUNK);
                Changes::Users(chunk.map(|change| (self.read(now, change.id), self.rebased(change.cursor))).collect())
            }
            _ => Changes::StartOver,
        }
    }

    /// Reads a chunk of all users, from an offset on.
    pub fn scan(&self, now: Instant, offset: usize) -> FullScan {
        let (users, next) = self.users.users_from(offset, CHUNK);
        let behind = |user| self.users.handle(user).map_or(offset, |handle| handle.index() + 1);
        let users = users.map(|(user, _)| (self.read(now, user), behind(user))).collect();
        FullScan { users, next, cursor: self.cursor() }
    }
}
