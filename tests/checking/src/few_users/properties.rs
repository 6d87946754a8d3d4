//! The rules between users, each a property under its number. Rules about states are checked here; rules about steps were
//! checked, and marked, by the step.

use super::expected::OneSession;
use super::{FewUsers, State};
use crate::broken::Rule;
use crate::one_user::{event, same_sessions};
use presence_core::directory::Progress;
use presence_core::{Instant, OverdueError, User};
use stateright::Property;

type Check<const USERS: usize, const SLOTS: usize> = fn(&FewUsers<USERS, SLOTS>, &State<USERS, SLOTS>) -> bool;

pub fn safety<const USERS: usize, const SLOTS: usize>() -> Vec<Property<FewUsers<USERS, SLOTS>>> {
    let checks: [(&'static str, Check<USERS, SLOTS>); 9] = [
        ("M2, A1, A3 a command reaches its own user and no other", |_, state| {
            ids::<USERS>().all(|id| match (state.directory.get(id), state.expected.person(id)) {
                (Some(user), Some(person)) => same(user, person),
                (None, None) => true,
                _ => false,
            })
        }),
        ("M4, A4 a read is exact at its moment, however late time is advanced", reads_are_exact),
        ("M5 only users with nothing stored are evicted, the longest unchanged first", |_, state| {
            let mut present: Vec<_> = state.directory.users().map(|(id, _)| id).collect();
            present.sort_unstable();
            let expected = ids::<USERS>().filter(|id| state.expected.person(*id).is_some());
            state.broken.holds(Rule::M5)
                && present.into_iter().eq(expected)
                && state.directory.len() == state.expected.len()
                && state.directory.len() <= SLOTS
        }),
        ("S4 no deadline is promised late, and it is exact once idle", |_, state| {
            let promised = state.directory.next_deadline();
            let deadline = state.expected.next_deadline().map(Instant::from_millis);
            let is_late = deadline.is_some_and(|deadline| promised.is_none_or(|promised| promised > deadline));
            state.broken.holds(Rule::S4) && !is_late
        }),
        ("S7 a rejected command changes nothing", |_, state| state.broken.holds(Rule::S7)),
        (
            "S8 what is due comes first, between users by deadline, then by id; advancing comes to an end",
            |model, state| state.broken.holds(Rule::S8) && advancing_comes_to_an_end(model, state),
        ),
        ("S9 a decision waits for what is due, and without a slot creates no user", |model, state| {
            state.broken.holds(Rule::S9) && decisions_are_exact(model, state)
        }),
        ("V1 a user who comes back starts above every version it had", |_, state| {
            state.broken.holds(Rule::V1)
                && ids::<USERS>().all(|id| {
                    let version = state.expected.person(id).map(|person| person.version);
                    state.directory.get(id).map(User::version) == version
                })
        }),
        ("V2 chains are unbroken, outdated transitions are stale, changes are returned without a gap", |_, state| {
            state.broken.holds(Rule::V2)
                && state.directory.cursor().to_number() == state.expected.changes
                && state
                    .expected
                    .cursors()
                    .all(|cursor| state.directory.changes_since(cursor) == state.expected.changes_since(cursor))
        }),
    ];
    checks.map(|(name, check)| Property::always(name, check)).into()
}

fn ids<const USERS: usize>() -> impl Iterator<Item = u8> {
    0..USERS as u8
}

fn same(user: &User<u8, 1>, person: &OneSession) -> bool {
    let preferred = user.preferred().map(|stored| (stored.presence(), stored.expires_at().as_millis()));
    same_sessions(user, person)
        && preferred == person.preferred
        && user.presence() == person.published()
        && user.absence() == (!person.has_session()).then_some(person.absence)
        && user.since() == person.since.map(Instant::from_millis)
        && (user.version(), user.revision()) == (person.version, person.revision)
}

/// Checks reads now, and at every moment until all is over.
fn reads_are_exact<const USERS: usize, const SLOTS: usize>(
    model: &FewUsers<USERS, SLOTS>,
    state: &State<USERS, SLOTS>,
) -> bool {
    state.broken.holds(Rule::M4)
        && ids::<USERS>().all(|id| {
            let person = state.expected.person(id).unwrap_or(&OneSession::NEW);
            (state.now..state.now + 5).all(|moment| {
                let (person, at) = (person.at(&model.numbers, moment), Instant::from_millis(moment));
                state.directory.read(at, id, |user| same(user, &person))
                    && state.directory.presence(at, id) == person.published()
                    && state.directory.version(at, id) == person.version
                    && state.directory.explain(at, id) == person.explanation(&model.numbers)
            })
        })
}

/// Advances as late as can be: everything in order, each step of it bounded, until nothing is left to do.
fn advancing_comes_to_an_end<const USERS: usize, const SLOTS: usize>(
    model: &FewUsers<USERS, SLOTS>,
    state: &State<USERS, SLOTS>,
) -> bool {
    let (mut directory, mut expected) = (state.directory.clone(), state.expected.clone());
    let end = state.now + 5;
    let mut calls_for_nothing = 0;
    loop {
        match directory.advance(Instant::from_millis(end)) {
            Progress::Changed { user, transition } => {
                if expected.step(&model.numbers, end) != Some((user, event(&transition))) {
                    return false;
                }
                calls_for_nothing = 0;
            }
            Progress::Working if calls_for_nothing > 2 * SLOTS => return false,
            Progress::Working => calls_for_nothing += 1,
            Progress::Idle { until } => return until.is_none() && expected.next_deadline().is_none(),
        }
    }
}

/// Checks decisions. One about a new user while no slot is free may ask for book-keeping first, as the promised deadline is
/// not exact until the directory is idle; then it decides.
fn decisions_are_exact<const USERS: usize, const SLOTS: usize>(
    model: &FewUsers<USERS, SLOTS>,
    state: &State<USERS, SLOTS>,
) -> bool {
    let (mut idle, now) = (state.clone(), state.now());
    while !matches!(idle.directory.advance(now), Progress::Idle { .. }) {}
    while idle.expected.step(&model.numbers, idle.now).is_some() {}
    let decide = |state: &State<USERS, SLOTS>, id, command| {
        let decided = state.directory.decide(state.now(), id, command);
        (decided.map(|one| one.as_ref().map(event)), model.expected_decision(state, id, command))
    };
    let promised = state.directory.next_deadline().filter(|promised| *promised <= state.now());
    ids::<USERS>().all(|id| {
        let needs_slot = state.expected.person(id).is_none() && state.expected.len() == SLOTS;
        let asks_first = promised.filter(|_| needs_slot).map(|deadline| Err(OverdueError::new(deadline).into()));
        model.commands.iter().all(|&command| {
            let (decided, expected) = decide(state, id, command);
            let (decided_idle, expected_idle) = decide(&idle, id, command);
            (decided == expected || Some(decided) == asks_first) && decided_idle == expected_idle
        })
    })
}
