//! One user in every shape, and every command in each.
//!
//! A shape is: from none to four sessions, each of five kinds, set at one moment, in the order of their ids or against
//! it, with nothing preferred, something that expires first, or something that expires last. The kinds take different ways
//! through the code: fading twice, fading once before expiry, not fading, and weaker and stronger than those. In every shape
//! every command is decided and applied; then all due transitions are applied, one deadline after the other with questions
//! and commands in between, and all at once.

use crate::label::{label_due, label_idle};
use crate::machine::{
    DeviceUser, Id, probe_advance, probe_clear, probe_clear_preferred, probe_explain, probe_next_deadline,
    probe_presence, probe_set, probe_set_preferred,
};
use core::hint::black_box;
use presence_core::{Duration, Instant, Presence};

/// A session's presence and its lease in minutes.
pub(super) const KINDS: [(Presence, u64); 5] = [
    (Presence::Away, 20),
    (Presence::Available, 60),
    (Presence::Available, 7),
    (Presence::InACall, 10),
    (Presence::Presenting, 30),
];

/// A preferred presence and its minutes: it expires before all sessions, or after them.
pub(super) const PREFERRED: [Option<(Presence, u64)>; 3] =
    [None, Some((Presence::Busy, 1)), Some((Presence::BeRightBack, 90))];

/// The moment at which a shape is complete.
pub(super) const NOW: Instant = Instant::from_secs(5);

/// The order in which sessions are set.
#[derive(Clone, Copy)]
pub(super) enum Order {
    AtOnce,
    Ascending,
    Descending,
}

const ORDERS: [Order; 3] = [Order::AtOnce, Order::Ascending, Order::Descending];

/// Returns the id of a session; odd, so that another id fits in front of each.
fn taken<S: Id>(index: u8) -> S {
    S::ranked(index.saturating_mul(2).saturating_add(1))
}

/// Returns an unused id in front of a session's.
fn free<S: Id>(index: u8) -> S {
    S::ranked(index.saturating_mul(2))
}

fn minutes(count: u64) -> Option<Duration> {
    black_box(Some(Duration::from_mins(count)))
}

/// Plays every shape, and reports whether every call did what it should.
#[inline(always)]
pub fn drive<S: Id>() -> bool {
    let mut good = true;
    for count in 0..=4_u8 {
        for shape in 0..KINDS.len().pow(count.into()) {
            for order in ORDERS {
                for preferred in PREFERRED {
                    good &= drive_shape::<S>(count, shape, order, preferred);
                }
            }
        }
    }
    good
}

#[inline(never)]
fn drive_shape<S: Id>(count: u8, shape: usize, order: Order, preferred: Option<(Presence, u64)>) -> bool {
    let mut user = DeviceUser::<S>::new();
    let mut good = drive_into_shape(&mut user, count, shape, order, preferred);
    drive_questions(&user);
    good &= drive_commands(&user, NOW, count);
    good & drive_time(&user)
}

/// Brings a new user into a shape.
#[inline(never)]
pub(super) fn drive_into_shape<S: Id>(
    user: &mut DeviceUser<S>,
    count: u8,
    shape: usize,
    order: Order,
    preferred: Option<(Presence, u64)>,
) -> bool {
    let mut good = true;
    let mut digits = shape;
    label_idle();
    for index in 0..count {
        let (presence, lease) = KINDS.get(digits % KINDS.len()).copied().unwrap_or((Presence::Away, 20));
        digits /= KINDS.len();
        let index = if matches!(order, Order::Descending) { count - 1 - index } else { index };
        let moment = if matches!(order, Order::AtOnce) { 4 } else { 1 + u64::from(index) };
        let moment = if matches!(order, Order::Descending) { 5 - moment } else { moment };
        good &= probe_set(user, black_box(Instant::from_secs(moment)), taken(index), presence, minutes(lease));
    }
    if let Some((presence, duration)) = preferred {
        good &= probe_set_preferred(user, black_box(NOW), presence, minutes(duration));
    }
    good
}

/// Plays every question.
#[inline(never)]
fn drive_questions<S: Id>(user: &DeviceUser<S>) {
    black_box(probe_next_deadline(user));
    black_box(probe_presence(user));
    black_box(probe_explain(user));
}

/// Plays every command, each on the same user.
#[inline(never)]
fn drive_commands<S: Id>(user: &DeviceUser<S>, now: Instant, count: u8) -> bool {
    let mut good = true;
    good &= !probe_advance(&mut user.clone(), now);
    for (presence, lease) in [(Presence::Available, minutes(60)), (Presence::Presenting, None)] {
        for index in 0..count {
            good &= probe_set(&mut user.clone(), now, taken(index), presence, lease);
        }
        for index in 0..=count {
            good &= probe_set(&mut user.clone(), now, free(index), presence, lease) == (count < 4);
        }
        good &= !probe_set(&mut user.clone(), now, taken(0), Presence::Offline, lease);
    }
    for index in 0..count {
        good &= probe_clear(&mut user.clone(), now, taken(index));
    }
    for index in 0..=count {
        good &= !probe_clear(&mut user.clone(), now, free(index));
    }
    good &= probe_set_preferred(&mut user.clone(), now, Presence::Available, minutes(5));
    good &= probe_set_preferred(&mut user.clone(), now, Presence::DoNotDisturb, None);
    good &= !probe_set_preferred(&mut user.clone(), now, Presence::InACall, None);
    good & (probe_clear_preferred(&mut user.clone(), now) == user.preferred().is_some())
}

/// Applies all due transitions: one deadline after the other, and all at once.
#[inline(never)]
fn drive_time<S: Id>(user: &DeviceUser<S>) -> bool {
    let mut good = true;
    let mut late = user.clone();
    let mut user = user.clone();
    while let Some(deadline) = user.next_deadline() {
        label_due();
        good &= probe_advance(&mut user, black_box(deadline));
        good &= probe_advance(&mut late, black_box(Instant::from_secs(100_000)));
        label_idle();
        drive_questions(&user);
        if user.next_deadline() == Some(deadline) {
            continue;
        }
        if let Some(first) = user.sessions().first() {
            good &= probe_clear(&mut user.clone(), deadline, first.id());
            good &= probe_set(&mut user.clone(), deadline, first.id(), Presence::Available, None);
        }
        if let Some(last) = user.sessions().last() {
            good &= probe_clear(&mut user.clone(), deadline, last.id());
        }
    }
    good && !probe_advance(&mut late, Instant::from_secs(100_000))
        && user.is_empty()
        && late.version() == user.version()
}
