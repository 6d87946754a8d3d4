//! Pending changes: the open group, the group being written, and the users in them.

use super::flusher::FlushedGroup;
use super::group::Group;
use super::job::Response;
use super::journal_index::JournalIndex;
use super::state::State;
use super::users::Users;
use presence_core::{Instant, UserId};
use std::collections::HashSet;
use std::sync::mpsc::{Receiver, SyncSender};

/// The most users and responses that a group collects while the one before is written.
const MAX_GROUP: usize = 8192;

/// The channels to the flusher and back.
#[derive(Debug)]
pub struct FlusherLink {
    /// The channel for groups to write.
    pub groups: SyncSender<Group>,
    /// The channel for durable groups.
    pub flushed: Receiver<FlushedGroup>,
}

/// The changes of a shard that are not durable yet.
pub struct Pending {
    /// The link to the flusher; without one nothing is durable, and no response waits.
    flusher: Option<FlusherLink>,
    is_flushing: bool,
    group: Group,
    spare: Group,
    index: JournalIndex,
    /// The users whose records the open group must contain.
    dirty_users: HashSet<UserId>,
    /// The users whose details the open group must contain.
    dirty_details: HashSet<UserId>,
    /// The users with a record in the group that is being written.
    in_flight: HashSet<UserId>,
}

impl Pending {
    /// Creates the state in which everything is durable.
    pub fn new(flusher: Option<FlusherLink>, index: JournalIndex) -> Self {
        Self {
            flusher,
            index,
            is_flushing: false,
            group: Group::default(),
            spare: Group::default(),
            dirty_users: HashSet::new(),
            dirty_details: HashSet::new(),
            in_flight: HashSet::new(),
        }
    }

    /// Marks a user's record to be written, and that of the user it has evicted.
    pub fn mark_dirty(&mut self, users: &Users, user: UserId) {
        if self.flusher.is_some() {
            self.dirty_users.insert(user);
            self.dirty_users.extend(self.index.evicted_by(users, user));
        }
    }

    /// Marks both records of the users whose details have changed.
    pub fn mark_changed_details(&mut self, state: &mut State) {
        for user in state.details.take_changed() {
            self.mark_dirty(&state.users, user);
            if self.flusher.is_some() {
                self.dirty_details.insert(user);
            }
        }
    }

    /// Reports whether a change of this user is not durable yet.
    pub fn contains(&self, user: UserId) -> bool {
        self.dirty_users.contains(&user) || self.dirty_details.contains(&user) || self.in_flight.contains(&user)
    }

    /// Reports whether no change is pending.
    pub fn is_empty(&self) -> bool {
        self.dirty_users.is_empty() && self.dirty_details.is_empty() && self.in_flight.is_empty()
    }

    /// Sends a response, at once or when everything up to now is durable.
    pub fn respond(&mut self, response: Response, waits: bool) {
        if waits && self.flusher.is_some() {
            self.group.responses.push(response);
        } else {
            response.send();
        }
    }

    /// Reports whether the open group has reached its limit.
    pub fn is_full(&self) -> bool {
        self.dirty_users.len() + self.dirty_details.len() + self.group.responses.len() >= MAX_GROUP
    }

    /// Takes back the submitted group if it is durable by now, and reviews the oldest rows.
    pub fn poll_flushed(&mut self, state: &State) {
        let flushed = self.flusher.as_ref().filter(|_| self.is_flushing).and_then(|link| link.flushed.try_recv().ok());
        if let Some(flushed) = flushed {
            self.finish(flushed, state);
        }
    }

    /// Waits until the submitted group is durable, then does the same.
    pub fn wait_for_flush(&mut self, state: &State) {
        let flushed = self.flusher.as_ref().filter(|_| self.is_flushing).and_then(|link| link.flushed.recv().ok());
        if let Some(flushed) = flushed {
            self.finish(flushed, state);
        }
    }

    fn finish(&mut self, flushed: FlushedGroup, state: &State) {
        self.is_flushing = false;
        self.in_flight.clear();
        self.spare = flushed.group;
        for stale in &flushed.oldest {
            self.index.review(stale, state, &mut self.dirty_users, &mut self.dirty_details);
        }
    }

    /// Submits the open group to the flusher, if it is not empty and the flusher is free.
    ///
    /// Reports whether everything is durable, so that all changes may be published at once.
    pub fn submit(&mut self, state: &mut State, now: Instant, virtual_now: u64) -> bool {
        if self.flusher.is_none() {
            return true;
        }
        if self.is_flushing {
            return false;
        }
        self.mark_changed_details(state);
        for user in &self.dirty_details {
            state.details.advance_user(&mut state.users, now, *user);
        }
        self.mark_changed_details(state);
        let Some(link) = &self.flusher else { return true };
        let group = &mut self.group;
        if self.dirty_users.is_empty() && self.dirty_details.is_empty() && group.responses.is_empty() {
            return true;
        }
        for user in self.dirty_users.drain() {
            self.index.append_user(group, state, user, now);
            self.in_flight.insert(user);
        }
        for user in self.dirty_details.drain() {
            self.index.append_details(group, state, user, now);
            self.in_flight.insert(user);
        }
        group.metadata = self.index.changed_metadata(now, virtual_now, state.users.version_floor());
        group.journal_state = self.index.journal_state();
        group.review_count = self.index.review_count(state, group);
        group.cursor = state.users.cursor();
        let group = std::mem::replace(group, std::mem::take(&mut self.spare));
        // Sending succeeds: a flusher that fails ends the process.
        self.is_flushing = link.groups.send(group).is_ok();
        false
    }
}
