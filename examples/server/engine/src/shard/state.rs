//! The state of a shard: its users and their details. It is independent of disks and queues.

use super::creators::{ApplicationFullError, Creators, Quota};
use super::details::{DetailsStore, UserDetails};
use super::job::{ActionError, Changes, FullScan, ListedUser, UserExplanation, UserList, UserView};
use super::user_limit::{CountedUsers, UserLimit};
use super::users::{Users, allocate};
use presence_core::details::{DetailsCommand, DetailsError, decide_details};
use presence_core::directory::{Cursor, Progress};
use presence_core::{Cause, Command, CommandError, Instant, OverdueError, Policy, Presence, SessionId, User, UserId};
use std::sync::Arc;

/// The most users in one response to [`Changes`] or [`FullScan`].
pub const CHUNK: usize = 128;
/// The most slots that are looked at for one response to a list of users.
pub const MAX_SLOTS: usize = 16_384;
/// The most changes that a reader may be behind; one further behind starts over.
///
/// Looking through so many takes about as long as a hundred commands.
pub const MAX_BEHIND: u64 = 4096;

/// The users of a shard, and their details.
pub struct State<const SESSIONS: usize> {
    /// The directory of users.
    pub users: Users<SESSIONS>,
    /// The details of the users that have any.
    pub details: DetailsStore,
    /// The applications that users count for.
    pub creators: Creators,
    /// The users of whom nothing may be left.
    emptied: Vec<UserId>,
    /// The users that count for the limit of all shards.
    counted: CountedUsers,
    /// The number that the cursors of this state start from. Readers behind it start over.
    base: u64,
}

impl<const SESSIONS: usize> State<SESSIONS> {
    /// Creates an empty state with this many slots for users, which count for this limit, and for their applications in this
    /// quota.
    pub fn new(slots: usize, limit: Arc<UserLimit>, quota: Arc<Quota>) -> Self {
        Self {
            users: allocate(slots),
            details: DetailsStore::default(),
            creators: Creators::new(quota),
            emptied: Vec::new(),
            counted: CountedUsers::new(limit),
            base: 0,
        }
    }

    /// Replaces the state by an empty one whose cursors follow, so that readers start over. The earlier users count until
    /// [`end_restoring`](Self::end_restoring).
    pub fn replace(&mut self) {
        self.replace_with_slots(self.users.capacity());
    }

    /// Does the same, with this many slots.
    ///
    /// Frees the earlier users first, since they may take most of the memory.
    pub fn replace_with_slots(&mut self, slots: usize) {
        self.base = self.cursor().to_number().saturating_add(1);
        self.users = allocate(0);
        self.users = allocate(slots);
        self.details = DetailsStore::default();
        self.emptied.clear();
        self.creators.begin_restoring();
    }

    /// Gives a full directory more slots, if the limit of all shards allows another user. Returns the earlier directory.
    ///
    /// Users are in other slots then, and readers start over. The hash of users is secret, so hardly any server ever does this.
    pub fn grow_if_full(&mut self, now: Instant) -> Option<Users<SESSIONS>> {
        let slots = self.users.capacity();
        if self.stored_users() < slots {
            return None;
        }
        while self.advance(now) {}
        if self.stored_users() < slots {
            return None;
        }
        let mut users = allocate(self.counted.try_grow(slots)?);
        users.raise_version_floor(self.users.version_floor());
        for (id, user) in self.users.users_from(0, slots).0 {
            // There are more slots than users.
            let _ = users.insert(id, user.clone());
            if self.details.get(id).is_some() {
                let _ = users.pin(now, id, |_, _| {});
            }
        }
        self.base = self.cursor().to_number().saturating_add(1);
        Some(std::mem::replace(&mut self.users, users))
    }

    /// Counts the users that were restored, and no longer those of the state that this one replaces.
    pub fn end_restoring(&mut self) {
        self.creators.end_restoring();
        self.counted.set(self.stored_users());
    }

    /// Returns the number of users of whom something is stored, as time was last advanced.
    pub const fn stored_users(&self) -> usize {
        self.users.len() - self.users.evictable()
    }

    /// Reserves a slot for a user of whom nothing is stored, until the users are counted anew. Reports whether there is one.
    ///
    /// What is due frees its slot first ([S9](../../../../../docs/behaviour.md#s9)).
    fn reserve_slot(&mut self, now: Instant) -> bool {
        if self.counted.try_reserve() {
            return true;
        }
        while self.advance(now) {}
        self.counted.try_reserve()
    }

    fn is_stored(&self, user: UserId) -> bool {
        self.users.get(user).is_some_and(|found| !found.is_empty()) || self.details.get(user).is_some()
    }

    /// Returns the cursor of the latest change.
    pub const fn cursor(&self) -> Cursor {
        self.rebased(self.users.cursor())
    }

