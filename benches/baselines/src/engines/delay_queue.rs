//! Baseline 4: a fast map, users inline, and tokio's `DelayQueue` with one entry a user, reset whenever the user's next
//! deadline moves, as its documentation shows.
//!
//! Its clock is tokio's, paused, and moved by `tokio::time::advance` to the moment of each operation. That costs something
//! which a server under a real clock does not pay, so it is measured alone, by [`clock_only`], and taken off.

use super::inline::{Key, User};
use crate::engine::{Change, Engine, SetCall};
use crate::trace::Operation;
use core::task::{Context, Poll, Waker};
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use presence_core::{Presence, SessionId, UserId};
use std::time::Duration;
use tokio::runtime::{Builder, EnterGuard, Runtime};
use tokio::time::Instant;
use tokio_util::time::{DelayQueue, delay_queue};

/// tokio's clock under our control.
struct Clock {
    runtime: &'static Runtime,
    start: Instant,
    now: u64,
    /// The queue is used inside the runtime; entering it for every operation would cost more than a server pays.
    _inside: EnterGuard<'static>,
}

impl Clock {
    fn new() -> Self {
        // Leaked, so that the guard can live beside it: a few hundred bytes for each engine that is measured.
        let runtime: &'static Runtime = Box::leak(Box::new(
            Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime can be built"),
        ));
        let inside = runtime.enter();
        Self { runtime, start: Instant::now(), now: 0, _inside: inside }
    }

    fn set(&mut self, now: u64) {
        if now > self.now {
            self.runtime.block_on(tokio::time::advance(Duration::from_millis(now - self.now)));
            self.now = now;
        }
    }

    fn instant(&self, at: u64) -> Instant {
        self.start + Duration::from_millis(at)
    }
}

/// Moves the clock through a trace and does nothing else. One timer sleeps meanwhile, as there is always one that does.
#[inline(never)]
pub fn clock_only(operations: &[Operation]) {
    let mut clock = Clock::new();
    let mut sleeping = core::pin::pin!(tokio::time::sleep_until(clock.instant(u64::from(u32::MAX))));
    let _ = sleeping.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    for operation in operations {
        clock.set(u64::from(operation.at));
    }
}

/// A user's entry in the queue.
#[derive(Default)]
struct Queued(Option<(u64, delay_queue::Key)>);

pub struct TokioQueue<const SESSIONS: usize> {
    users: HashMap<Key, User<Queued, SESSIONS>>,
    deadlines: DelayQueue<Key>,
    // Last, because the queue is dropped inside the runtime.
    clock: Clock,
}

/// Schedules this user under its next deadline.
fn queue<const SESSIONS: usize>(
    deadlines: &mut DelayQueue<Key>,
    clock: &Clock,
    key: Key,
    now: u64,
    user: &mut User<Queued, SESSIONS>,
) {
    let due = user.deadline_from(now);
    match user.timer.0 {
        Some((at, _)) if at == due => {}
        Some((_, entry)) if due == u64::MAX => {
            deadlines.remove(&entry);
            user.timer.0 = None;
        }
        Some((_, entry)) => {
            deadlines.reset_at(&entry, clock.instant(due));
            user.timer.0 = Some((due, entry));
        }
        None if due == u64::MAX => {}
        None => user.timer.0 = Some((due, deadlines.insert_at(key, clock.instant(due)))),
    }
}

impl<const SESSIONS: usize> TokioQueue<SESSIONS> {
    /// Changes a user that exists, and removes it when nothing is left of it.
    fn change<R>(
        &mut self,
        now: u64,
        id: UserId,
        changes: &mut impl FnMut(Change),
        change: impl FnOnce(&mut User<Queued, SESSIONS>) -> R,
    ) -> Option<R> {
        let key = Key::from(id);
        let Entry::Occupied(mut entry) = self.users.entry(key) else { return None };
        let user = entry.get_mut();
        let result = change(user);
        user.publish(id, now, changes);
        queue(&mut self.deadlines, &self.clock, key, now + 1, user);
        if user.is_empty() {
            entry.remove();
        }
        Some(result)
    }
}

impl<const SESSIONS: usize> Engine for TokioQueue<SESSIONS> {
    fn for_users(users: usize) -> Self {
        let clock = Clock::new();
        Self { users: HashMap::with_capacity(users), deadlines: DelayQueue::with_capacity(users), clock }
    }

    fn set(&mut self, call: &SetCall, changes: &mut impl FnMut(Change)) {
        let key = Key::from(call.user);
        let user = self.users.entry(key).or_default();
        user.set(call);
        user.publish(call.user, call.now, changes);
        queue(&mut self.deadlines, &self.clock, key, call.now + 1, user);
    }

    fn clear(&mut self, now: u64, id: UserId, session: SessionId, changes: &mut impl FnMut(Change)) -> bool {
        self.change(now, id, changes, |user| user.clear(now, session)) == Some(true)
    }

    fn prefer(&mut self, now: u64, id: UserId, presence: Presence, duration: u32, changes: &mut impl FnMut(Change)) {
        self.users.entry(id.into()).or_default();
        self.change(now, id, changes, |user| user.prefer(presence, now + u64::from(duration)));
    }

    fn unprefer(&mut self, now: u64, id: UserId, changes: &mut impl FnMut(Change)) {
        self.change(now, id, changes, User::unprefer);
    }

    fn read(&self, _: u64, user: UserId) -> Presence {
        self.users.get(&Key::from(user)).map_or(Presence::Offline, |user| user.published)
    }

    fn step(&mut self, now: u64, changes: &mut impl FnMut(Change)) -> bool {
        self.clock.set(now);
        let Poll::Ready(Some(expired)) = self.deadlines.poll_expired(&mut Context::from_waker(Waker::noop())) else {
            return false;
        };
        let at = (expired.deadline() - self.clock.start).as_millis() as u64;
        let key = expired.into_inner();
        let Entry::Occupied(mut entry) = self.users.entry(key) else { return true };
        let user = entry.get_mut();
        user.timer.0 = None;
        user.expire(at);
        user.publish(key.user(), at, changes);
        queue(&mut self.deadlines, &self.clock, key, at + 1, user);
        if user.is_empty() {
            entry.remove();
        }
        true
    }
}
