//! One step of the directory and one of the rules, side by side.

use super::expected::{Expected, Somebody};
use super::{About, Decided, FewUsers, State};
use crate::broken::{Broken, Rule};
use crate::one_user::event;
use crate::rules::Event;
use presence_core::directory::{DecideError, Progress};
use presence_core::{ApplyError, Command, CommandError, Instant, Transition};

impl<const USERS: usize, const PLACES: usize> FewUsers<USERS, PLACES> {
    pub(super) fn execute(&self, state: &mut State<USERS, PLACES>, user: u8, command: Command<u8>) {
        let held = |state: &State<USERS, PLACES>| {
            let users: [_; USERS] = std::array::from_fn(|id| state.directory.get(id as u8).cloned());
            (users, state.directory.cursor())
        };
        let before = held(state);
        let mut chain = Chain::of(&state.expected);
        let mut said: Vec<(u8, Event)> = Vec::new();
        let answer = state.directory.execute(state.now(), user, command, &mut |id, transition| {
            chain.add(id, transition);
            said.push((id, event(transition)));
        });
        let expected = state.expected.command(&self.numbers, state.now, user, command);
        state.broken.unless(said == expected.happened, Rule::S8);
        let rule = if answer == Err(CommandError::UsersFull) { Rule::S9 } else { Rule::S7 };
        state.broken.unless(answer == expected.answer, rule);
        // What is due happens before, and is told; the refusal itself does nothing.
        let is_refused_at_once = answer.is_err() && said.is_empty();
        state.broken.unless(!is_refused_at_once || held(state) == before, Rule::S7);
        if let Some(id) = expected.newcomer {
            state.adopt(id);
        }
        chain.look(&state.expected, expected.newcomer, &mut state.broken);
    }

    /// Decides, and keeps the decision; `None` if there is nothing to keep.
    pub(super) fn decide(&self, state: &mut State<USERS, PLACES>, user: u8, command: Command<u8>) -> Option<()> {
        let transition = state.directory.decide(state.now(), user, command).ok()??;
        let about = match state.expected.person(user) {
            Some(person) => About::User(person.revision),
            None => About::Newcomer(state.expected.vacancy()?),
        };
        state.decided = Some(Decided { user, command, transition, about });
        Some(())
    }

    /// Applies what was decided some time ago: only if nothing has happened to its user in between.
    pub(super) fn apply(&self, state: &mut State<USERS, PLACES>) {
        let Some(Decided { user, command, transition, about }) = state.decided.take() else { return };
        let place = usize::from(user);
        let now_about = match state.expected.person(user) {
            Some(person) => Some(About::User(person.revision)),
            None => state.expected.vacancy().map(About::Newcomer),
        };
        // It may have been decided about one room and suit another: that is as good, if no number gets a second meaning.
        let suits = match now_about {
            Some(About::Newcomer(room)) => transition.revision() == state.start_in(room),
            _ => false,
        };
        let newcomer = match (now_about, state.directory.apply(user, &transition)) {
            (Some(About::User(_)), Ok(())) if now_about == Some(about) => None,
            (Some(About::Newcomer(_)), Ok(())) if now_about == Some(about) || suits => {
                let reused = state.expected.make_room() == Ok(true);
                state.expected.people[place] = Some(Somebody::NEW);
                reused.then_some(user)
            }
            (None, answer) => return state.broken.unless(answer == Err(ApplyError::Full), Rule::S9),
            (Some(now_about), Err(ApplyError::Stale)) if now_about != about => return,
            _ => return state.broken.note(Rule::V2),
        };
        let at = transition.at().as_millis();
        let happened = state.expected.people[place].as_mut().and_then(|one| one.command(&self.numbers, at, command));
        state.broken.unless(happened == Some(event(&transition)), Rule::S8);
        if let Some(happened) = happened {
            state.expected.note(user, &happened);
        }
        if let Some(id) = newcomer {
            state.adopt(id);
        }
    }

    /// One call: the first thing that is due, or some book-keeping, or nothing until the exact deadline.
    pub(super) fn advance(&self, state: &mut State<USERS, PLACES>) {
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

    /// What a decision has to be, made at this very moment.
    pub(super) fn expected_decision(
        &self,
        state: &State<USERS, PLACES>,
        user: u8,
        command: Command<u8>,
    ) -> Result<Option<Event>, DecideError> {
        let overdue = |deadline| presence_core::OverdueError::new(Instant::from_millis(deadline)).into();
        let is_due = |deadline: &u64| *deadline <= state.now;
        let known = state.expected.person(user);
        if let Some(deadline) = known.and_then(|person| person.next_deadline()).filter(is_due) {
            return Err(overdue(deadline));
        }
        let mut person = known.cloned().unwrap_or(Somebody::NEW);
        if let Some(refused) = person.refusal(&self.numbers, 1, command) {
            return Err(refused.into());
        }
        let event = person.command(&self.numbers, state.now, command);
        if known.is_none() && event.is_some() && state.expected.len() == PLACES {
            // Which place is given away, and whether there is one, waits for what is due (M4, S9).
            if let Some(deadline) = state.expected.next_deadline().filter(is_due) {
                return Err(overdue(deadline));
            }
            state.expected.first_to_be_forgotten().ok_or(CommandError::UsersFull)?;
        }
        Ok(event)
    }
}

impl<const USERS: usize, const PLACES: usize> State<USERS, PLACES> {
    /// Where a newcomer in somebody's place starts is the directory's own affair, if it is above all that it ever had.
    fn adopt(&mut self, id: u8) {
        let place = usize::from(id);
        let Some(real) = self.directory.get(id) else { return self.broken.note(Rule::M5) };
        let Some(person) = &mut self.expected.people[place] else { return self.broken.note(Rule::M5) };
        let start = real.revision() - person.revision;
        self.broken.unless(real.version() - person.version == start, Rule::V1);
        self.broken.unless(start > self.expected.had[place] && start >= self.start, Rule::V1);
        (person.revision, person.version) = (real.revision(), real.version());
        self.start = start;
    }
}

/// The transitions of each user, which must take up where the ones before ended. Rules M4, V2.
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

    /// The chains have to end where the rules have led; a newcomer's begins anew.
    fn look(&self, expected: &Expected<USERS>, newcomer: Option<u8>, broken: &mut Broken) {
        broken.unless(!self.is_broken, Rule::V2);
        for (place, end) in
            self.ends.iter().enumerate().filter(|(place, _)| newcomer.is_none_or(|id| usize::from(id) != *place))
        {
            let person = expected.people[place].as_ref().map(|person| (person.revision, person.published()));
            broken.unless(person.is_none() || *end == person, Rule::V2);
        }
    }
}