    /// Returns a number that grows when the state is loaded anew: users are in other slots then, and cursors below it too old.
    pub const fn generation(&self) -> u64 {
        self.base
    }

    /// Converts a cursor of the directory to one of this state.
    const fn rebased(&self, cursor: Cursor) -> Cursor {
        Cursor::from_number(self.base.saturating_add(cursor.to_number()))
    }

    /// Executes a command, decided under a policy, for the application that a new user counts for. Reports whether a record
    /// must be written.
    ///
    /// # Errors
    ///
    /// Those of [`execute_under`](Self::execute_under), and [`ActionError::ApplicationFull`].
    pub fn execute_for(
        &mut self,
        now: Instant,
        creator: Option<SessionId>,
        user: UserId,
        command: Command<SessionId>,
        policy: &Policy,
    ) -> Result<bool, ActionError> {
        let creates = matches!(command, Command::SetPresence { .. } | Command::SetPreferredPresence { .. });
        if !creates || !self.is_empty(now, user) {
            return Ok(self.execute_under(now, user, command, policy)?);
        }
        self.reserve(now, creator)?;
        let outcome = self.execute_under(now, user, command, policy);
        self.count(now, user, creator);
        Ok(outcome?)
    }

    /// Executes a command about details for the application that a new user counts for.
    ///
    /// # Errors
    ///
    /// Those of [`execute_details`](Self::execute_details), and [`ActionError::ApplicationFull`].
    pub fn execute_details_for(
        &mut self,
        now: Instant,
        creator: Option<SessionId>,
        user: UserId,
        command: DetailsCommand<'_>,
    ) -> Result<(), ActionError> {
        if !stores_something(now, command) || !self.is_empty(now, user) {
            return Ok(self.execute_details(now, user, command)?);
        }
        self.reserve(now, creator)?;
        let outcome = self.execute_details(now, user, command);
        self.count(now, user, creator);
        Ok(outcome?)
    }

    /// Reserves a new user for an application. What is due frees its place first ([S9](../../../../../docs/behaviour.md#s9)).
    fn reserve(&mut self, now: Instant, creator: Option<SessionId>) -> Result<(), ApplicationFullError> {
        self.creators.reserve(creator).or_else(|_| {
            while self.advance(now) {}
            self.creators.reserve(creator)
        })
    }

    /// Counts a user that was reserved for an application, if something is stored of it now.
    fn count(&mut self, now: Instant, user: UserId, creator: Option<SessionId>) {
        if self.is_empty(now, user) {
            self.creators.cancel(creator);
        } else {
            self.creators.set(user, creator);
        }
    }

    /// Reports whether nothing is stored of a user at `now`, so that its slot may be reused.
    pub fn is_empty(&self, now: Instant, user: UserId) -> bool {
        self.details.read(now, user).is_none_or(|details| details.is_empty())
            && self.users.read(now, user, User::is_empty)
    }

    /// Ends the counting of users of whom nothing is left, and of reservations.
    fn release_emptied(&mut self) {
        self.emptied.append(&mut self.details.take_removed());
        for user in self.emptied.drain(..) {
            if self.details.get(user).is_none() && self.users.get(user).is_none_or(User::is_empty) {
                self.creators.set(user, None);
            }
        }
        self.counted.set(self.stored_users());
    }

    /// Executes a command at `now`, decided under a policy. Reports whether a record must be written.
    ///
    /// Due transitions need no record, because they follow from earlier records. No policy is recorded: a session carries
    /// what its own said.
    pub fn execute_under(
        &mut self,
        now: Instant,
        user: UserId,
        command: Command<SessionId>,
        policy: &Policy,
    ) -> Result<bool, CommandError> {
        if !self.is_stored(user)
            && matches!(self.users.decide_under(now, user, command, policy), Ok(Some(_)))
            && !self.reserve_slot(now)
        {
            return Err(CommandError::UsersFull);
        }
        self.details.make_vacancy(&mut self.users, now, user);
        let mut is_changed = false;
        let emptied = &mut self.emptied;
        let outcome = self.users.execute_under(now, user, command, policy, |user, transition| {
            is_changed |= !matches!(transition.cause(), Cause::Faded | Cause::Expired | Cause::PreferredExpired);
            emptied.extend(removes_something(transition.cause()).then_some(user));
        });
        self.release_emptied();
        outcome.map(|()| is_changed)
    }

    /// Executes a command about details. [`DetailsStore::take_changed`] then returns whose records must be written.
    pub fn execute_details(
        &mut self,
        now: Instant,
        user: UserId,
        command: DetailsCommand<'_>,
    ) -> Result<(), DetailsError> {
        if !self.is_stored(user) && stores_something(now, command) && !self.reserve_slot(now) {
            return Err(DetailsError::UsersFull);
        }
        let outcome = self.details.execute(&mut self.users, now, user, command);
        self.release_emptied();
        outcome
    }

