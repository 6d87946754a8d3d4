//! Pending changes: the open group, the group being written, and the users in them.

use super::commit::Commit;
use super::flusher::{Flushed, FlushedGroup, FlusherLink, Unstored};
use super::job::{ActionError, ActionOutcome, Response};
use super::journal_index::JournalIndex;
use super::state::State;
use super::users::Users;
use crate::clock::Shift;
use crate::journal::copying::CopyOrder;
use presence_core::{Instant, UserId};
use std::collections::HashSet;
use std::time::Instant as Monotonic;
use tokio::sync::oneshot::Sender;

/// The most users and responses that a group collects while the one before is written.
pub const MAX_GROUP: usize = 8192;

/// The least responses that wait before those are dropped whose clients have hung up.
const MIN_REVIEWED: usize = 64;

/// The most rows that a group overwrites, beyond those that it replaces.
pub const MAX_STALE_TEXTS: usize = 4096;

/// The changes of a shard that are not durable yet.
pub struct Pending {
    /// The link to the flusher; without one nothing is durable, and no response waits.
    flusher: Option<FlusherLink>,
    is_flushing: bool,
    /// When the first change came of the group that is being written, and of the open one.
    submitted_since: Option<Monotonic>,
    open_since: Option<Monotonic>,
    /// True if the disk has no room. Then no command is executed, so everything in memory follows from what is stored.
    is_disk_full: bool,
    /// The commit that fills.
    open: Commit,
    /// The number of waiting responses at which those are dropped whose clients have hung up.
    review_at: usize,
    spare: Commit,
    index: JournalIndex,
    /// The users whose records the open group must contain.
    dirty_users: HashSet<UserId>,
    /// The users whose details the open group must contain.
    dirty_details: HashSet<UserId>,
    /// The users with a record in the group that is being written.
    in_flight: HashSet<UserId>,
    /// The rows that hold texts and no longer count.
    stale_texts: Vec<i64>,
    /// The users that were erased since the last group. Their records are dirty, too.
    erased: HashSet<UserId>,
}

impl Pending {
    /// Creates the state in which everything is durable.
    pub fn new(flusher: Option<FlusherLink>, mut index: JournalIndex) -> Self {
        Self {
            stale_texts: std::mem::take(&mut index.stale_texts),
            flusher,
            index,
            is_flushing: false,
            submitted_since: None,
            open_since: None,
            is_disk_full: false,
            open: Commit::default(),
            review_at: MIN_REVIEWED,
            spare: Commit::default(),
            dirty_users: HashSet::new(),
            dirty_details: HashSet::new(),
            in_flight: HashSet::new(),
            erased: HashSet::new(),
        }
    }

    /// Creates the state after everything was reloaded, on a disk that has no room.
    pub fn without_room(flusher: FlusherLink, index: JournalIndex) -> Self {
        Self { is_disk_full: true, ..Self::new(Some(flusher), index) }
    }

    /// Reports whether the disk has no room.
    pub const fn is_disk_full(&self) -> bool {
        self.is_disk_full
    }

    /// Returns when the oldest change came that is not durable. One that was made since the last call has come now.
    pub fn unflushed_since(&mut self) -> Option<Monotonic> {
        if self.open_since.is_none() && !(self.dirty_users.is_empty() && self.dirty_details.is_empty()) {
            self.open_since = Some(Monotonic::now());
        }
        self.submitted_since.or(self.open_since)
    }

    /// Takes the responses that wait for the open group.
    pub fn take_responses(&mut self) -> Vec<Response> {
        std::mem::take(&mut self.open.responses)
    }

    /// Marks a user's record to be written, and that of the user it has evicted.
    pub fn mark_dirty<const SESSIONS: usize>(&mut self, users: &Users<SESSIONS>, user: UserId) {
        if self.flusher.is_some() {
            self.dirty_users.insert(user);
            self.dirty_users.extend(self.index.evicted_by(users, user));
        }
    }

    /// Follows the users of a directory to their slots in another one.
    pub fn move_slots<const SESSIONS: usize>(&mut self, from: &Users<SESSIONS>, to: &Users<SESSIONS>) {
        self.index.move_slots(from, to);
    }

    /// Marks a user as erased, so that nothing is left of its earlier records.
    pub fn mark_erased<const SESSIONS: usize>(&mut self, state: &mut State<SESSIONS>, user: UserId) {
        self.mark_changed_details(state);
        self.mark_dirty(&state.users, user);
        if self.flusher.is_some() {
            self.erased.insert(user);
        }
    }

    /// Marks both records of the users whose details have changed.
    pub fn mark_changed_details<const SESSIONS: usize>(&mut self, state: &mut State<SESSIONS>) {
        for user in state.details.take_changed() {
            self.mark_dirty(&state.users, user);
            if self.flusher.is_some() {
                self.dirty_details.insert(user);
            }
        }
        let rows = state.details.take_removed_rows();
        if self.flusher.is_some() {
            self.stale_texts.extend(rows);
        }
    }

