//! One step of the directory and one of the rules, compared.

use super::expected::{Expected, OneSession};
use super::{About, Decided, FewUsers, State};
use crate::broken::{Broken, Rule};
use crate::one_user::event;
use crate::rules::Event;
use presence_core::directory::{DecideError, Progress};
use presence_core::{ApplyError, Command, CommandError, Instant, Transition};

impl<const USERS: usize, const SLOTS: usize> FewUsers<USERS, SLOTS> {
    pub(super) fn execute(&self, state: &mut State<USERS, SLOTS>, user: u8, command: Command<u8>) {
        let stored = |state: &State<USERS, SLOTS>| {
            let users: [_; USERS] = std::array::from_fn(|id| state.directory.get(id as u8).cloned());
            (users, state.directory.cursor())
        };
        let before = stored(state);
        let mut chain = Chain::of(&state.expected);
        let mut said: Vec<(u8, Event)> = Vec::new();
        let result = state.directory.execute(state.now(), user, command, &mut |id, transition| {
            chain.add(id, transition);
            said.push((id, event(transition)));
        });
        let expected = state.expected.command(&self.numbers, state.now, user, command);
        state.broken.unless(said == expected.happened, Rule::S8);
        let rule = if result == Err(CommandError::UsersFull) { Rule::S9 } else { Rule::S7 };
        state.broken.unless(result == expected.result, rule);
        // What is due happens before, and is observed; the rejected command itself does nothing.
        let is_rejected_at_once = result.is_err() && said.is_empty();
        state.broken.unless(!is_rejected_at_once || stored(state) == before, Rule::S7);
        if let Some(id) = expected.new_user {
            state.adopt(id);
        }
        chain.look(&state.expected, expected.new_user, &mut state.broken);
    }

    /// Decides, and remembers the decision; returns `None` if there is none.
    pub(super) fn decide(&self, state: &mut State<USERS, SLOTS>, user: u8, command: Command<u8>) -> Option<()> {
        let transition = state.directory.decide(state.now(), user, command).ok()??;
        let about = match state.expected.person(user) {
            Some(person) => About::User(person.revision),
            None => About::NewUser(state.expected.vacancy()?),
        };
        state.decided = Some(Decided { user, command, transition, about });
        Some(())
    }

    /// Applies a decision made some time ago: only if nothing has happened to its user in between.
    pub(super) fn apply(&self, state: &mut State<USERS, SLOTS>) {
        let Some(Decided { user, command, transition, about }) = state.decided.take() else { return };
        let index = usize::from(user);
        let now_about = match state.expected.person(user) {
            Some(person) => Some(About::User(person.revision)),
            None => state.expected.vacancy().map(About::NewUser),
        };
        // It may have been decided about one slot and suit another: that is as good, if no version gets a second meaning.
        let suits = match now_about {
            Some(About::NewUser(vacancy)) => transition.revision() == state.start_in(vacancy),
            _ => false,
        };
        let new_user = match (now_about, state.directory.apply(user, &transition)) {
            (Some(About::User(_)), Ok(())) if now_about == Some(about) => None,
            (Some(About::NewUser(_)), Ok(())) if now_about == Some(about) || suits => {
                let reused = state.expected.free_slot() == Ok(true);
                state.expected.people[index] = Some(OneSession::NEW);
                reused.then_some(user)
            }
            (None, result) => return state.broken.unless(result == Err(ApplyError::Full), Rule::S9),
            (Some(now_about), Err(ApplyError::Stale)) if now_about != about => return,
            _ => return state.broken.note(Rule::V2),
        };
        let at = transition.at().as_millis();
        let happened = state.expected.people[index].as_mut().and_then(|one| one.command(&self.numbers, at, command));
        state.broken.unless(happened == Some(event(&transition)), Rule::S8);
        if let Some(happened) = happened {
            state.expected.note(user, &happened);
        }
        if let Some(id) = new_user {
            state.adopt(id);
        }
    }

