//! Sixty-four commands at once against one by one.

use super::single;
use crate::clock::Stretch;
use crate::engines::ours::Ours;
use presence_core::{Command, Duration, Instant, SessionId, UserId};
use std::hint::black_box;

/// The number of commands in a batch.
const AT_ONCE: usize = 64;

/// Nanoseconds for each keep-alive, one by one and in batches.
#[derive(Clone, Copy, Default)]
pub struct Batch {
    pub one_by_one: f64,
    pub batched: f64,
}

pub fn batch<const SESSIONS: usize>(users: u32, order: &[u32]) -> Batch {
    let mut engine = single::filled::<Ours<SESSIONS>>(users, SESSIONS as u8);
    let commands: Vec<(UserId, Command<SessionId>)> = single::keep_alives(SESSIONS as u8, order, 0)
        .map(|call| {
            let (session, presence) = (call.session, call.presence);
            let lease = Some(Duration::from_millis(call.lease.into()));
            (call.user, Command::SetPresence { session, presence, lease })
        })
        .collect();
    let mut fastest = Batch { one_by_one: f64::INFINITY, batched: f64::INFINITY };
    for minute in 0..3u64 {
        let moment = |turn: usize| Instant::from_millis(minute * 60_000 + (turn / AT_ONCE) as u64);
        let start = Stretch::start();
        let mut failed = one_by_one(&mut engine, &commands, moment);
        fastest.one_by_one = fastest.one_by_one.min(start.nanoseconds() / commands.len() as f64);
        let start = Stretch::start();
        failed += batched(&mut engine, &commands, moment);
        fastest.batched = fastest.batched.min(start.nanoseconds() / commands.len() as f64);
        assert_eq!(black_box(failed), 0, "keep-alives are not rejected");
    }
    fastest
}

#[inline(never)]
fn one_by_one<const SESSIONS: usize>(
    engine: &mut Ours<SESSIONS>,
    commands: &[(UserId, Command<SessionId>)],
    moment: impl Fn(usize) -> Instant,
) -> usize {
    let outcomes = commands.iter().enumerate().map(|(turn, (user, command))| {
        engine.0.execute(moment(turn), *user, *command, |_, transition| {
            black_box(transition.after());
        })
    });
    outcomes.filter(Result::is_err).count()
}

#[inline(never)]
fn batched<const SESSIONS: usize>(
    engine: &mut Ours<SESSIONS>,
    commands: &[(UserId, Command<SessionId>)],
    moment: impl Fn(usize) -> Instant,
) -> usize {
    let mut failed = 0;
    for (number, chunk) in commands.chunks(AT_ONCE).enumerate() {
        engine.0.execute_batch(
            moment(number * AT_ONCE),
            chunk,
            |_, transition| {
                black_box(transition.after());
            },
            |_, outcome| failed += usize::from(outcome.is_err()),
        );
    }
    failed
}
