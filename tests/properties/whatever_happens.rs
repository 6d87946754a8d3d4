//! Properties of any history: errors change nothing, the order of arrival and of advancing makes no difference, and
//! explanations come true.

use support::{advance_until_idle, model};

use model::life::{Life, commands, life, policy};
use model::random::{Action, Clock, Step, actions, command, commands as user_commands, forwards, history, presence};
use presence_core::directory::{DecideError, InlineDirectory, Progress};
use presence_core::{
    Command, Duration, Explanation, Instant, Policy, Presence, Transition, User, decide, next_due,
    set_preferred_presence, set_presence,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

const USERS: usize = 2;
const SESSIONS: usize = 2;

type Small = InlineDirectory<u8, u8, SESSIONS, USERS>;

/// Everything a directory holds, and what each id reads like at a moment.
fn contents(directory: &Small, now: Instant) -> impl PartialEq + std::fmt::Debug + use<> {
    let mut users: Vec<_> = directory.users().map(|(id, user)| (id, user.clone())).collect();
    users.sort_by_key(|(id, _)| *id);
    assert_eq!(directory.evictable(), users.iter().filter(|(_, user)| user.is_empty()).count());
    let read: Vec<_> = (0..=USERS as u8).map(|id| directory.read(now, id, Clone::clone)).collect();
    (users, read, directory.len())
}

/// The readings of a clock that only goes forwards, for every step.
fn moments(steps: &[Step], mut deadline: impl FnMut(usize, Instant) -> Option<Instant>) -> Vec<Instant> {
    let mut now = 1_000_000_000;
    let mut moments = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        let deadline = deadline(number, Instant::from_millis(now)).map(Instant::as_millis);
        now = step.clock.read_forwards(now, deadline);
        moments.push(Instant::from_millis(now));
    }
    moments
}

/// Executes a history, advancing before each step as asked: not at all, a few calls, until idle, or late by stages.
fn carry_out(
    policy: Policy,
    steps: &[Step],
    moments: &[Instant],
    extra: &[u8],
) -> (BTreeMap<u8, Vec<Transition<u8>>>, Small) {
    let mut directory = Small::with_policy(policy);
    let mut chains: BTreeMap<u8, Vec<Transition<u8>>> = BTreeMap::new();
    let mut before = Instant::from_millis(1_000_000_000);
    for (number, (step, &now)) in steps.iter().zip(moments).enumerate() {
        let mut on_change = |user, transition| chains.entry(user).or_default().push(transition);
        match extra.get(number % extra.len().max(1)) {
            Some(0) | None => {}
            Some(1) => {
                let half = now.saturating_duration_since(before).as_millis() / 2;
                advance_until_idle(&mut directory, before.saturating_add(Duration::from_millis(half)), &mut on_change);
                advance_until_idle(&mut directory, now, &mut on_change);
            }
            Some(2) => drop(advance_until_idle(&mut directory, now, &mut on_change)),
            Some(calls) => {
                for _ in 0..*calls {
                    if let Progress::Changed { user, transition } = directory.advance(now) {
                        on_change(user, transition);
                    }
                }
            }
        }
        if let Action::Command(user, command) = step.action {
            let _ = directory.execute(now, user, command, |user, transition| on_change(user, *transition));
        }
        before = now;
    }
    advance_until_idle(&mut directory, before, |user, transition| chains.entry(user).or_default().push(transition));
    (chains, directory)
}

