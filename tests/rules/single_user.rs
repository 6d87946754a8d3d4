//! A single user with its policy does what a `Directory` does, and what the pure functions say. Rules S5, S7 to S9, U4, M4, C2.

use support::model;

use model::life;
use model::random::{Action, Step, actions, clock, full_history, history};
use presence_core::directory::InlineDirectory;
use presence_core::{
    Cause, Command, CommandError, Duration, Instant, NotFound, Policy, Presence, SetPreferredError, SetPresenceError,
    SingleUser, Transition, User, decide,
};
use proptest::prelude::*;

/// The result of a command and every change.
type Outcome = (Result<(), CommandError>, Vec<Transition<u8>>);

fn execute<const ROOM: usize>(single: &mut SingleUser<u8, ROOM>, now: Instant, command: Command<u8>) -> Outcome {
    let mut changes = Vec::new();
    let result = single.execute(now, command, |change| changes.push(*change));
    (result, changes)
}

/// The same through the method that is named after the command.
fn call<const ROOM: usize>(single: &mut SingleUser<u8, ROOM>, now: Instant, command: Command<u8>) -> Outcome {
    let mut changes = Vec::new();
    let on_change = |change: &Transition<u8>| changes.push(*change);
    let result = match command {
        Command::SetPresence { session, presence, lease } => {
            single.set_presence(now, session, presence, lease, on_change).map_err(CommandError::from)
        }
        Command::ClearPresence { session } => {
            single.clear_presence(now, session, on_change).map_err(CommandError::from)
        }
        Command::SetPreferredPresence { presence, duration } => {
            single.set_preferred_presence(now, presence, duration, on_change).map_err(CommandError::from)
        }
        Command::ClearPreferredPresence => {
            single.clear_preferred_presence(now, on_change);
            Ok(())
        }
    };
    (result, changes)
}

fn advance<const ROOM: usize>(single: &mut SingleUser<u8, ROOM>, now: Instant) -> Vec<Transition<u8>> {
    let mut changes = Vec::new();
    single.advance(now, |change| changes.push(*change));
    changes
}

/// Everything that is due, through the pure functions and the checked `apply`.
fn advance_purely<const ROOM: usize>(user: &mut User<u8, ROOM>, now: Instant, policy: &Policy) -> Vec<Transition<u8>> {
    support::apply_due(user, now, policy)
}

fn execute_purely<const ROOM: usize>(
    user: &mut User<u8, ROOM>,
    now: Instant,
    command: Command<u8>,
    policy: &Policy,
) -> Outcome {
    let mut changes = advance_purely(user, now, policy);
    let decided = decide(user.at(now).unwrap(), command, policy);
    let result = decided.map(|transition| {
        if let Some(transition) = transition {
            user.apply(&transition).unwrap();
            changes.push(transition);
        }
    });
    (result, changes)
}

/// A user alone, through its methods and through the pure functions, and one of a directory, live through the same.
fn live<const ROOM: usize>(steps: &[Step], policy: Policy) {
    let mut single = SingleUser::<u8, ROOM>::new(policy);
    let mut named = single.clone();
    let mut pure: User<u8, ROOM> = User::new();
    let mut many = InlineDirectory::<u8, u8, ROOM, 1>::with_policy(policy);
    assert_eq!(single.policy(), &policy);
    let mut now = Instant::ZERO;
    for &Step { clock, action } in steps {
        now = Instant::from_millis(clock.read(now.as_millis(), single.next_deadline().map(Instant::as_millis)));
        assert_eq!(single.presence(now), many.presence(now, 0));
        assert_eq!(single.explain(now), many.explain(now, 0));
        match action {
            Action::Command(_, command) => {
                let outcome = execute(&mut single, now, command);
                assert_eq!(&outcome, &call(&mut named, now, command));
                assert_eq!(&outcome, &execute_purely(&mut pure, now, command, &policy));
                let mut changes = Vec::new();
                let result = many.execute(now, 0, command, |_, change| changes.push(*change));
                assert_eq!(outcome, (result, changes));
            }
            // A directory knows no user before the first command.
            Action::Rebase(to) if many.get(0).is_some() => {
                let to = Instant::from_millis(to);
                let result = single.rebase(now, to);
                assert_eq!(result, named.rebase(now, to));
                assert_eq!(result, pure.rebase(now, to));
                assert_eq!(result.is_ok(), many.rebase(now, to).is_ok());
                if result.is_ok() {
                    now = to;
                }
            }
            _ => {
                let changes = advance(&mut single, now);
                assert_eq!(&changes, &advance(&mut named, now));
                assert_eq!(&changes, &advance_purely(&mut pure, now, &policy));
                let mut there = Vec::new();
                let until = support::advance_until_idle(&mut many, now, |_, transition| there.push(transition));
                assert_eq!(single.next_deadline(), until);
                assert_eq!(changes, there);
            }
        }
        assert_eq!(single.user(), &pure);
        assert_eq!(&single, &named);
        assert_eq!(single.user(), &many.get(0).cloned().unwrap_or_default());
    }
}