    /// Erases everything that is stored of a user. Only its version is left, which goes on.
    pub fn erase(&mut self, now: Instant, user: UserId) {
        // One visible change, whatever is erased (rule V1).
        let is_present = self.users.presence(now, user) != Presence::Offline;
        self.details.erase(&mut self.users, now, user, is_present);
        self.users.erase(now, user, |_, _| {});
        self.release_emptied();
        self.creators.set(user, None);
    }

    /// Clears all sessions of a user, as their applications would. Reports whether there were any.
    ///
    /// # Errors
    ///
    /// [`ActionError::UnknownUser`] if nothing is stored of the user.
    pub fn sign_out(&mut self, now: Instant, user: UserId) -> Result<bool, ActionError> {
        if self.is_empty(now, user) {
            return Err(ActionError::UnknownUser);
        }
        let mut sessions: Vec<_> = self
            .users
            .read(now, user, |user| user.sessions().iter().map(|session| (session.presence(), session.id())).collect());
        // Any policy lets a session be cleared.
        let policy = *self.users.policy();
        // The weakest first, so that the presence changes once, with the last.
        sessions.sort_unstable();
        for (_, session) in &sessions {
            self.execute_under(now, user, Command::ClearPresence { session: *session }, &policy)?;
        }
        Ok(!sessions.is_empty())
    }

    /// Lists users of whom something is stored, at most `limit`, from an offset on.
    pub fn list(&self, now: Instant, mut offset: usize, limit: usize) -> UserList {
        let (mut users, mut looked_at) = (Vec::new(), 0);
        while users.len() < limit && looked_at < MAX_SLOTS {
            let count = limit - users.len();
            looked_at += count;
            let (found, next) = self.users.users_from(offset, count);
            users.extend(found.filter(|(user, _)| !self.is_empty(now, *user)).map(|(user, _)| self.listed(now, user)));
            match next {
                Some(next) => offset = next,
                None => return UserList { users, next: None, generation: self.generation() },
            }
        }
        UserList { users, next: Some(offset), generation: self.generation() }
    }

    /// Returns a user in a slot who is sought.
    pub fn find_user(&self, is_sought: impl Fn(UserId) -> bool) -> Option<UserId> {
        let (users, _) = self.users.users_from(0, self.users.capacity());
        users.map(|(user, _)| user).find(|user| is_sought(*user))
    }

    fn listed(&self, now: Instant, user: UserId) -> ListedUser {
        let (sessions, has_preferred) =
            self.users.read(now, user, |user| (user.sessions().len(), user.preferred().is_some()));
        ListedUser { view: self.read(now, user), sessions, has_preferred, creator: self.creators.get(user) }
    }

    /// Applies one due transition, or the due transitions of one user's details. Reports whether more may be due.
    pub fn advance(&mut self, now: Instant) -> bool {
        let may_have_more = match self.users.advance(now) {
            Progress::Changed { user, transition } => {
                self.emptied.extend(removes_something(transition.cause()).then_some(user));
                true
            }
            Progress::Working => true,
            Progress::Idle { .. } => self.details.advance(&mut self.users, now),
        };
        self.release_emptied();
        may_have_more
    }

    /// Shifts every stored instant, after all that is due at `from` has been applied.
    ///
    /// # Errors
    ///
    /// [`OverdueError`] never comes, because nothing is due then.
    pub fn rebase(&mut self, from: Instant, to: Instant) -> Result<(), OverdueError> {
        while self.advance(from) {}
        self.users.rebase(from, to)?;
        self.details.rebase(from, to)
    }

    /// Returns the earliest deadline.
    pub fn next_deadline(&self) -> Option<Instant> {
        [self.users.next_deadline(), self.details.next_deadline()].into_iter().flatten().min()
    }

    /// Reads a user at `now`.
    pub fn read(&self, now: Instant, user: UserId) -> UserView {
        self.users.read(now, user, |found| self.view(now, user, found))
    }

    /// Explains a user's presence at `now`.
    pub fn explain(&self, now: Instant, user: UserId) -> UserExplanation {
        self.users.read(now, user, |found| UserExplanation {
            user,
            at: now,
            why: found.explain(self.users.policy()),
            absence: found.absence(),
            preferred: found.preferred(),
            sessions: found.sessions().to_vec(),
        })
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
        FullScan { users, next, cursor: self.cursor(), generation: self.generation() }
    }
}

/// Reports whether a change of this cause may leave nothing stored of a user.
const fn removes_something(cause: Cause) -> bool {
    !matches!(cause, Cause::Set | Cause::Faded | Cause::PreferredSet)
}

/// Reports whether a command stores something of a user without details.
fn stores_something(now: Instant, command: DetailsCommand<'_>) -> bool {
    let none = UserDetails::default();
    let decided = none.at(now).ok().and_then(|none| decide_details(none, command).ok());
    decided.flatten().is_some_and(|transition| transition.is_visible())
}
