//! Status messages, out of office and work locations, of those users who have any. Rules T1, W1, O1, V1.
//!
//! They are kept beside the directory: few users have any, and they are much longer than all else. A visible change counts
//! as one of the user's in the directory, so that one cursor orders all changes. The version on the wire is that of the
//! user and that of its details together; so that the sum never falls, what the directory forgets of a user is remembered
//! here as long as there is anything to tell.

use super::users::Users;
use presence_core::details::{Details, DetailsCommand, DetailsError, advance_details, decide_details};
use presence_core::directory::{Cursor, Progress};
use presence_core::graph::MAX_MESSAGE;
use presence_core::{Instant, UserId};
use std::collections::btree_map::Entry as Place;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

/// All that one user has told.
pub type Told = Details<MAX_MESSAGE>;

/// Entries without anything in them that are looked at to make room for a new one.
const LOOK_AT: usize = 16;

/// What is kept of one user.
#[derive(Debug, Default)]
pub struct Entry {
    /// The user's own version, as it was last seen.
    pub user_version: u64,
    /// What it has told; nothing if there is nothing any more. Readers share it.
    pub told: Option<Arc<Told>>,
    /// The version of what it has told, while that is nothing.
    pub version: u64,
    /// Its newest row in the journal.
    pub row: i64,
    /// Its deadline, as it stands among all of them.
    deadline: Option<Instant>,
    /// Whether it stands among those who have told nothing any more.
    is_listed: bool,
}

impl Entry {
    /// What it has told, up to date.
    pub fn at(&self, now: Instant) -> Option<Arc<Told>> {
        let told = self.told.as_ref()?;
        if told.at(now).is_ok() {
            return Some(told.clone());
        }
        let mut copy = (**told).clone();
        catch_up(&mut copy, now);
        Some(Arc::new(copy))
    }
}

/// Carries out what is overdue. Says whether anyone can see it.
fn catch_up(told: &mut Told, now: Instant) -> bool {
    let mut is_visible = false;
    while let Some(transition) = advance_details(told, now) {
        is_visible |= transition.is_visible();
        // It was made of this very state.
        if told.apply(&transition).is_err() {
            break;
        }
    }
    is_visible
}

/// What all users of a shard have told.
#[derive(Debug, Default)]
pub struct Kept {
    entries: BTreeMap<UserId, Entry>,
    deadlines: BTreeSet<(Instant, UserId)>,
    /// Those who have told nothing any more, each once; some may have told something again.
    empty: VecDeque<UserId>,
    /// Those whose records must be written anew, for the older ones would tell an older version: who was given another
    /// place in the directory, and who was forgotten.
    moved: Vec<UserId>,
    capacity: usize,
    /// Where the changes stood when there was last no room to tell of one.
    untold: Option<Cursor>,
}

impl Kept {
    /// Nothing, with room for so many users.
    pub fn new(capacity: usize) -> Self {
        Self { capacity, ..Self::default() }
    }

    /// How many users there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// What is kept of a user.
    pub fn get(&self, user: UserId) -> Option<&Entry> {
        self.entries.get(&user)
    }

    /// The same, for whoever writes it down.
    pub fn get_mut(&mut self, user: UserId) -> Option<&mut Entry> {
        self.entries.get_mut(&user)
    }

    /// Users after this one, in order.
    pub fn after(&self, user: Option<UserId>) -> impl Iterator<Item = UserId> {
        let from = user.map_or(Bound::Unbounded, Bound::Excluded);
        self.entries.range((from, Bound::Unbounded)).map(|(user, _)| *user)
    }

    /// Takes in what was kept in an earlier life.
    pub fn restore(&mut self, user: UserId, user_version: u64, told: Told, row: i64) {
        let version = told.version();
        let told = if told.is_empty() { None } else { Some(Arc::new(told)) };
        let is_listed = told.is_none();
        if is_listed {
            self.empty.push_back(user);
        }
        self.entries.insert(user, Entry { user_version, told, version, row, deadline: None, is_listed });
        self.follow(user);
    }

    /// The version of a user may have changed.
    pub fn refresh(&mut self, users: &Users, user: UserId) {
        // Nearly nobody tells anything: then this is nothing to do.
        if self.entries.contains_key(&user)
            && let Some(found) = users.get(user)
        {
            self.remember_version(user, found.version());
        }
    }

    /// The version that a user had at least.
    pub fn remember_version(&mut self, user: UserId, version: u64) {
        if let Some(entry) = self.entries.get_mut(&user) {
            entry.user_version = entry.user_version.max(version);
        }
    }

