//! One step of the library and one of the rules, compared.

use super::{OneUser, State, Watched};
use crate::broken::{Broken, Rule};
use crate::rules::{Event, Person};
use presence_core::{ApplyError, Cause, Change, Command, Transition, User};

/// Returns the event that a transition stands for.
pub fn event(transition: &Transition<u8>) -> Event {
    Event {
        at: transition.at().as_millis(),
        before: transition.before(),
        after: transition.after(),
        cause: transition.cause(),
    }
}

/// Returns the rule that a step is first of all about.
fn rule_of(cause: Cause) -> Rule {
    match cause {
        Cause::Set => Rule::S1,
        Cause::Cleared => Rule::S5,
        Cause::Faded => Rule::S3,
        Cause::Expired => Rule::S2,
        Cause::PreferredSet => Rule::U1,
        Cause::PreferredCleared => Rule::U4,
        Cause::PreferredExpired => Rule::U5,
    }
}

/// Applies a transition, and checks revision and version, and that the same one is stale afterwards.
fn apply<const SESSIONS: usize>(user: &mut Watched<SESSIONS>, transition: &Transition<u8>, broken: &mut Broken) {
    let before = (user.revision(), user.version());
    broken.unless(transition.before() == user.presence(), Rule::M4);
    broken.unless(transition.revision() == before.0 && user.apply(transition) == Ok(()), Rule::V2);
    broken.unless(transition.after() == user.presence(), Rule::M4);
    broken.unless(user.revision() == before.0 + 1, Rule::V2);
    broken.unless(user.version() == before.1 + u64::from(transition.is_visible()), Rule::V1);
    // Decided about another state now: stale, and rejected without a trace (V2, S7).
    let copy = user.clone();
    broken.unless(user.apply(transition) == Err(ApplyError::Stale), Rule::V2);
    broken.unless(**user == *copy, Rule::S7);
}

impl<const SESSIONS: usize> OneUser<SESSIONS> {
    pub(super) fn command(&self, state: &State<SESSIONS>, command: Command<u8>) -> State<SESSIONS> {
        let mut next = state.clone();
        next.commands = state.commands.map(|left| left - 1);
        let (policy, numbers) = self.policy_of(command);
        let expected = next.person.command_under(&self.numbers, numbers, state.now, command);
        let rule = match command {
            Command::SetPresence { .. } => Rule::S1,
            Command::ClearPresence { .. } => Rule::S5,
            Command::SetPreferredPresence { .. } => Rule::U1,
            Command::ClearPreferredPresence => Rule::U4,
        };
        let Ok(decided) = state.user.decide(state.now(), command, policy) else {
            next.broken.note(Rule::S8);
            return next;
        };
        let Ok(decided) = decided else {
            next.broken.note(if matches!(command, Command::SetPresence { .. }) { Rule::S9 } else { rule });
            return next;
        };
        next.broken.unless(decided.as_ref().map(event) == expected, rule);
        if let Some(transition) = &decided {
            apply(&mut next.user, transition, &mut next.broken);
        }
        self.look_at_command(state, command, &mut next);
        next
    }

