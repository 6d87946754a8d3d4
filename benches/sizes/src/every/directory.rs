//! A directory of eight users, from several beginnings: every three commands out of those that take different ways, with
//! every question in between; and then all that time does.
//!
//! It begins empty, half full, or full: of users whose deadlines all fall together or one after the other, in the order of
//! their ids or against it, of users who have nothing left, and of both. What comes next is a command of a user who is there,
//! of one who is not, or time: one step of it, or a clock that has moved on by minutes, or by a day.

use crate::directory::{
    Household, USERS, probe_advance, probe_execute, probe_next_deadline, probe_presence, probe_version,
};
use crate::label::{label_due, label_idle};
use core::hint::black_box;
use presence_core::directory::{Directory, InlineMemory};
use presence_core::{Command, Duration, Instant, Policy, Presence, SessionId, UserId};

/// How many commands follow each other.
const DEPTH: u32 = 3;

fn user(number: usize) -> UserId {
    UserId::from_bytes((0xfa8b_f3dc_eca7_46b7_bad1_db19_9b62_af00 | number as u128).to_be_bytes())
}

fn session(number: u128) -> SessionId {
    SessionId::from_bytes((0x2255_3876_f5ab_4529_bffb_cfe5_0aa8_9f00 | number).to_be_bytes())
}

/// Somebody who is never there at the beginning.
const STRANGER: usize = 0x44;

const fn set(session: SessionId, presence: Presence, minutes: u64) -> Command<SessionId> {
    Command::SetPresence { session, presence, lease: Some(Duration::from_mins(minutes)) }
}

/// What the users at the beginning are like.
#[derive(Clone, Copy)]
enum Beginning {
    /// Their deadlines fall together, in twos, or one after the other.
    Present { count: usize, apart: u64, against: bool },
    /// They have nothing left, or every other one has.
    Gone { every: usize },
}

const BEGINNINGS: [Beginning; 8] = [
    Beginning::Present { count: 0, apart: 0, against: false },
    Beginning::Present { count: 4, apart: 7, against: false },
    Beginning::Present { count: USERS, apart: 0, against: false },
    Beginning::Present { count: USERS, apart: 0, against: true },
    Beginning::Present { count: USERS, apart: 9, against: false },
    Beginning::Present { count: USERS, apart: 9, against: true },
    Beginning::Gone { every: 1 },
    Beginning::Gone { every: 2 },
];

const NOW: Instant = Instant::from_secs(60);

/// True if everybody was offline in the end.
#[inline(always)]
pub fn drive() -> bool {
    let mut good = true;
    let empty = Household::new(InlineMemory::new(), Policy::DESK);
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
fn drive_beginning(users: &mut Household, beginning: Beginning) {
    label_idle();
    let (count, apart, against) = match beginning {
        Beginning::Present { count, apart, against } => (count, apart, against),
        Beginning::Gone { .. } => (USERS, 0, false),
    };
    for place in 0..count {
        let number = if against { USERS - place } else { place + 1 };
        // The lease outlives both fades, or there is another session that does not fade.
        let minutes = 15 + apart * place as u64;
        probe_execute(users, NOW, user(number), &set(session(1), Presence::Available, minutes));
        for more in 2..=4 {
            probe_execute(users, NOW, user(number), &set(session(more), Presence::InACall, minutes));
        }
        if let Beginning::Gone { every } = beginning
            && place % every == 0
        {
            for gone in 1..=4 {
                probe_execute(users, NOW, user(number), &Command::ClearPresence { session: session(gone) });
            }
        }
    }
}

const STEPS: usize = 14;

#[inline(never)]
fn drive_sequence(users: &mut Household, sequence: usize) -> bool {
    let mut rest = sequence;
    let mut now = NOW;
    for _ in 0..DEPTH {
        now = drive_step(users, rest % STEPS, now);
        rest /= STEPS;
    }
    // One sequence in so many is enough for all that time does.
    sequence % STEPS != 0 || drive_time(users, now)
}

/// Does something, asks everything, and tells what time it is.
#[inline(never)]
fn drive_step(users: &mut Household, step: usize, now: Instant) -> Instant {
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
        7 => (STRANGER, set(session(9), Presence::Available, 60)),
        8 => (STRANGER, Command::SetPreferredPresence { presence: Presence::OffWork, duration: None }),
        9 => (STRANGER + 1, set(session(9), Presence::InACall, 5)),
        10 => (STRANGER, Command::ClearPresence { session: session(9) }),
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
            (STRANGER, set(session(9), Presence::Available, 60))
        }
    };
    let (who, command) = command;
    black_box(probe_next_deadline(users));
    for asked in [1, USERS, STRANGER] {
        black_box((probe_presence(users, now, user(asked)), probe_version(users, now, user(asked))));
    }
    black_box(probe_execute(users, black_box(now), user(who), black_box(&command)));
    now
}

/// Is anything due?
fn label(users: &Household, now: Instant) {
    if Directory::users(users).any(|(_, user)| user.at(now).is_err()) { label_due() } else { label_idle() }
}

/// All that time does, up to a day later, one step at a time.
#[inline(never)]
fn drive_time(users: &mut Household, now: Instant) -> bool {
    let end = now.saturating_add(Duration::from_hours(48));
    label_due();
    while probe_advance(users, end) {}
    Directory::users(users).all(|(_, user)| user.presence() == Presence::Offline)
}
