//! A run: everything that is measured at one size.

use crate::clock::Stretch;
use crate::engine::Engine;
use crate::engines::{ENGINES, EXPERT, NAMES, NO_TIMERS, OURS, Visitor, delay_queue, visit_all};
use crate::measure::{self, Measurements, batch::Batch, reads::Reads};
use crate::same::{Seen, seen};
use crate::trace::{Kind, Operation, Trace};
use presence_core::{SessionId, User};

/// The outcome of a run.
pub struct Outcome {
    pub users: u32,
    pub sessions: u32,
    pub operations: usize,
    /// The share of each kind of operation in the traffic, in per cent.
    pub shares: [f64; Kind::ALL.len()],
    /// The measurements of every engine that can hold so many users.
    pub measurements: Vec<Measurements>,
    /// Nanoseconds that moving tokio's clock alone takes, for each operation of the fill and of the traffic.
    pub clock: Clock,
    pub floor: f64,
    pub reads: Reads,
    pub batch: Batch,
}

impl Outcome {
    pub fn of(&self, engine: usize) -> &Measurements {
        self.measurements.iter().find(|measurements| measurements.engine == engine).expect("an engine of every size")
    }
}

/// Asserts that all engines give the same answers, and the same changes at the same times, before anything is timed.
pub fn check<const SESSIONS: usize, const PLACES: usize, const ENTRIES: usize>(users: u32, hours: u32) {
    struct Check {
        users: u32,
        trace: Trace,
        ours: Option<Seen>,
    }
    impl Visitor for Check {
        fn visit<E: Engine>(&mut self, engine: usize) {
            let seen = seen::<E>(self.users, &self.trace);
            match &self.ours {
                None => self.ours = Some(seen),
                Some(ours) if engine == NO_TIMERS => seen.assert_same_answers(ours, NAMES[engine]),
                Some(ours) => seen.assert_same(ours, NAMES[engine]),
            }
        }
    }
    let trace = Trace::new(users, SESSIONS as u32, hours);
    let mut check = Check { users, trace, ours: None };
    visit_all::<SESSIONS, PLACES, ENTRIES>(users, &mut check);
    let (answers, changes) = check.ours.map_or((0, 0), |ours| ours.counts());
    assert!(answers > 0 && changes > 0, "{answers} answers and {changes} changes prove nothing");
    println!("{users} × {SESSIONS}: all engines give the same {answers} answers and the same {changes} changes");
}

/// Plays the rounds through the trace.
struct Rounds<'a> {
    users: u32,
    trace: &'a Trace,
    round: usize,
    rounds: usize,
    measurements: Vec<Measurements>,
}

impl Visitor for Rounds<'_> {
    fn visit<E: Engine>(&mut self, engine: usize) {
        // With many users, two rounds must do for those who are not close.
        if self.round >= 2 && self.users >= 1_000_000 && engine != OURS && engine != EXPERT {
            return;
        }
        eprintln!("{} users: round {} of {}: {}", self.users, self.round + 1, self.rounds, NAMES[engine]);
        let (fill, mixed) = measure::round::<E>(self.users, self.trace);
        if self.measurements.iter().all(|measurements| measurements.engine != engine) {
            self.measurements.push(Measurements::of(engine));
        }
        for measurements in self.measurements.iter_mut().filter(|measurements| measurements.engine == engine) {
            (measurements.fill, measurements.mixed) = (measurements.fill.min(fill), measurements.mixed.min(mixed));
        }
    }
}

/// The cost of moving tokio's clock.
pub struct Clock {
    pub fill: f64,
    pub mixed: f64,
}

/// Measures the fastest of several rounds, like the numbers that it is taken off.
fn clock(trace: &Trace, rounds: usize) -> Clock {
    let fastest = |operations: &[Operation]| {
        let round = |_| {
            let start = Stretch::start();
            delay_queue::clock_only(operations);
            start.nanoseconds() / operations.len() as f64
        };
        (0..rounds).map(round).fold(f64::INFINITY, f64::min)
    };
    Clock { fill: fastest(trace.fill()), mixed: fastest(trace.traffic()) }
}

/// Measures everything else of each engine.
struct Details<'a> {
    users: u32,
    sessions: u8,
    trace: &'a Trace,
    order: &'a [u32],
    measurements: &'a mut [Measurements],
}

impl Visitor for Details<'_> {
    fn visit<E: Engine>(&mut self, engine: usize) {
        eprintln!("{} users: details of {}", self.users, NAMES[engine]);
        for measurements in self.measurements.iter_mut().filter(|measurements| measurements.engine == engine) {
            measurements.calls = measure::calls::calls::<E>(self.users, self.trace);
            measurements.single = measure::single::single::<E>(self.users, self.sessions, self.order);
            measurements.stalls = measure::stalls::stalls::<E>(self.users);
        }
    }
}

/// Measures the trace alone.
pub fn mixed<const SESSIONS: usize, const PLACES: usize, const ENTRIES: usize>(
    users: u32,
    hours: u32,
    rounds: usize,
) -> Outcome {
    mixed_of::<SESSIONS, PLACES, ENTRIES>(users, rounds, &Trace::new(users, SESSIONS as u32, hours))
}

fn mixed_of<const SESSIONS: usize, const PLACES: usize, const ENTRIES: usize>(
    users: u32,
    rounds: usize,
    trace: &Trace,
) -> Outcome {
    // Engine after engine, and again: what disturbs the machine for a while disturbs all.
    let mut played = Rounds { users, trace, round: 0, rounds, measurements: Vec::with_capacity(ENGINES) };
    for round in 0..rounds {
        played.round = round;
        visit_all::<SESSIONS, PLACES, ENTRIES>(users, &mut played);
    }
    Outcome {
        users,
        sessions: SESSIONS as u32,
        operations: trace.operations.len(),
        shares: Kind::ALL.map(|kind| trace.share(kind)),
        measurements: played.measurements,
        clock: clock(trace, rounds),
        floor: 0.0,
        reads: Reads::default(),
        batch: Batch::default(),
    }
}

pub fn everything<const SESSIONS: usize, const PLACES: usize, const ENTRIES: usize>(
    users: u32,
    hours: u32,
    rounds: usize,
) -> Outcome {
    let trace = Trace::new(users, SESSIONS as u32, hours);
    let mut outcome = mixed_of::<SESSIONS, PLACES, ENTRIES>(users, rounds, &trace);
    let order = measure::single::order(users);
    let (sessions, measurements) = (SESSIONS as u8, &mut outcome.measurements[..]);
    visit_all::<SESSIONS, PLACES, ENTRIES>(
        users,
        &mut Details { users, sessions, trace: &trace, order: &order, measurements },
    );
    eprintln!("{users} users: memory itself, and batches");
    let bytes = outcome.of(OURS).calls.bytes_after;
    outcome.floor = measure::floor::read_modify_write(bytes, 4_000_000);
    outcome.reads = measure::reads::reads::<SESSIONS>(users, &order, size_of::<User<SessionId, SESSIONS>>());
    outcome.batch = measure::batch::batch::<SESSIONS>(users, &order);
    outcome
}
