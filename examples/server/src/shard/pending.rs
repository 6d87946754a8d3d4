//! What is not durable yet: the group that is open, the one that is being written, and whose records they hold.

use super::flusher::Done;
use super::group::Group;
use super::job::Answer;
use super::journal_index::Book;
use super::state::State;
use super::users::Users;
use presence_core::{Instant, UserId};
use std::collections::HashSet;
use std::sync::mpsc::{Receiver, SyncSender};

/// Most users and answers that a group collects while the one before is written.
const MAX_GROUP: usize = 8192;

/// The way to the flusher and back.
#[derive(Debug)]
pub struct Disk {
    /// Takes a group.
    pub groups: SyncSender<Group>,
    /// Gives it back.
    pub done: Receiver<Done>,
}

/// What is not durable yet.
pub struct Pending {
    /// Without one nothing is durable, and nobody waits for it.
    disk: Option<Disk>,
    is_flushing: bool,
    group: Group,
    spare: Group,
    book: Book,
    /// Whose records the open group will have, and whose the one has that is being written.
    touched: HashSet<UserId>,
    told: HashSet<UserId>,
    in_flight: HashSet<UserId>,
}

impl Pending {
    /// Everything is durable.
    pub fn new(disk: Option<Disk>, book: Book) -> Self {
        Self {
            disk,
            book,
            is_flushing: false,
            group: Group::default(),
            spare: Group::default(),
            touched: HashSet::new(),
            told: HashSet::new(),
            in_flight: HashSet::new(),
        }
    }

    /// A user's record must be written.
    pub fn touch(&mut self, users: &Users, user: UserId) {
        if self.disk.is_some() {
            self.touched.insert(user);
            self.touched.extend(self.book.lost_to(users, user));
        }
    }

    /// Both records must be written of those who tell something else.
    pub fn touch_changed(&mut self, state: &mut State) {
        for user in state.kept.take_changed() {
            self.touch(&state.users, user);
            if self.disk.is_some() {
                self.told.insert(user);
            }
        }
    }

    /// Whether something of a user is not durable.
    pub fn has(&self, user: UserId) -> bool {
        self.touched.contains(&user) || self.told.contains(&user) || self.in_flight.contains(&user)
    }

    /// Whether anything is not durable.
    pub fn has_any(&self) -> bool {
        !self.touched.is_empty() || !self.told.is_empty() || !self.in_flight.is_empty()
    }

    /// Sends an answer, after everything so far is durable if it must wait.
    pub fn answer(&mut self, answer: Answer, waits: bool) {
        if waits && self.disk.is_some() {
            self.group.answers.push(answer);
        } else {
            answer.send();
        }
    }

    /// Whether the open group should not grow any more.
    pub fn is_full(&self) -> bool {
        self.touched.len() + self.told.len() + self.group.answers.len() >= MAX_GROUP
    }

    /// Takes a group back if it is durable, and sees which of the oldest rows still count.
    pub fn discard_last(&mut self, state: &State) {
        let done = self.disk.as_ref().filter(|_| self.is_flushing).and_then(|disk| disk.done.try_recv().ok());
        if let Some(done) = done {
            self.is_done(done, state);
        }
    }

    /// Waits until the group that is being written is durable.
    pub fn wait(&mut self, state: &State) {
        let done = self.disk.as_ref().filter(|_| self.is_flushing).and_then(|disk| disk.done.recv().ok());
        if let Some(done) = done {
            self.is_done(done, state);
        }
    }

    fn is_done(&mut self, done: Done, state: &State) {
        self.is_flushing = false;
        self.in_flight.clear();
        self.spare = done.group;
        for old in &done.oldest {
            self.book.look_at_old(old, state, &mut self.touched, &mut self.told);
        }
    }

    /// Hands the open group to the flusher, if there is anything in it and the flusher is free. Says whether everything
    /// is durable, so that all that changed may be told at once.
    pub fn hand_over(&mut self, state: &mut State, now: Instant, virtual_now: u64) -> bool {
        if self.disk.is_none() {
            return true;
        }
        if self.is_flushing {
            return false;
        }
        self.touch_changed(state);
        for user in &self.told {
            state.kept.catch_up(&mut state.users, now, *user);
        }
        self.touch_changed(state);
        let Some(disk) = &self.disk else { return true };
        let group = &mut self.group;
        if self.touched.is_empty() && self.told.is_empty() && group.answers.is_empty() {
            return true;
        }
        for user in self.touched.drain() {
            self.book.append_user(group, state, user, now);
            self.in_flight.insert(user);
        }
        for user in self.told.drain() {
            self.book.append_told(group, state, user, now);
            self.in_flight.insert(user);
        }
        group.marks = self.book.changed_marks(now, virtual_now, state.users.version_floor());
        group.rest = self.book.rest();
        group.look_at = self.book.look_at(state, group);
        group.cursor = state.users.cursor();
        let group = std::mem::replace(group, std::mem::take(&mut self.spare));
        // The flusher ends the process rather than go away.
        self.is_flushing = disk.groups.send(group).is_ok();
        false
    }
}
