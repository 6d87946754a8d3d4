//! Status messages, out-of-office settings and work locations: the [details] of the users that have any.
//!
//! Details are stored beside the directory, because few users have any and they are much longer than everything else. A user
//! with details is pinned there, so that it keeps its slot. A visible change of details counts as a change of the user, so
//! that one cursor orders all changes. The version on the wire is the sum of the user's version and its details' version;
//! when no details are left, the user takes over their version, so that the sum never falls ([V1]).
//!
//! [details]: ../../../../../docs/behaviour.md#section-6
//! [V1]: ../../../../../docs/behaviour.md#v1

use super::users::Users;
use presence_core::details::{Details, DetailsCommand, DetailsError, next_due_details};
use presence_core::graph::{DetailsMap, TextBuffer, WithDetails};
use presence_core::{Instant, OverdueError, UserId};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The details of one user.
pub type UserDetails = Details<{ TextBuffer::CAPACITY }>;

/// The stored details of one user.
#[derive(Debug, Default)]
struct Entry {
    /// The details, which readers share.
    details: Arc<UserDetails>,
    /// Their newest row in the journal.
    newest_row: i64,
    /// Their deadline, as it is in [`DetailsStore::deadlines`].
    deadline: Option<Instant>,
}

/// The details of a shard's users.
#[derive(Debug, Default)]
pub struct DetailsStore {
    entries: HashMap<UserId, Entry>,
    deadlines: BTreeSet<(Instant, UserId)>,
    /// The users whose records must be written.
    changed: Vec<UserId>,
    /// The users whose details were removed.
    removed: Vec<UserId>,
    /// The newest rows of removed details.
    removed_rows: Vec<i64>,
}

impl DetailsStore {
    /// Returns the number of users with details.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns a user's details as they are stored.
    pub fn get(&self, user: UserId) -> Option<&UserDetails> {
        self.entries.get(&user).map(|entry| &*entry.details)
    }

    /// Returns a user's details at `now`. They may be empty but for their version.
    pub fn read(&self, now: Instant, user: UserId) -> Option<Arc<UserDetails>> {
        let mut details = self.entries.get(&user)?.details.clone();
        while let Some(transition) = next_due_details(&details, now) {
            // Applying succeeds, because the transition was decided on this very state.
            if Arc::make_mut(&mut details).apply(&transition).is_err() {
                break;
            }
        }
        Some(details)
    }

    /// Returns the newest row of a user's details.
    pub fn newest_row(&self, user: UserId) -> Option<i64> {
        self.entries.get(&user).map(|entry| entry.newest_row)
    }

    /// Records the newest row of a user's details.
    pub fn set_newest_row(&mut self, user: UserId, row: i64) {
        if let Some(entry) = self.entries.get_mut(&user) {
            entry.newest_row = row;
        }
    }

    /// Restores a user's details from its newest row, which holds them as they are.
    ///
    /// # Errors
    ///
    /// [`DetailsError::UsersFull`] if the directory has no slot for the user.
    pub fn restore<const SESSIONS: usize>(
        &mut self,
        users: &mut Users<SESSIONS>,
        user: UserId,
        details: UserDetails,
        row: i64,
    ) -> Result<(), DetailsError> {
        let changed = self.changed.len();
        self.with_directory(users).insert(user, details)?;
        self.set_newest_row(user, row);
        // The journal has them already.
        self.changed.truncate(changed);
        Ok(())
    }

    /// Restores a user whose details have expired, after its own record: it takes over their version.
    ///
    /// # Errors
    ///
    /// [`DetailsError::UsersFull`] if the user has no slot.
    pub fn restore_expired<const SESSIONS: usize>(
        &mut self,
        users: &mut Users<SESSIONS>,
        user: UserId,
        version: u64,
    ) -> Result<(), DetailsError> {
        self.with_directory(users).insert(user, UserDetails::with_version(version))
    }

    /// Marks a user of whom both records must be written.
    pub fn mark_changed(&mut self, user: UserId) {
        self.changed.push(user);
    }

    /// Erases a user's details. That is a visible change, which is counted here unless it `is_counted` elsewhere.
    pub fn erase<const SESSIONS: usize>(
        &mut self,
        users: &mut Users<SESSIONS>,
        now: Instant,
        user: UserId,
        is_counted: bool,
    ) {
        self.advance_user(users, now, user);
        if let Some(version) = self.get(user).map(UserDetails::version) {
            let version = version.saturating_add((!is_counted).into());
            // The user has a slot, because it has details.
            let _ = self.with_directory(users).insert(user, UserDetails::with_version(version));
        }
    }