    /// Carries out a command at `now`. Says whether a record must be written.
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
    ) -> Result<bool, DetailsError> {
        self.make_room(users, user)?;
        let mut told = match self.entries.get(&user) {
            Some(entry) => {
                entry.told.as_ref().map_or_else(|| Told::starting_at(entry.version), |told| (**told).clone())
            }
            None => Told::new(),
        };
        let mut is_visible = catch_up(&mut told, now);
        // Nothing is overdue any more.
        let Ok(current) = told.at(now) else { return Err(DetailsError::NotKept) };
        let Some(transition) = decide_details(current, command)? else { return Ok(false) };
        is_visible |= transition.is_visible();
        if is_visible && let Err(full) = self.note_change(users, now, user) {
            // Who has something here already needs no more room to change it, or to take it back (rule S9).
            if self.entries.get(&user).is_none_or(|entry| entry.told.is_none()) {
                return Err(full);
            }
            self.untold = Some(users.cursor());
        }
        // It was made of this very state.
        told.apply(&transition).map_err(|_| DetailsError::NotKept)?;
        self.entries.entry(user).or_default();
        self.refresh(users, user);
        self.store(user, told);
        Ok(true)
    }

    /// Whether something changed since this cursor that there was no room to tell of: who follows changes from there must
    /// start over.
    pub fn has_untold(&self, since: Cursor) -> bool {
        self.untold.is_some_and(|untold| since.to_number() <= untold.to_number())
    }

    /// Lets one overdue thing happen. Says whether there was one.
    pub fn advance(&mut self, users: &mut Users, now: Instant) -> bool {
        let Some((_, user)) = self.deadlines.first().copied().filter(|(deadline, _)| deadline.is_due(now)) else {
            return false;
        };
        let Some(mut told) = self.entries.get(&user).and_then(|entry| entry.told.as_deref().cloned()) else {
            return false;
        };
        let is_visible = catch_up(&mut told, now);
        if is_visible && self.note_change(users, now, user).is_err() {
            // It must not keep what is due later from happening.
            self.untold = Some(users.cursor());
        }
        self.store(user, told);
        true
    }

    /// Those whose records must be written anew.
    pub fn take_moved(&mut self) -> Vec<UserId> {
        std::mem::take(&mut self.moved)
    }

    /// When something happens next.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// What is due frees its room, before a new user needs it. The directory would see to that itself, but whose version
    /// grew must be known here before anybody is forgotten.
    pub fn free_room(&mut self, users: &mut Users, now: Instant, user: UserId) {
        if users.len() < users.capacity() || users.get(user).is_some() {
            return;
        }
        loop {
            match users.advance(now) {
                Progress::Changed { user, .. } => self.refresh(users, user),
                Progress::Working => {}
                Progress::Idle { .. } => break,
            }
        }
    }

    /// Counts a change of a user in the directory, which gives it a place.
    fn note_change(&mut self, users: &mut Users, now: Instant, user: UserId) -> Result<(), DetailsError> {
        let is_new = users.get(user).is_none();
        self.free_room(users, now, user);
        users.note_change(user).map_err(|_| DetailsError::UsersFull)?;
        if is_new {
            self.moved.push(user);
        }
        self.refresh(users, user);
        Ok(())
    }

    fn store(&mut self, user: UserId, told: Told) {
        let Some(entry) = self.entries.get_mut(&user) else { return };
        entry.version = told.version();
        if told.is_empty() {
            entry.told = None;
            if !std::mem::replace(&mut entry.is_listed, true) {
                self.empty.push_back(user);
            }
        } else {
            match &mut entry.told {
                // Readers that still hold the old one keep it.
                Some(shared) => *Arc::make_mut(shared) = told,
                none => *none = Some(Arc::new(told)),
            }
        }
        self.follow(user);
    }

    /// Sees to it that the deadlines know a user's.
    fn follow(&mut self, user: UserId) {
        let Some(entry) = self.entries.get_mut(&user) else { return };
        let deadline = entry.told.as_ref().and_then(|told| told.next_deadline());
        if deadline != entry.deadline {
            if let Some(old) = entry.deadline {
                self.deadlines.remove(&(old, user));
            }
            if let Some(new) = deadline {
                self.deadlines.insert((new, user));
            }
            entry.deadline = deadline;
        }
    }

    /// Makes room for another user, if it is one: by forgetting one who has told nothing any more, and whom the directory
    /// has forgotten as well. Whoever is forgotten comes back above all the versions it could have had.
    fn make_room(&mut self, users: &mut Users, user: UserId) -> Result<(), DetailsError> {
        if self.entries.contains_key(&user) {
            return Ok(());
        }
        for _ in 0..LOOK_AT.min(self.empty.len()) {
            if self.entries.len() < self.capacity {
                break;
            }
            let Some(candidate) = self.empty.pop_front() else { break };
            let Place::Occupied(mut found) = self.entries.entry(candidate) else { continue };
            if found.get().told.is_some() {
                found.get_mut().is_listed = false;
                continue;
            }
            if users.get(candidate).is_some() {
                self.empty.push_back(candidate);
                continue;
            }
            let entry = found.remove();
            users.remember_forgotten(entry.user_version + entry.version + 1);
            self.moved.push(candidate);
        }
        if self.entries.len() < self.capacity { Ok(()) } else { Err(DetailsError::UsersFull) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::users::allocate;
    use super::*;

    #[test]
    fn who_tells_and_takes_back_for_ever_costs_no_memory() {
        let (mut users, mut kept) = (allocate(4), Kept::new(4));
        let user = "fa8bf3dc-eca7-46b7-bad1-db199b62afc3".parse().unwrap();
        for text in ["x", ""].repeat(100) {
            let command = DetailsCommand::SetStatusMessage { text, expires_at: Instant::from_millis(1000) };
            assert_eq!(kept.execute(&mut users, Instant::ZERO, user, command), Ok(true));
        }
        assert_eq!(kept.empty.len(), 1);
    }
}