    /// Calls `advance` once: the first due transition, or some book-keeping, or nothing until the exact deadline.
    pub(super) fn advance(&self, state: &mut State<USERS, SLOTS>) {
        let mut chain = Chain::of(&state.expected);
        let now = state.now();
        match state.directory.advance(now) {
            Progress::Changed { user, transition } => {
                chain.add(user, &transition);
                let expected = state.expected.step(&self.numbers, state.now);
                state.broken.unless(expected == Some((user, event(&transition))), Rule::S8);
                chain.look(&state.expected, None, &mut state.broken);
            }
            Progress::Working => {}
            Progress::Idle { until } => {
                let deadline = state.expected.next_deadline();
                state.broken.unless(until == deadline.map(Instant::from_millis), Rule::S4);
                state.broken.unless(deadline.is_none_or(|deadline| deadline > state.now), Rule::S4);
                state.broken.unless(state.directory.next_deadline() == until, Rule::S4);
            }
        }
    }

    /// Returns the decision that the rules make at this very moment.
    pub(super) fn expected_decision(
        &self,
        state: &State<USERS, SLOTS>,
        user: u8,
        command: Command<u8>,
    ) -> Result<Option<Event>, DecideError> {
        let overdue = |deadline| presence_core::OverdueError::new(Instant::from_millis(deadline)).into();
        let is_due = |deadline: &u64| *deadline <= state.now;
        let known = state.expected.person(user);
        if let Some(deadline) = known.and_then(|person| person.next_deadline()).filter(is_due) {
            return Err(overdue(deadline));
        }
        let mut person = known.cloned().unwrap_or(OneSession::NEW);
        if let Some(error) = person.error(&self.numbers, 1, command) {
            return Err(error.into());
        }
        let event = person.command(&self.numbers, state.now, command);
        if known.is_none() && event.is_some() && state.expected.len() == SLOTS {
            // The choice of a slot, and whether there is one, waits for what is due (M4, S9).
            if let Some(deadline) = state.expected.next_deadline().filter(is_due) {
                return Err(overdue(deadline));
            }
            state.expected.first_evictable().ok_or(CommandError::UsersFull)?;
        }
        Ok(event)
    }
}

impl<const USERS: usize, const SLOTS: usize> State<USERS, SLOTS> {
    /// Copies the first version of a new user in another's slot, which the directory chooses, above all that it ever had.
    fn adopt(&mut self, id: u8) {
        let index = usize::from(id);
        let Some(real) = self.directory.get(id) else { return self.broken.note(Rule::M5) };
        let Some(person) = &mut self.expected.people[index] else { return self.broken.note(Rule::M5) };
        let start = real.revision() - person.revision;
        self.broken.unless(real.version() - person.version == start, Rule::V1);
        self.broken.unless(start > self.expected.had[index] && start >= self.start, Rule::V1);
        (person.revision, person.version) = (real.revision(), real.version());
        self.start = start;
    }
}

/// The transitions of each user, which must begin where the ones before ended. Rules M4, V2.
struct Chain<const USERS: usize> {
    ends: [Option<(u64, presence_core::Presence)>; USERS],
    is_broken: bool,
}

impl<const USERS: usize> Chain<USERS> {
    fn of(expected: &Expected<USERS>) -> Self {
        let ends =
            std::array::from_fn(|id| expected.person(id as u8).map(|person| (person.revision, person.published())));
        Self { ends, is_broken: false }
    }

    fn add(&mut self, id: u8, transition: &Transition<u8>) {
        let begins = (transition.revision(), transition.before());
        let end = &mut self.ends[usize::from(id)];
        self.is_broken |= end.is_some_and(|end| end != begins);
        *end = Some((transition.revision() + 1, transition.after()));
    }

    /// Checks that the chains end where the rules have led; a new user's begins anew.
    fn look(&self, expected: &Expected<USERS>, new_user: Option<u8>, broken: &mut Broken) {
        broken.unless(!self.is_broken, Rule::V2);
        for (index, end) in
            self.ends.iter().enumerate().filter(|(index, _)| new_user.is_none_or(|id| usize::from(id) != *index))
        {
            let person = expected.people[index].as_ref().map(|person| (person.revision, person.published()));
            broken.unless(person.is_none() || *end == person, Rule::V2);
        }
    }
}