    /// Checks the effects of a command, and that the rest stays as it was.
    fn look_at_command(&self, before: &State<SESSIONS>, command: Command<u8>, next: &mut State<SESSIONS>) {
        let State { user, person, broken, .. } = next;
        let now = before.now;
        let said_of = |user: &User<u8, SESSIONS>, id| user.session(id).copied();
        let target = match command {
            Command::SetPresence { session, .. } | Command::ClearPresence { session } => Some(session),
            _ => None,
        };
        // The same id names the same session and no other, and what is preferred is another matter.
        let mut others = (0..super::IDS as u8).filter(|id| Some(*id) != target);
        let left_alone = others.all(|id| said_of(user, id) == said_of(&before.user, id));
        broken.unless(left_alone, if target.is_some() { Rule::M2 } else { Rule::U1 });
        match command {
            Command::SetPresence { session, presence, lease } => {
                broken.unless(user.preferred() == before.user.preferred(), Rule::S1);
                let lease = self.policy_of(command).1.lease(lease);
                let set = said_of(user, session);
                broken.unless(set.is_some_and(|set| set.presence() == presence), Rule::S1);
                broken.unless(set.is_some_and(|set| set.expires_at().as_millis() == now + lease), Rule::S2);
                let fades = person.sessions[usize::from(session)].and_then(|session| session.fades_at());
                broken.unless(set.and_then(|set| set.fades_at()).map(|at| at.as_millis()) == fades, Rule::S3);
            }
            Command::ClearPresence { session } => {
                broken.unless(user.preferred() == before.user.preferred(), Rule::S5);
                broken.unless(said_of(user, session).is_none(), Rule::S5);
                broken.unless(!user.sessions().is_empty() || user.presence().as_byte() == 1, Rule::S6);
            }
            Command::SetPreferredPresence { .. } => {
                let stored = user.preferred().map(|stored| (stored.presence(), stored.expires_at().as_millis()));
                broken.unless(stored == person.preferred, Rule::U2);
                let shows_nothing = user.presence() == before.user.presence();
                broken.unless(!user.sessions().is_empty() || shows_nothing, Rule::U3);
            }
            Command::ClearPreferredPresence => broken.unless(user.preferred().is_none(), Rule::U4),
        }
    }

    pub(super) fn tick(&self, state: &State<SESSIONS>) -> State<SESSIONS> {
        let mut next = state.clone();
        next.now += 1;
        let now = next.now();
        let is_due = state.person.next_deadline() == Some(next.now);
        // There is no decision about a user to whom something is due (S8), and it is due from its very instant on (S4).
        let overdue = next.user.at(now).err().map(|overdue| overdue.deadline);
        next.broken.unless(overdue == is_due.then_some(now), Rule::S4);
        let mut visible = 0;
        loop {
            let expected = next.person.step(&self.numbers, next.now);
            let Some(due) = next.user.advance(now, &self.policy) else {
                next.broken.unless(expected.is_none(), Rule::S4);
                break;
            };
            let happened = event(&due);
            visible += usize::from(happened.is_visible());
            match expected {
                Some(expected) if expected == happened => {}
                // The right things in another order, or the wrong thing.
                Some(expected) if expected.cause != happened.cause => next.broken.note(Rule::S8),
                _ => next.broken.note(rule_of(happened.cause)),
            }
            self.look_at_time(&next.user, &due, &mut next.broken);
            apply(&mut next.user, &due, &mut next.broken);
            if next.broken.any() {
                break;
            }
        }
        next.broken.unless(visible <= 1, Rule::S8);
        next
    }

    /// Checks the effects of time on a user's record, and that the rest stays as it was.
    fn look_at_time(&self, user: &User<u8, SESSIONS>, due: &Transition<u8>, broken: &mut Broken) {
        match due.change() {
            Change::Faded(session) => {
                let before = user.session(session.id());
                broken.unless(before.is_some_and(|before| session.presence() < before.presence()), Rule::S3);
                broken.unless(before.is_some_and(|before| session.expires_at() == before.expires_at()), Rule::S3);
                // When a fade and the expiry fall together, expiry wins.
                broken.unless(session.expires_at() > due.at(), Rule::S4);
            }
            Change::Expired(id) => {
                broken.unless(user.session(id).is_some_and(|session| session.expires_at() == due.at()), Rule::S2);
            }
            Change::PreferredExpired => {
                broken.unless(user.preferred().is_some_and(|stored| stored.expires_at() == due.at()), Rule::U5);
            }
            _ => broken.note(Rule::S8),
        }
    }
}

/// Reports whether the two know the same of a user's sessions.
pub fn same_sessions<const SESSIONS: usize, const IDS: usize>(user: &User<u8, SESSIONS>, person: &Person<IDS>) -> bool {
    let stored = user.sessions().iter().map(|session| {
        let fades_at = session.fades_at().map(|at| at.as_millis());
        (session.id(), session.presence(), session.expires_at().as_millis(), fades_at)
    });
    let said = person.sessions.iter().enumerate().filter_map(|(id, session)| {
        session.map(|session| (id as u8, session.presence, session.said.ends(), session.fades_at()))
    });
    stored.eq(said)
}
