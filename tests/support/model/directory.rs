//! Many users in few slots, as the rules say.

use super::user::User;
use super::{Happening, Millis, Rules, millis};
use presence_core::{ApplyError, Command, CommandError};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug)]
pub struct Directory {
    pub rules: Rules,
    /// The number of users that fit, and of sessions of each. Rule S9.
    pub slots: usize,
    pub sessions: usize,
    pub users: BTreeMap<u8, User>,
    /// The version and the revision of every user whose record was reused. Rules M5, V1, V2.
    pub evicted: BTreeMap<u8, (u64, u64)>,
    /// The user who got a slot last, until the test has looked at it.
    pub new_user: Option<u8>,
    /// The pinned users. Rule M5.
    pub pinned: BTreeSet<u8>,
}

/// The effect of a command: everything that happened, in order, and the result.
pub type Outcome = (Vec<(u8, Happening)>, Result<(), CommandError>);

impl Directory {
    pub fn new(rules: Rules, slots: usize, sessions: usize) -> Self {
        Self {
            rules,
            slots,
            sessions,
            users: BTreeMap::new(),
            evicted: BTreeMap::new(),
            new_user: None,
            pinned: BTreeSet::new(),
        }
    }

    pub fn next_deadline(&self) -> Option<Millis> {
        self.users.values().filter_map(|user| user.next_deadline(&self.rules)).min()
    }

    /// The first thing that is due for anyone: by deadline, then user id. Rule S8.
    pub fn carry_out_next(&mut self, now: Millis) -> Option<(u8, Happening)> {
        let deadline_of = |(&id, user): (&u8, &User)| Some((user.next_deadline(&self.rules)?, id));
        let (_, id) = self.users.iter().filter_map(deadline_of).min()?;
        Some((id, self.users.get_mut(&id)?.carry_out_next(&self.rules, now)?))
    }

    pub fn advance(&mut self, now: Millis) -> Vec<(u8, Happening)> {
        std::iter::from_fn(|| self.carry_out_next(now)).collect()
    }

    /// A command of an application under a policy of its own, or under the directory's.
    pub fn command(&mut self, now: Millis, id: u8, command: Command<u8>, own: Option<&Rules>) -> Outcome {
        let (rules, sessions) = (self.rules.clone(), self.sessions);
        let own = own.unwrap_or(&rules);
        if let Some(user) = self.users.get_mut(&id) {
            // Rule S8: what is due at `now` happens before a command at `now`.
            let mut happened: Vec<_> = user.advance(&rules, now).into_iter().map(|event| (id, event)).collect();
            let result = user.command_under(&rules, own, sessions, now, command);
            happened.extend(result.ok().flatten().map(|event| (id, event)));
            return (happened, result.map(drop));
        }
        let mut fresh = User::default();
        let own = match fresh.command_under(&rules, own, sessions, now, command) {
            Err(error) => return (Vec::new(), Err(error)),
            Ok(None) => return (Vec::new(), Ok(())),
            Ok(Some(own)) => own,
        };
        let mut happened = self.advance_if_full(now);
        if !self.occupy(id, fresh) {
            return (happened, Err(CommandError::UsersFull));
        }
        happened.push((id, own));
        (happened, Ok(()))
    }

    /// Rule S9: due transitions are applied first.
    fn advance_if_full(&mut self, now: Millis) -> Vec<(u8, Happening)> {
        if self.users.len() == self.slots { self.advance(now) } else { Vec::new() }
    }

    /// Gives a new user a slot, if there is one.
    fn occupy(&mut self, id: u8, user: User) -> bool {
        if self.users.len() == self.slots {
            // Rule M5: only the record of a user with nothing stored, here or elsewhere, is reused, that of the longest so.
            let empty = self.users.iter().filter(|(id, user)| user.is_empty() && !self.pinned.contains(id));
            let since = |user: &User| user.since().map_or(0, millis);
            let Some((_, old)) = empty.map(|(id, user)| (since(user), *id)).min() else { return false };
            let evicted = self.users.remove(&old).expect("it has a slot");
            self.evicted.insert(old, (evicted.version, evicted.revision));
        }
        self.new_user = Some(id);
        self.users.insert(id, user);
        true
    }

    /// Pins a user. Rules M5, S9.
    pub fn pin(&mut self, now: Millis, id: u8) -> (Vec<(u8, Happening)>, Result<(), ApplyError>) {
        let mut happened = Vec::new();
        if !self.users.contains_key(&id) {
            happened = self.advance_if_full(now);
            if !self.occupy(id, User::default()) {
                return (happened, Err(ApplyError::Full));
            }
        }
        self.pinned.insert(id);
        (happened, Ok(()))
    }

    /// And no more; what changed there counts here. Rules M5, V1, V2.
    pub fn unpin(&mut self, id: u8, changes: u64) {
        let Some(user) = self.users.get_mut(&id) else { return };
        self.pinned.remove(&id);
        user.version += changes;
        user.revision += changes;
    }

    /// Erases a user: what is due comes first. Returns whether anything could be seen of it; `None` without a slot. Rules S8, V1.
    pub fn erase(&mut self, now: Millis, id: u8) -> Option<(Vec<(u8, Happening)>, bool)> {
        let user = self.users.get_mut(&id)?;
        let happened = user.advance(&self.rules, now).into_iter().map(|event| (id, event)).collect();
        Some((happened, user.erase(&self.rules)))
    }

    /// Rule C2.
    pub fn shift(&mut self, by: Millis) {
        self.users.values_mut().for_each(|user| user.shift(&self.rules, by));
    }

    /// A user as it reads at a moment; one without a slot reads like a new one. Rule M5.
    pub fn read(&self, id: u8, now: Millis) -> User {
        self.users.get(&id).map_or_else(User::default, |user| user.advanced(&self.rules, now))
    }
}
