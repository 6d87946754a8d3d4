//! A directory of eight users, from several beginnings: every three steps out of those that take different ways through the
//! code, with every question in between; and then all due transitions.
//!
//! It begins empty, half full, or full: of users whose deadlines all fall together or one after the other, in ascending or
//! descending order of their ids, of users who have nothing left, and of both. A step is a command of a known user, of an
//! unknown one, or time: one call of `advance`, or a clock that has moved on by minutes, or by a day.

use crate::directory::{
    USERS, Users, probe_advance, probe_execute, probe_next_deadline, probe_presence, probe_version,
};
use crate::label::{label_due, label_idle};
use core::hint::black_box;
use presence_core::directory::Directory;
use presence_core::{Command, Duration, Instant, Policy, Presence, SessionId, UserId};

/// The number of steps that follow each other.
const DEPTH: u32 = 3;

fn user(number: usize) -> UserId {
    UserId::from_bytes((0xfa8b_f3dc_eca7_46b7_bad1_db19_9b62_af00 | number as u128).to_be_bytes())
}

fn session(number: u128) -> SessionId {
    SessionId::from_bytes((0x2255_3876_f5ab_4529_bffb_cfe5_0aa8_9f00 | number).to_be_bytes())
}

/// A user whom no beginning has.
const UNKNOWN: usize = 0x44;

const fn set(session: SessionId, presence: Presence, minutes: u64) -> Command<SessionId> {
    Command::SetPresence { session, presence, lease: Some(Duration::from_mins(minutes)) }
}

/// The users at the beginning.
#[derive(Clone, Copy)]
enum Beginning {
    /// Users with sessions, whose deadlines fall together or apart.
    Present { count: usize, apart: u64, descending: bool },
    /// Users of whom each, or every other one, has nothing left.
    SignedOut { every: usize },
}

const BEGINNINGS: [Beginning; 8] = [
    Beginning::Present { count: 0, apart: 0, descending: false },
    Beginning::Present { count: 4, apart: 7, descending: false },
    Beginning::Present { count: USERS, apart: 0, descending: false },
    Beginning::Present { count: USERS, apart: 0, descending: true },
    Beginning::Present { count: USERS, apart: 9, descending: false },
    Beginning::Present { count: USERS, apart: 9, descending: true },
    Beginning::SignedOut { every: 1 },
    Beginning::SignedOut { every: 2 },
];

const NOW: Instant = Instant::from_secs(60);

/// Plays every sequence from every beginning, and reports whether all users were offline in the end.
#[inline(always)]
pub fn drive() -> bool {
    let mut good = true;
    let empty = Users::with_policy(Policy::DESK);
    let mut users = empty.clone();
    for beginning in BEGINNINGS {
        let mut begun = empty.clone();
        drive_beginning(&mut begun, beginning);
        for sequence in 0..STEPS.pow(DEPTH) {
            users.clone_from(&begun);
            good &= drive_sequence(&mut users, sequence);
        }
    }
    good
}

#[inline(never)]
fn drive_beginning(users: &mut Users, beginning: Beginning) {
    label_idle();
    let (count, apart, descending) = match beginning {
        Beginning::Present { count, apart, descending } => (count, apart, descending),
        Beginning::SignedOut { .. } => (USERS, 0, false),
    };
    for index in 0..count {
        let number = if descending { USERS - index } else { index + 1 };
        // The lease outlives both fades, or there is another session that does not fade.
        let minutes = 15 + apart * index as u64;
        probe_execute(users, NOW, user(number), &set(session(1), Presence::Available, minutes));
        for more in 2..=4 {
            probe_execute(users, NOW, user(number), &set(session(more), Presence::InACall, minutes));
        }
        if let Beginning::SignedOut { every } = beginning
            && index.is_multiple_of(every)
        {
            for cleared in 1..=4 {
                probe_execute(users, NOW, user(number), &Command::ClearPresence { session: session(cleared) });
            }
        }
    }
}

const STEPS: usize = 14;

#[inline(never)]
fn drive_sequence(users: &mut Users, sequence: usize) -> bool {
    let mut rest = sequence;
    let mut now = NOW;
    for _ in 0..DEPTH {
        now = drive_step(users, rest % STEPS, now);
        rest /= STEPS;
    }
    // One sequence in so many is enough for the due transitions.
    !sequence.is_multiple_of(STEPS) || drive_time(users, now)
}

/// Plays a step and every question, and returns the time after it.
#[inline(never)]
fn drive_step(users: &mut Users, step: usize, now: Instant) -> Instant {
    label(users, now);
    let mut now = now;
    let command = match step {
        0 => (1, set(session(1), Presence::Available, 30)),
        1 => (1, set(session(4), Presence::Presenting, 5)),
        2 => (1, Command::ClearPresence { session: session(1) }),
        3 => (USERS, Command::ClearPresence { session: session(4) }),
        4 => (USERS, set(session(0), Presence::Away, 240)),
        5 => (4, Command::SetPreferredPresence { presence: Presence::Busy, duration: Some(Duration::from_mins(5)) }),
        6 => (4, Command::ClearPreferredPresence),
        7 => (UNKNOWN, set(session(9), Presence::Available, 60)),
        8 => (UNKNOWN, Command::SetPreferredPresence { presence: Presence::OffWork, duration: None }),
        9 => (UNKNOWN + 1, set(session(9), Presence::InACall, 5)),
        10 => (UNKNOWN, Command::ClearPresence { session: session(9) }),
        11 => {
            black_box(probe_advance(users, now));
            return now;
        }
        12 => {
            now = now.saturating_add(Duration::from_mins(10));
            label(users, now);
            (USERS / 2, set(session(2), Presence::InACall, 20))
        }
        _ => {
            now = now.saturating_add(Duration::from_hours(24));
            label(users, now);
            (UNKNOWN, set(session(9), Presence::Available, 60))
        }
    };
    let (who, command) = command;
    black_box(probe_next_deadline(users));
    for asked in [1, USERS, UNKNOWN] {
        black_box((probe_presence(users, now, user(asked)), probe_version(users, now, user(asked))));
    }
    black_box(probe_execute(users, black_box(now), user(who), black_box(&command)));
    now
}

/// Labels the calls that follow: is anything due?
fn label(users: &Users, now: Instant) {
    if Directory::users(users).any(|(_, user)| user.at(now).is_err()) { label_due() } else { label_idle() }
}

/// Advances to two days later, one step at a time.
#[inline(never)]
fn drive_time(users: &mut Users, now: Instant) -> bool {
    let end = now.saturating_add(Duration::from_hours(48));
    label_due();
    while probe_advance(users, end) {}
    Directory::users(users).all(|(_, user)| user.presence() == Presence::Offline)
}
