//! The store of a device with one user answers as a `Directory` that is full with that user. Rules S5, S7 to S9, M4, M5, V1.

use support::model;

use model::life;
use model::random::{Action, Step, clock, command, full_history, history};
use presence_core::directory::InlineDirectory;
use presence_core::graph::{SingleUserStore, Store};
use presence_core::{Command, CommandError, Duration, Instant, Policy, Presence, SessionId, Transition, UserId};
use proptest::prelude::*;

pub const OWNER: UserId = UserId::from_bytes([0x11; 16]);
const OTHER: UserId = UserId::from_bytes([0x22; 16]);

pub fn session(number: u8) -> SessionId {
    SessionId::from_bytes([number; 16])
}

pub fn with_guid(command: Command<u8>) -> Command<SessionId> {
    match command {
        Command::SetPresence { session: number, presence, lease } => {
            Command::SetPresence { session: session(number), presence, lease }
        }
        Command::ClearPresence { session: number } => Command::ClearPresence { session: session(number) },
        Command::SetPreferredPresence { presence, duration } => Command::SetPreferredPresence { presence, duration },
        Command::ClearPreferredPresence => Command::ClearPreferredPresence,
    }
}

fn set(number: u8) -> Command<SessionId> {
    Command::SetPresence { session: session(number), presence: Presence::Away, lease: None }
}

/// The result of a command and every change.
pub type Outcome = (Result<(), CommandError>, Vec<(UserId, Transition<SessionId>)>);

pub fn execute(store: &mut impl Store, now: Instant, user: UserId, command: Command<SessionId>) -> Outcome {
    let mut changes = Vec::new();
    let result = store.execute(now, user, command, &mut |user, change| changes.push((user, *change)));
    (result, changes)
}

/// A store of one user and a directory that is full with it live through the same.
fn live<const ROOM: usize>(steps: &[Step], policy: Policy) {
    let mut one = SingleUserStore::<ROOM>::new(OWNER, policy);
    let mut many = InlineDirectory::<UserId, SessionId, ROOM, 1>::with_policy(policy);
    assert_eq!(one.policy(), &policy);
    let mut now = Instant::ZERO;
    for &Step { clock, action } in steps {
        now = Instant::from_millis(clock.read(now.as_millis(), one.user.next_deadline().map(Instant::as_millis)));
        assert_eq!(one.read(now, OWNER), Store::read(&many, now, OWNER));
        if let Action::Command(_, command) = action {
            let command = with_guid(command);
            assert_eq!(execute(&mut one, now, OWNER, command), execute(&mut many, now, OWNER, command));
        } else {
            let (mut here, mut there) = (Vec::new(), Vec::new());
            one.user.advance(now, |change| here.push((OWNER, *change)));
            let until = support::advance_until_idle(&mut many, now, |user, transition| there.push((user, transition)));
            assert_eq!(one.user.next_deadline(), until);
            assert_eq!(here, there);
        }
        assert_eq!(one.user.user(), &many.get(OWNER).cloned().unwrap_or_default());
    }
}

proptest! {
    /// Commands for three sessions where two fit, and a clock that goes back as well.
    #[test]
    fn s8_m4_any_history_ends_as_in_a_directory(
        steps in history(40, clock(), prop_oneof![
            4 => command(3).prop_map(|command| Action::Command(0, command)),
            1 => Just(Action::Advance),
        ]),
        policy in life::policy(),
    ) {
        live::<2>(&steps, policy);
    }

    /// As many sessions as a small device has room for, and one more.
    #[test]
    fn s9_a_full_house_ends_as_in_a_directory(steps in full_history(16, 1, 8), policy in life::policy()) {
        live::<8>(&steps, policy);
    }
}

#[test]
fn s8_a_command_comes_after_what_was_due_before_it() {
    let mut one: SingleUserStore<4> = SingleUserStore::new(OWNER, Policy::GRAPH);
    execute(&mut one, Instant::ZERO, OWNER, set(1)).0.unwrap();
    let late = Instant::from_secs(300);
    assert_eq!(one.read(late, OWNER), (Presence::Offline, 2), "without advancing");
    let (result, changes) = execute(&mut one, late, OWNER, Command::ClearPresence { session: session(1) });
    assert_eq!(result, Err(CommandError::NotFound));
    let [(user, change)] = changes[..] else { panic!("{changes:?}") };
    assert_eq!((user, change.before(), change.after(), change.at()), (OWNER, Presence::Away, Presence::Offline, late));
}

/// Only commands that set something need room; other errors come first.
#[test]
fn m5_s9_another_user_was_never_seen_and_finds_no_room() {
    let late = Instant::from_secs(1_000_000);
    let second = Some(Duration::from_secs(1));
    let mut one: SingleUserStore<4> = SingleUserStore::new(OWNER, Policy::GRAPH);
    let mut full = InlineDirectory::<UserId, SessionId, 4, 1>::with_policy(Policy::GRAPH);
    let lasting =
        Command::SetPreferredPresence { presence: Presence::Busy, duration: Some(Duration::from_hours(24 * 30)) };
    for store in [&mut one as &mut dyn Store, &mut full] {
        store.execute(Instant::ZERO, OWNER, lasting, &mut |_, _| {}).unwrap();
    }
    let before = one.clone();
    assert_eq!(one.read(late, OTHER), (Presence::Offline, 0));
    for (command, result) in [
        (set(1), Err(CommandError::UsersFull)),
        (Command::ClearPresence { session: session(1) }, Err(CommandError::NotFound)),
        (Command::ClearPreferredPresence, Ok(())),
        (Command::SetPreferredPresence { presence: Presence::Busy, duration: None }, Err(CommandError::UsersFull)),
        (
            Command::SetPresence { session: session(1), presence: Presence::Away, lease: second },
            Err(CommandError::Lease),
        ),
        (
            Command::SetPresence { session: session(1), presence: Presence::Offline, lease: None },
            Err(CommandError::Presence),
        ),
    ] {
        assert_eq!(execute(&mut one, late, OTHER, command), (result, Vec::new()), "{command:?}");
        assert_eq!(execute(&mut full, late, OTHER, command), (result, Vec::new()), "{command:?}");
    }
    assert_eq!(one, before);
}

#[test]
fn s8_a_command_to_another_user_applies_nothing() {
    let mut one: SingleUserStore<4> = SingleUserStore::new(OWNER, Policy::GRAPH);
    execute(&mut one, Instant::ZERO, OWNER, set(1)).0.unwrap();
    let before = one.clone();
    let late = Instant::from_secs(1_000_000);
    for command in [set(1), Command::ClearPresence { session: session(1) }, Command::ClearPreferredPresence] {
        assert_eq!(execute(&mut one, late, OTHER, command).1, []);
    }
    assert_eq!(one, before);
}
