//! Status messages, out of office and work locations, of those users who have any. Rules T1, W1, O1, V1.
//!
//! They are kept beside the directory: few users have any, and they are much longer than all else. Whoever has something
//! here is held there, so that it has a place; a visible change counts as one of the user's, so that one cursor orders all
//! changes. The version on the wire is that of the user and that of its details together; when nothing is left here, the
//! user takes over the version, so that the sum never falls.

use super::users::Users;
use presence_core::details::{Details, DetailsCommand, DetailsError, decide_details, next_due_details};
use presence_core::graph::TextBuffer;
use presence_core::{Instant, UserId};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// All that one user has told.
pub type Told = Details<{ TextBuffer::CAPACITY }>;

/// What is kept of one user.
#[derive(Debug)]
struct Entry {
    /// What it has told. Readers share it.
    told: Arc<Told>,
    /// Its newest row in the journal.
    row: i64,
    /// Its deadline, as it stands among all of them.
    deadline: Option<Instant>,
}

/// What all users of a shard have told.
#[derive(Debug, Default)]
pub struct Kept {
    /// Those who have told something.
    entries: HashMap<UserId, Entry>,
    deadlines: BTreeSet<(Instant, UserId)>,
    /// Those whose records must be written.
    changed: Vec<UserId>,
}

impl Kept {
    /// How many users there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// What a user has told, as it is stored.
    pub fn get(&self, user: UserId) -> Option<&Told> {
        self.entries.get(&user).map(|entry| &*entry.told)
    }

    /// What a user has told, up to date: there may be nothing left of it but a version.
    pub fn read(&self, now: Instant, user: UserId) -> Option<Arc<Told>> {
        let mut told = self.entries.get(&user)?.told.clone();
        while let Some(transition) = next_due_details(&told, now) {
            // It was made of this very state.
            if Arc::make_mut(&mut told).apply(&transition).is_err() {
                break;
            }
        }
        Some(told)
    }

    /// The newest row of what a user has told.
    pub fn row(&self, user: UserId) -> Option<i64> {
        self.entries.get(&user).map(|entry| entry.row)
    }

    /// This is the newest row of what a user has told.
    pub fn note_row(&mut self, user: UserId, row: i64) {
        if let Some(entry) = self.entries.get_mut(&user) {
            entry.row = row;
        }
    }

    /// Takes in what was kept in an earlier life.
    ///
    /// # Errors
    ///
    /// [`DetailsError::UsersFull`] if there is no place for its user.
    pub fn restore(&mut self, users: &mut Users, user: UserId, told: Told, row: i64) -> Result<(), DetailsError> {
        // Nobody's time has begun yet: nothing is due.
        users.pin(Instant::ZERO, user, |_, _| {}).map_err(|_| DetailsError::UsersFull)?;
        self.store(user, told);
        self.note_row(user, row);
        Ok(())
    }

    /// Of a user from an earlier life, nothing is left of what it told but so many changes.
    pub fn restore_changes(&mut self, users: &mut Users, user: UserId, changes: u64) {
        users.unpin(user, changes);
        self.changed.push(user);
    }

    /// Carries out a command at `now`.
    ///
    /// # Errors
    ///
    /// Those of the command's decision. Nothing has changed then, but for what time did.
    pub fn execute(
        &mut self,
        users: &mut Users,
        now: Instant,
        user: UserId,
        command: DetailsCommand<'_>,
    ) -> Result<(), DetailsError> {
        self.catch_up(users, now, user);
        let mut told = self.get(user).map_or(const { Told::new() }, Told::clone);
        // Nothing is overdue any more.
        let Ok(current) = told.at(now) else { return Err(DetailsError::Unsupported) };
        let Some(transition) = decide_details(current, command)? else { return Ok(()) };
        let is_visible = transition.is_visible();
        // It was made of this very state.
        told.apply(&transition).map_err(|_| DetailsError::Unsupported)?;
        if !self.entries.contains_key(&user) {
            if told.is_empty() {
                return Ok(());
            }
            self.free_room(users, now, user);
            users.pin(now, user, |_, _| {}).map_err(|_| DetailsError::UsersFull)?;
        }
        self.settle(users, user, told, is_visible);
        Ok(())
    }

    /// Lets what is due of one user happen. Says whether there was anyone.
    pub fn advance(&mut self, users: &mut Users, now: Instant) -> bool {
        let first = self.deadlines.first().copied().filter(|(deadline, _)| deadline.is_due(now));
        first.is_some_and(|(_, user)| self.catch_up(users, now, user))
    }

    /// Lets what is due of this user happen. Says whether there was anything.
    pub fn catch_up(&mut self, users: &mut Users, now: Instant, user: UserId) -> bool {
        let mut is_changed = false;
        while let Some(entry) = self.entries.get(&user)
            && let Some(transition) = next_due_details(&entry.told, now)
        {
            let mut told = (*entry.told).clone();
            // It was made of this very state.
            if told.apply(&transition).is_err() {
                break;
            }
            self.settle(users, user, told, transition.is_visible());
            is_changed = true;
        }
        is_changed
    }

    /// Those whose records must be written, both of them: who was held or released has another version there.
    pub fn take_changed(&mut self) -> Vec<UserId> {
        std::mem::take(&mut self.changed)
    }

    /// When something happens next.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// What is due here frees its room, before a new user needs it (rule S9). The directory sees to what is due there.
    pub fn free_room(&mut self, users: &mut Users, now: Instant, user: UserId) {
        if users.len() == users.capacity() && users.get(user).is_none() {
            while self.advance(users, now) {}
        }
    }

    /// This is what a user who is held has told from now on.
    fn settle(&mut self, users: &mut Users, user: UserId, told: Told, is_visible: bool) {
        if is_visible {
            users.record_external_change(user);
        }
        if told.is_empty() {
            users.unpin(user, told.version());
            if let Some(old) = self.entries.remove(&user).and_then(|entry| entry.deadline) {
                self.deadlines.remove(&(old, user));
            }
        } else {
            self.store(user, told);
        }
        self.changed.push(user);
    }

    fn store(&mut self, user: UserId, told: Told) {
        let deadline = told.next_deadline();
        let told = Arc::new(told);
        let entry = self.entries.entry(user).or_insert_with(|| Entry { told: told.clone(), row: 0, deadline: None });
        // Readers that still hold the old one keep it.
        entry.told = told;
        let old = std::mem::replace(&mut entry.deadline, deadline);
        if deadline != old {
            old.map(|old| self.deadlines.remove(&(old, user)));
            deadline.map(|new| self.deadlines.insert((new, user)));
        }
    }
}
