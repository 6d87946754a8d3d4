//! Many users in few places, as the rules say.

use super::user::User;
use super::{Happening, Millis, Rules};
use presence_core::{Command, CommandError};
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
pub struct Directory {
    pub rules: Rules,
    /// How many users, and how many sessions each, there is room for. Rule S9.
    pub places: usize,
    pub sessions: usize,
    pub users: BTreeMap<u8, User>,
    /// The version of every user whose record was reused. Rules M5, V1.
    pub forgotten: BTreeMap<u8, u64>,
    /// Whose record was reused last, and for whom, until the test has looked at it.
    pub reused: Option<u8>,
}

/// What a command did: everything that happened, in order, and the answer.
pub type Outcome = (Vec<(u8, Happening)>, Result<(), CommandError>);

impl Directory {
    pub fn new(rules: Rules, places: usize, sessions: usize) -> Self {
        Self { rules, places, sessions, users: BTreeMap::new(), forgotten: BTreeMap::new(), reused: None }
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

    pub fn command(&mut self, now: Millis, id: u8, command: Command<u8>) -> Outcome {
        let (rules, room) = (self.rules.clone(), self.sessions);
        if let Some(user) = self.users.get_mut(&id) {
            // Rule S8: what is due at `now` happens before a command at `now`.
            let mut happened: Vec<_> = user.advance(&rules, now).into_iter().map(|event| (id, event)).collect();
            let answer = user.command(&rules, room, now, command);
            happened.extend(answer.ok().flatten().map(|event| (id, event)));
            return (happened, answer.map(drop));
        }
        let mut fresh = User::new();
        let own = match fresh.command(&rules, room, now, command) {
            Err(refused) => return (Vec::new(), Err(refused)),
            Ok(None) => return (Vec::new(), Ok(())),
            Ok(Some(own)) => own,
        };
        let mut happened = Vec::new();
        if self.users.len() == self.places {
            // Rule S9: what is due frees its room first.
            happened = self.advance(now);
            // Rule M5: only the record of a user with nothing stored is reused, that of the longest unchanged.
            let empty = self.users.iter().filter(|(_, user)| user.is_empty());
            let Some((_, old)) = empty.map(|(id, user)| (user.since().unwrap_or_default(), *id)).min() else {
                return (happened, Err(CommandError::UsersFull));
            };
            let old_version = self.users.remove(&old).map(|user| user.version);
            self.forgotten.insert(old, old_version.unwrap());
            self.reused = Some(id);
        }
        self.users.insert(id, fresh);
        happened.push((id, own));
        (happened, Ok(()))
    }

    /// A user as it reads at a moment; one never heard of, or forgotten, reads like a new one. Rule M5.
    pub fn read(&self, id: u8, now: Millis) -> User {
        self.users.get(&id).map_or_else(User::new, |user| user.advanced(&self.rules, now))
    }
}