    /// Executes a command at `now`.
    ///
    /// # Errors
    ///
    /// Those of the command's decision. Then only due transitions have been applied.
    pub fn execute<const SESSIONS: usize>(
        &mut self,
        users: &mut Users<SESSIONS>,
        now: Instant,
        user: UserId,
        command: DetailsCommand<'_>,
    ) -> Result<(), DetailsError> {
        self.make_vacancy(users, now, user);
        self.with_directory(users).update_details(now, user, command, &mut |_, _| {})
    }

    /// Applies the due transitions of the user with the earliest deadline. Reports whether there were any.
    pub fn advance<const SESSIONS: usize>(&mut self, users: &mut Users<SESSIONS>, now: Instant) -> bool {
        let first = self.deadlines.first().copied().filter(|(deadline, _)| deadline.is_due(now));
        first.is_some_and(|(_, user)| self.advance_user(users, now, user))
    }

    /// Applies the due transitions of a user. Reports whether there were any.
    pub fn advance_user<const SESSIONS: usize>(
        &mut self,
        users: &mut Users<SESSIONS>,
        now: Instant,
        user: UserId,
    ) -> bool {
        self.with_directory(users).advance_details_of(now, user)
    }

    /// Takes the users of whom both records must be written. Pinning and unpinning change the user's own record too.
    pub fn take_changed(&mut self) -> Vec<UserId> {
        std::mem::take(&mut self.changed)
    }

    /// Takes the users whose details were removed.
    pub fn take_removed(&mut self) -> Vec<UserId> {
        std::mem::take(&mut self.removed)
    }

    /// Takes the newest rows of removed details, which hold texts.
    pub fn take_removed_rows(&mut self) -> Vec<i64> {
        std::mem::take(&mut self.removed_rows)
    }

    /// Returns the earliest deadline.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// Shifts every stored instant. Needs no new record, because a record holds no instant but its own.
    ///
    /// # Errors
    ///
    /// [`OverdueError`] while something is due at `from`.
    pub fn rebase(&mut self, from: Instant, to: Instant) -> Result<(), OverdueError> {
        for entry in self.entries.values_mut() {
            Arc::make_mut(&mut entry.details).rebase(from, to)?;
            entry.deadline = entry.details.next_deadline();
        }
        let deadlines = self.entries.iter().filter_map(|(user, entry)| Some((entry.deadline?, *user)));
        self.deadlines = deadlines.collect();
        Ok(())
    }

    /// Applies all due transitions if the directory is full and `user` is new to it.
    ///
    /// Expired details free slots. The directory applies its own due transitions when it needs a slot ([S9]).
    ///
    /// [S9]: ../../../../../docs/behaviour.md#s9
    pub fn make_vacancy<const SESSIONS: usize>(&mut self, users: &mut Users<SESSIONS>, now: Instant, user: UserId) {
        if users.len() == users.capacity() && users.get(user).is_none() {
            while self.advance(users, now) {}
        }
    }

    /// Returns the library's store of a directory and these details.
    fn with_directory<'a, const SESSIONS: usize>(
        &'a mut self,
        users: &'a mut Users<SESSIONS>,
    ) -> WithDetails<&'a mut Users<SESSIONS>, &'a mut Self, { TextBuffer::CAPACITY }> {
        WithDetails::new(users, self)
    }

    /// Schedules a user's details by their current deadline.
    fn schedule(&mut self, user: UserId) {
        let Some(entry) = self.entries.get_mut(&user) else { return };
        let deadline = entry.details.next_deadline();
        let earlier = std::mem::replace(&mut entry.deadline, deadline);
        if deadline != earlier {
            earlier.map(|earlier| self.deadlines.remove(&(earlier, user)));
            deadline.map(|new| self.deadlines.insert((new, user)));
        }
    }
}

impl DetailsMap<{ TextBuffer::CAPACITY }> for DetailsStore {
    fn get(&self, user: UserId) -> Option<&UserDetails> {
        Self::get(self, user)
    }

    /// Returns details to change; readers that share them keep an unchanged copy.
    fn get_or_insert(&mut self, user: UserId) -> Option<&mut UserDetails> {
        Some(Arc::make_mut(&mut self.entries.entry(user).or_default().details))
    }

    fn remove(&mut self, user: UserId) {
        let Some(entry) = self.entries.remove(&user) else { return };
        if let Some(deadline) = entry.deadline {
            self.deadlines.remove(&(deadline, user));
        }
        self.removed.push(user);
        self.removed_rows.extend((entry.newest_row != 0).then_some(entry.newest_row));
        // Details of revision 0 were inserted for a command that changed nothing.
        if entry.details.revision() > 0 {
            self.changed.push(user);
        }
    }

    fn next_deadline(&self) -> Option<(Instant, UserId)> {
        self.deadlines.first().copied()
    }

    fn record_change(&mut self, user: UserId) {
        self.schedule(user);
        self.changed.push(user);
    }
}