    /// Records the shift of the state. The next group makes it durable.
    pub fn set_shift(&mut self, shift: Shift) {
        self.index.shift = shift;
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
    ///
    /// At most half of the responses that wait, beyond a few, are for clients that have hung up: their requests hold no memory
    /// any more.
    pub fn respond(&mut self, response: Response, waits: bool) {
        if waits && self.flusher.is_some() && !self.is_disk_full {
            let responses = &mut self.open.responses;
            if responses.len() >= self.review_at {
                responses.retain(|response| !response.is_abandoned());
                self.review_at = (2 * responses.len()).max(MIN_REVIEWED);
            }
            responses.push(response);
        } else {
            response.send();
        }
    }

    /// Returns the number of responses that wait for the open group.
    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        self.open.responses.len()
    }

    /// Sends the outcome of a command about a user, when what it follows from is durable.
    pub fn respond_executed(&mut self, user: UserId, to: Sender<ActionOutcome>, outcome: ActionOutcome) {
        let is_about_others = outcome.is_err_and(ActionError::is_about_others);
        let waits = self.contains(user) || is_about_others && !self.is_empty();
        self.respond(Response::Executed(to, outcome), waits);
    }

    /// Lets the flusher copy the journal, after the open group. Where it takes no groups the order is dropped, which ends the copies of
    /// all shards.
    pub fn copy(&mut self, order: Box<CopyOrder>) {
        if self.flusher.is_some() && !self.is_disk_full {
            self.open.copy = Some(order);
        }
    }

    /// Reports whether the open group has reached its limit.
    pub fn is_full(&self) -> bool {
        self.dirty_users.len() + self.dirty_details.len() + self.open.responses.len() >= MAX_GROUP
    }

    /// Takes back the submitted group if it is durable by now, and reviews the oldest rows.
    ///
    /// Returns it if there was no room for it. Then memory is ahead of the journal, and must be reloaded.
    pub fn poll_flushed<const SESSIONS: usize>(&mut self, state: &State<SESSIONS>) -> Option<Box<Unstored>> {
        let flushed = self.flusher.as_ref()?.flushed.try_recv().ok()?;
        self.finish(flushed, state)
    }

    /// Waits until the submitted group is durable, then does the same.
    pub fn wait_for_flush<const SESSIONS: usize>(&mut self, state: &State<SESSIONS>) -> Option<Box<Unstored>> {
        let flushed = self.flusher.as_ref().filter(|_| self.is_flushing)?.flushed.recv().ok()?;
        self.finish(flushed, state)
    }

    fn finish<const SESSIONS: usize>(&mut self, flushed: Flushed, state: &State<SESSIONS>) -> Option<Box<Unstored>> {
        match flushed {
            Flushed::Group(FlushedGroup { commit, oldest }) => {
                self.is_flushing = false;
                self.submitted_since = None;
                self.in_flight.clear();
                self.spare = commit;
                for stale in &oldest {
                    self.index.review(stale, state, &mut self.dirty_users, &mut self.dirty_details);
                }
                None
            }
            Flushed::Full(unstored) => Some(unstored),
            Flushed::HasRoom(metadata) => {
                self.is_disk_full = false;
                self.index.metadata = metadata;
                None
            }
        }
    }

    /// Submits the open group to the flusher, if it is not empty and the flusher is free.
    ///
    /// Reports whether everything is durable, or follows from what is, so that all changes may be published at once.
    pub fn submit<const SESSIONS: usize>(
        &mut self,
        state: &mut State<SESSIONS>,
        now: Instant,
        virtual_now: u64,
    ) -> bool {
        if self.flusher.is_none() || self.is_disk_full {
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
        let commit = &mut self.open;
        if self.dirty_users.is_empty()
            && self.dirty_details.is_empty()
            && commit.responses.is_empty()
            && commit.copy.is_none()
            && self.stale_texts.is_empty()
            && !self.index.is_shifted()
        {
            return true;
        }
        commit.expected = self.index.position();
        for user in self.erased.drain() {
            self.index.append_erased(&mut commit.group, user, now);
        }
        for user in self.dirty_users.drain() {
            self.index.append_user(&mut commit.group, state, user, now);
            self.in_flight.insert(user);
        }
        for user in self.dirty_details.drain() {
            self.index.append_details(&mut commit.group, state, user, now);
            self.in_flight.insert(user);
        }
        let count = self.stale_texts.len().min(MAX_STALE_TEXTS);
        commit.group.removed.extend(self.stale_texts.drain(..count));
        commit.first_row = self.index.first_row;
        commit.group.metadata = self.index.changed_metadata(now, virtual_now, state.users.version_floor());
        commit.review_count = self.index.review_count(state, &commit.group);
        commit.cursor = state.cursor();
        self.review_at = MIN_REVIEWED;
        self.submitted_since = self.open_since.take();
        let commit = std::mem::replace(commit, std::mem::take(&mut self.spare));
        // Sending succeeds: a flusher ends only after it has returned a group.
        self.is_flushing = link.groups.send(commit).is_ok();
        false
    }
}