proptest! {
    #![proptest_config(model::cases(512))]

    #[test]
    fn s7_a_rejected_command_changes_nothing(
        policy in policy(),
        steps in history(12, forwards(), actions(USERS as u8 + 1, SESSIONS as u8 + 1)),
        user in 0..=USERS as u8,
        command in command(SESSIONS as u8 + 1),
    ) {
        let moments = moments(&steps, |_, _| None);
        let (_, mut directory) = carry_out(policy, &steps, &moments, &[0]);
        let now = *moments.last().unwrap();
        let before = contents(&directory, now);
        let mut observed = 0;
        let decided = directory.decide(now, user, command);
        prop_assert_eq!(&contents(&directory, now), &before, "deciding changes nothing");
        let result = directory.execute(now, user, command, |_, _| observed += 1);
        match result {
            Err(error) => {
                prop_assert_eq!(decided, Err(DecideError::Rejected(error)));
                prop_assert_eq!(observed, 0);
                prop_assert_eq!(contents(&directory, now), before);
            }
            Ok(()) => {
                let decided = decided.unwrap();
                prop_assert_eq!(observed, usize::from(decided.is_some()));
                prop_assert_eq!(decided.is_none(), contents(&directory, now) == before);
            }
        }
    }

    /// Each application speaks once, at its own moment; in which order they are heard makes no difference.
    #[test]
    fn m4_the_order_of_arrival_makes_no_difference(
        said in proptest::collection::btree_map(0u8..6, (presence(), 0u64..200_000, 300_000u64..1_500_000), 0..=5),
        preferred in proptest::option::of((presence(), 0u64..200_000, 300_000u64..1_500_000)),
        shuffle in any::<[u8; 6]>(),
    ) {
        let policy = model::ANYTHING;
        let arrive = |order: &dyn Fn(u8) -> u8| {
            let mut user: User<u8, 5> = User::new();
            let mut arrivals: Vec<_> = said.iter().map(|(&id, what)| (order(id), Some(id), *what)).collect();
            arrivals.extend(preferred.map(|what| (order(5), None, what)));
            arrivals.sort_by_key(|arrival| arrival.0);
            for (_, id, (presence, at, lease)) in arrivals {
                let lease = Some(Duration::from_millis(lease));
                let moment = user.at(Instant::from_millis(at)).unwrap();
                let transition = match id {
                    Some(id) => set_presence(moment, id, presence, lease, &policy).unwrap(),
                    None => set_preferred_presence(moment, presence, lease, &policy).unwrap(),
                };
                user.apply(&transition).unwrap();
            }
            user
        };
        let (one, other) = (arrive(&|id| id), arrive(&|id| shuffle[usize::from(id) % 6]));
        prop_assert_eq!(one.sessions(), other.sessions());
        prop_assert_eq!(one.preferred(), other.preferred());
        prop_assert_eq!(one.presence(), other.presence());
        prop_assert_eq!(one.next_deadline(), other.next_deadline());
        let (one, other) = (one.explain(&policy), other.explain(&policy));
        prop_assert_eq!((one.presence, one.layer, one.next), (other.presence, other.layer, other.next));
    }

    #[test]
    fn m4_how_often_and_how_late_time_is_advanced_makes_no_difference(
        policy in policy(),
        steps in history(30, forwards(), user_commands(USERS as u8 + 1, SESSIONS as u8 + 1)),
        extra in proptest::collection::vec(0u8..6, 1..30),
    ) {
        // Both live through the same moments: the deadlines to hit are those of a directory that is always up to date.
        let mut ahead = Small::with_policy(policy);
        let mut number_done = 0;
        let moments = moments(&steps, |number, now| {
            if let Some(Step { action: Action::Command(user, command), .. }) = number.checked_sub(1).map(|last| steps[last]) {
                number_done += 1;
                let _ = ahead.execute(now, user, command, |_, _| {});
            }
            advance_until_idle(&mut ahead, now, |_, _| {});
            ahead.next_deadline()
        });
        prop_assert_eq!(number_done, steps.len() - 1);
        let now = *moments.last().unwrap();
        let (lazy, lazily) = carry_out(policy, &steps, &moments, &[0]);
        let (eager, eagerly) = carry_out(policy, &steps, &moments, &extra);
        prop_assert_eq!(lazy, eager, "the transitions of each user, their times and revisions");
        prop_assert_eq!(contents(&lazily, now), contents(&eagerly, now));
    }

    /// Journalling in between: bringing everyone up to date, deciding, applying is executing.
    #[test]
    fn m4_deciding_and_applying_is_executing(
        policy in policy(),
        steps in history(25, forwards(), user_commands(USERS as u8 + 1, SESSIONS as u8 + 1)),
    ) {
        let mut whole = Small::with_policy(policy);
        let mut parts = whole.clone();
        for (step, now) in steps.iter().zip(moments(&steps, |_, _| None)) {
            let Action::Command(user, command) = step.action else { continue };
            let mut observed = Vec::new();
            let result = whole.execute(now, user, command, |_, transition| observed.push(*transition));
            let mut decided = parts.decide(now, user, command);
            if let Err(DecideError::Overdue(overdue)) = decided {
                prop_assert!(overdue.deadline <= now);
                advance_until_idle(&mut parts, now, |_, _| {});
                decided = parts.decide(now, user, command);
            }
            prop_assert_eq!(result.map_err(DecideError::Rejected), decided.map(drop));
            if let Ok(Some(transition)) = decided {
                prop_assert_eq!(observed.last(), Some(&transition));
                prop_assert_eq!(parts.apply(user, &transition), Ok(()));
            }
            advance_until_idle(&mut whole, now, |_, _| {});
            advance_until_idle(&mut parts, now, |_, _| {});
            prop_assert_eq!(contents(&whole, now), contents(&parts, now));
        }
    }

    #[test]
    fn a4_explanations_come_true(life in life()) {
        let Explanation { presence, next, since, .. } = life.user.explain(&life.policy);
        prop_assert_eq!(presence, life.user.presence());
        let latest = life.transitions.iter().rev().find(|transition| transition.is_visible());
        prop_assert_eq!(since, latest.map(Transition::at).filter(|at| *at != Instant::NEVER));
        let mut user = life.user.clone();
        let mut seen = None;
        while let Some(transition) = next_due(&user, Instant::NEVER, &life.policy) {
            user.apply(&transition).unwrap();
            if transition.is_visible() && seen.is_none() {
                seen = Some((transition.at(), transition.after()));
            }
        }
        prop_assert_eq!(next, seen);
        prop_assert!(next.is_none_or(|(at, becomes)| at > Instant::ZERO && becomes != presence));
        prop_assert_eq!(user.next_deadline(), None, "time has nothing left to do");
    }

    /// Rule V1: the version counts what was seen to change; rule V2: the revision counts everything.
    #[test]
    fn v1_the_version_grows_exactly_when_something_shows(policy in policy(), commands in commands(20)) {
        let mut life: Life<3> = Life::new(policy);
        for (clock, command) in commands {
            life.turn(clock);
            let _ = life.command(command);
            let visible = life.transitions.iter().filter(|transition| transition.is_visible()).count();
            prop_assert_eq!(life.user.version(), visible as u64);
            prop_assert_eq!(life.user.revision(), life.transitions.len() as u64);
        }
    }

    #[test]
    fn s8_there_is_no_decision_about_an_overdue_user(life in life(), clock in model::random::clock(), command in command(4)) {
        let mut later = life.clone();
        let deadline = life.user.next_deadline();
        let now = Instant::from_millis(clock.read(life.now.as_millis(), deadline.map(Instant::as_millis)));
        match life.user.at(now) {
            Err(overdue) => {
                prop_assert_eq!(Some(overdue.deadline), deadline);
                prop_assert!(overdue.deadline <= now);
                prop_assert!(next_due(&life.user, now, &life.policy).is_some());
            }
            Ok(moment) => {
                prop_assert!(deadline.is_none_or(|deadline| deadline > now));
                prop_assert_eq!(next_due(&life.user, now, &life.policy), None);
                prop_assert_eq!((moment.now(), moment.user()), (now, &life.user));
                // A decision is the same every time, and changes nothing.
                let decided = decide(moment, command, &life.policy);
                prop_assert_eq!(decide(moment, command, &life.policy), decided);
                prop_assert_eq!(&life.user, &later.user);
                if let Ok(Some(transition)) = decided {
                    prop_assert_eq!((transition.at(), transition.revision()), (now, life.user.revision()));
                    prop_assert_eq!(transition.before(), life.user.presence());
                    prop_assert_eq!(later.user.apply(&transition), Ok(()));
                    prop_assert_eq!(transition.after(), later.user.presence());
                }
            }
        }
    }

    /// Rule C1: a single reading far in the future outlives nothing that was not set, or applied, under it.
    #[test]
    fn c1_an_earlier_now_makes_nothing_due(life in life(), back in 1u64..2_000_000) {
        let mut earlier = life.clone();
        earlier.turn(Clock::Back(back));
        prop_assert_eq!(&earlier.user, &life.user);
        let available = Command::SetPresence { session: 0, presence: Presence::Away, lease: None };
        if earlier.command(available).is_ok() {
            let expires_at = earlier.now.saturating_add(life.policy.default_lease);
            prop_assert_eq!(earlier.user.session(0).map(|session| session.expires_at()), Some(expires_at));
        }
    }
}
