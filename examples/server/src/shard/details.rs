//! Status messages, out-of-office settings and work locations: the [details] of the users that have any.
//!
//! Details are stored beside the directory, because few users have any and they are much longer than everything else. A user
//! with details is pinned there, so that it keeps its slot. A visible change of details counts as a change of the user, so
//! that one cursor orders all changes. The version on the wire is the sum of the user's version and its details' version;
//! when no details are left, the user takes over their version, so that the sum never falls ([V1]).
//!
//! [details]: ../../../../docs/behaviour.md#section-6
//! [V1]: ../../../../docs/behaviour.md#v1

use super::users::Users;
use presence_core::details::{Details, DetailsCommand, DetailsError, decide_details, next_due_details};
use presence_core::graph::TextBuffer;
use presence_core::{Instant, UserId};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The details of one user.
pub type UserDetails = Details<{ TextBuffer::CAPACITY }>;

/// The stored details of one user.
#[derive(Debug)]
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

    /// Restores a user's details from its newest row.
    ///
    /// # Errors
    ///
    /// [`DetailsError::UsersFull`] if the directory has no slot for the user.
    pub fn restore(
        &mut self,
        users: &mut Users,
        user: UserId,
        details: UserDetails,
        row: i64,
    ) -> Result<(), DetailsError> {
        // Before the start of time, so that pinning applies nothing.
        users.pin(Instant::ZERO, user, |_, _| {}).map_err(|_| DetailsError::UsersFull)?;
        self.store(user, details);
        self.set_newest_row(user, row);
        Ok(())
    }

    /// Restores a user whose details have expired: it takes over their version.
    pub fn restore_expired(&mut self, users: &mut Users, user: UserId, version: u64) {
        users.unpin(user, version);
        self.changed.push(user);
    }

    /// Executes a command at `now`.
    ///
    /// # Errors
    ///
    /// Those of the command's decision. Then only due transitions have been applied.
    pub fn execute(
        &mut self,
        users: &mut Users,
        now: Instant,
        user: UserId,
        command: DetailsCommand<'_>,
    ) -> Result<(), DetailsError> {
        self.advance_user(users, now, user);
        let mut details = self.get(user).map_or(const { UserDetails::new() }, UserDetails::clone);
        // Nothing is overdue any more.
        let Ok(current) = details.at(now) else { return Err(DetailsError::Unsupported) };
        let Some(transition) = decide_details(current, command)? else { return Ok(()) };
        let is_visible = transition.is_visible();
        // Applying succeeds, because the transition was decided on this very state.
        details.apply(&transition).map_err(|_| DetailsError::Unsupported)?;
        if !self.entries.contains_key(&user) {
            if details.is_empty() {
                return Ok(());
            }
            self.make_vacancy(users, now, user);
            users.pin(now, user, |_, _| {}).map_err(|_| DetailsError::UsersFull)?;
        }
        self.update(users, user, details, is_visible);
        Ok(())
    }

    /// Applies the due transitions of the user with the earliest deadline. Reports whether there were any.
    pub fn advance(&mut self, users: &mut Users, now: Instant) -> bool {
        let first = self.deadlines.first().copied().filter(|(deadline, _)| deadline.is_due(now));
        first.is_some_and(|(_, user)| self.advance_user(users, now, user))
    }

    /// Applies the due transitions of a user. Reports whether there were any.
    pub fn advance_user(&mut self, users: &mut Users, now: Instant, user: UserId) -> bool {
        let mut is_changed = false;
        while let Some(entry) = self.entries.get(&user)
            && let Some(transition) = next_due_details(&entry.details, now)
        {
            let mut details = (*entry.details).clone();
            // Applying succeeds, because the transition was decided on this very state.
            if details.apply(&transition).is_err() {
                break;
            }
            self.update(users, user, details, transition.is_visible());
            is_changed = true;
        }
        is_changed
    }

    /// Takes the users whose records must be written, both records of each: pinning and unpinning change the user's version.
    pub fn take_changed(&mut self) -> Vec<UserId> {
        std::mem::take(&mut self.changed)
    }

    /// Returns the earliest deadline.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// Applies all due transitions if the directory is full and `user` is new to it, since expired details free slots.
    ///
    /// The directory applies its own due transitions when it needs a slot ([S9](../../../../docs/behaviour.md#s9)).
    pub fn make_vacancy(&mut self, users: &mut Users, now: Instant, user: UserId) {
        if users.len() == users.capacity() && users.get(user).is_none() {
            while self.advance(users, now) {}
        }
    }

    /// Replaces the details of a pinned user, and unpins it if none are left.
    fn update(&mut self, users: &mut Users, user: UserId, details: UserDetails, is_visible: bool) {
        if is_visible {
            users.record_external_change(user);
        }
        if details.is_empty() {
            users.unpin(user, details.version());
            if let Some(deadline) = self.entries.remove(&user).and_then(|entry| entry.deadline) {
                self.deadlines.remove(&(deadline, user));
            }
        } else {
            self.store(user, details);
        }
        self.changed.push(user);
    }

    /// Stores details and schedules their deadline. Readers that share earlier details keep them.
    fn store(&mut self, user: UserId, details: UserDetails) {
        let deadline = details.next_deadline();
        let details = Arc::new(details);
        let new = || Entry { details: details.clone(), newest_row: 0, deadline: None };
        let entry = self.entries.entry(user).or_insert_with(new);
        entry.details = details;
        let earlier = std::mem::replace(&mut entry.deadline, deadline);
        if deadline != earlier {
            earlier.map(|earlier| self.deadlines.remove(&(earlier, user)));
            deadline.map(|new| self.deadlines.insert((new, user)));
        }
    }
}