proptest! {
    /// Commands for three sessions where two fit, and a clock that goes back as well.
    #[test]
    fn s8_m4_any_history_ends_as_in_a_directory_and_with_the_pure_functions(
        steps in history(40, clock(), actions(1, 3)),
        policy in life::policy(),
    ) {
        live::<2>(&steps, policy);
    }

    /// As many sessions as a small device has room for, and one more.
    #[test]
    fn s9_a_full_house_ends_as_in_a_directory_and_with_the_pure_functions(
        steps in full_history(16, 1, 8),
        policy in life::policy(),
    ) {
        live::<8>(&steps, policy);
    }
}

#[test]
fn s8_a_command_comes_after_what_was_due_before_it() {
    let mut single: SingleUser<u8, 2> = SingleUser::new(Policy::GRAPH);
    single.set_presence(Instant::ZERO, 1, Presence::Available, None, |_| {}).unwrap();
    let late = Instant::from_secs(1000);
    let mut causes = Vec::new();
    single
        .set_presence(late, 1, Presence::Away, None, |change| causes.push((change.at().as_millis(), change.cause())))
        .unwrap();
    assert_eq!(causes, [(300_000, Cause::Expired), (1_000_000, Cause::Set)]);
}

#[test]
fn s7_a_rejected_command_changes_nothing_but_what_was_due_is_applied() {
    let mut single: SingleUser<u8, 2> = SingleUser::new(Policy::GRAPH);
    single.set_presence(Instant::ZERO, 1, Presence::Away, None, |_| {}).unwrap();
    let late = Instant::from_secs(300);
    let mut changes = 0;
    assert_eq!(single.clear_presence(late, 1, |_| changes += 1), Err(NotFound));
    assert_eq!(changes, 1);
    let before = single.clone();
    let second = Some(Duration::from_secs(1));
    let set = single.set_presence(late, 1, Presence::Away, second, |_| changes += 1);
    assert!(matches!(set, Err(SetPresenceError::Lease { .. })), "{set:?}");
    let preferred = single.set_preferred_presence(late, Presence::InACall, None, |_| changes += 1);
    assert!(matches!(preferred, Err(SetPreferredError::Presence { .. })), "{preferred:?}");
    single.clear_preferred_presence(late, |_| changes += 1);
    assert_eq!((changes, single), (1, before));
}

#[test]
fn m4_reading_needs_no_advance() {
    let mut single: SingleUser<u8, 2> = SingleUser::new(Policy::GRAPH);
    single.set_presence(Instant::ZERO, 1, Presence::Away, None, |_| {}).unwrap();
    let before = single.clone();
    let late = Instant::from_secs(300);
    assert_eq!(single.next_deadline(), Some(late));
    assert_eq!(single.presence(late), Presence::Offline);
    assert_eq!(single.explain(late).since, Some(late));
    assert_eq!(single, before);
    assert_eq!(SingleUser::with_user(single.user().clone(), Policy::GRAPH), before);
}
