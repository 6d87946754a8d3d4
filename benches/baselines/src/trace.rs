//! The one trace that every engine plays: seeded, deterministic, in virtual time.
//!
//! The first five minutes fill the engine. Then come hours of traffic: leases of PT5M to PT1H kept alive at about two
//! thirds, changes of state, sessions cleared and set again, applications that crash, reads, preferred presences. In every
//! hour, 80 % of the sessions stop at one instant, and come back within a minute a quarter of an hour later.

use crate::random::{Random, scrambled};
use presence_core::{Presence, SessionId, UserId};

/// The kind of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A session is set to the same presence again.
    KeepAlive,
    /// A session is set to something else.
    Change,
    /// A session is set that was cleared, has ended, or never was.
    Again,
    Clear,
    Prefer,
    Unprefer,
    Read,
}

impl Kind {
    pub const ALL: [Self; 7] =
        [Self::KeepAlive, Self::Change, Self::Again, Self::Clear, Self::Prefer, Self::Unprefer, Self::Read];

    pub const fn name(self) -> &'static str {
        match self {
            Self::KeepAlive => "keep-alive",
            Self::Change => "change of state",
            Self::Again => "set again",
            Self::Clear => "clear",
            Self::Prefer => "prefer",
            Self::Unprefer => "clear preferred",
            Self::Read => "read",
        }
    }
}

/// One operation in sixteen bytes, so that playing the trace takes little of the memory that is being measured.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// The moment, in milliseconds.
    pub at: u32,
    user: u32,
    /// The lease, or the duration of a preferred presence, in milliseconds.
    pub duration: u32,
    pub kind: Kind,
    session: u8,
    pub presence: Presence,
}

impl Operation {
    pub fn user(&self) -> UserId {
        user_id(self.user)
    }

    pub fn session(&self) -> SessionId {
        session_id(self.user, self.session)
    }
}

/// Returns the random GUID of a user: computed, because a table of them would be a second cache miss for every engine.
pub fn user_id(user: u32) -> UserId {
    let high = scrambled(u64::from(user) + 0x5EED);
    let low = high.rotate_left(29).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    UserId::from_bytes(((u128::from(high) << 64) | u128::from(low)).to_ne_bytes())
}

/// The GUIDs of applications; every user has some of them.
const APPLICATIONS: [SessionId; 16] = {
    let mut applications = [SessionId::from_bytes([0; 16]); 16];
    let mut number = 0;
    while number < 16 {
        let high = scrambled(number as u64 + 0xA44) as u128;
        let low = scrambled(number as u64 + 0xB55) as u128;
        applications[number] = SessionId::from_bytes(((high << 64) | low).to_ne_bytes());
        number += 1;
    }
    applications
};

pub fn session_id(user: u32, session: u8) -> SessionId {
    APPLICATIONS[(user as usize + 5 * session as usize) % 16]
}

const FILL_SECONDS: u32 = 300;
const HOUR: u32 = 3600;
/// The moments within an hour at which most sessions stop, and come back.
const MASS_EVENT: u32 = 25 * 60;
const STORM: u32 = 40 * 60;
/// Seconds that the generator looks ahead: more than a lease and the longest silence after a crash.
const HORIZON: u32 = 8192;

/// A trace, and the positions of its parts.
pub struct Trace {
    pub operations: Vec<Operation>,
    /// The number of operations that fill the engine.
    pub filled: usize,
}

impl Trace {
    /// The fill and the first ten minutes: calm, and short enough to count every instruction.
    pub fn short(users: u32, sessions: u32) -> Self {
        let mut author = Author::new(users, sessions, 0);
        author.seconds(0..FILL_SECONDS);
        let filled = author.operations.len();
        author.seconds(FILL_SECONDS..FILL_SECONDS + 10 * 60);
        Self { operations: author.operations, filled }
    }

    /// Creates a trace of so many users with so many sessions each, through so many hours.
    pub fn new(users: u32, sessions: u32, hours: u32) -> Self {
        let mut author = Author::new(users, sessions, hours);
        author.seconds(0..FILL_SECONDS);
        let filled = author.operations.len();
        for hour in 0..hours {
            let start = FILL_SECONDS + hour * HOUR;
            author.seconds(start..start + MASS_EVENT);
            author.outage = true;
            author.seconds(start + MASS_EVENT..start + STORM);
            author.outage = false;
            author.storm(start + STORM);
            author.seconds(start + STORM..start + HOUR);
            author.hour += 1;
        }
        Self { operations: author.operations, filled }
    }

    /// Returns the operations after the fill.
    pub fn traffic(&self) -> &[Operation] {
        &self.operations[self.filled..]
    }

    pub fn fill(&self) -> &[Operation] {
        &self.operations[..self.filled]
    }

    /// Returns the share of a kind in the traffic, in per cent.
    pub fn share(&self, kind: Kind) -> f64 {
        let count = self.traffic().iter().filter(|operation| operation.kind == kind).count();
        100.0 * count as f64 / self.traffic().len() as f64
    }
}

/// Reports whether a moment lies between a mass event and the reconnect storm.
pub fn is_mass_event(at: u32) -> bool {
    (at / 1000).checked_sub(FILL_SECONDS).is_some_and(|second| (MASS_EVENT..STORM).contains(&(second % HOUR)))
}

/// An application's session of one user.
#[derive(Clone, Copy)]
struct Plan {
    /// The second of its next operation.
    next: u32,
    lease_minutes: u8,
    presence: Presence,
    /// The second at which its session ends by itself; zero when it has cleared it.
    ends: u32,
    /// True after a crash or a mass event, when nothing more comes from it.
    is_silent: bool,
}

struct Author {
    random: Random,
    users: u32,
    sessions: u32,
    plans: Vec<Plan>,
    /// The sessions with an operation in each second to come, by second modulo the horizon.
    wheel: Vec<Vec<u32>>,
    outage: bool,
    hour: u32,
    operations: Vec<Operation>,
}

impl Author {
    fn new(users: u32, sessions: u32, hours: u32) -> Self {
        let mut random = Random::new(u64::from(users) << 32 | u64::from(sessions));
        let plans = (0..users * sessions).map(|_| plan(&mut random)).collect();
        let operations = Vec::with_capacity((users * sessions) as usize * (2 + 5 * hours as usize));
        let wheel = vec![Vec::new(); HORIZON as usize];
        let mut author = Self { random, users, sessions, plans, wheel, outage: false, hour: 0, operations };
        for number in 0..users * sessions {
            let second = author.random.below(FILL_SECONDS);
            author.schedule(number, second);
        }
        author
    }

    fn schedule(&mut self, number: u32, second: u32) {
        self.plans[number as usize].next = second;
        self.wheel[(second % HORIZON) as usize].push(number);
    }

    /// Reports whether a session takes part in this hour's mass event: four of five do.
    fn is_hit(&self, number: u32) -> bool {
        !scrambled(u64::from(self.hour) << 32 | u64::from(number)).is_multiple_of(5)
    }

    fn storm(&mut self, second: u32) {
        for number in (0..self.plans.len() as u32).filter(|&number| self.is_hit(number)).collect::<Vec<_>>() {
            self.plans[number as usize].is_silent = true;
            let second = second + self.random.below(60);
            self.schedule(number, second);
        }
    }

    fn seconds(&mut self, seconds: core::ops::Range<u32>) {
        for second in seconds {
            let speakers = core::mem::take(&mut self.wheel[(second % HORIZON) as usize]);
            let count = speakers.len().max(1) as u64;
            for (turn, number) in (0u64..).zip(speakers) {
                // A session that was rescheduled has an old turn left over.
                if self.plans[number as usize].next == second && !(self.outage && self.is_hit(number)) {
                    self.speak(number, second, second * 1000 + (turn * 1000 / count) as u32);
                }
            }
        }
    }

    /// Plays one turn of one session, and now and then another operation beside it.
    fn speak(&mut self, number: u32, second: u32, at: u32) {
        let mut plan = self.plans[number as usize];
        let two_thirds = u32::from(plan.lease_minutes) * 40;
        let jitter = self.random.between(95, 106);
        let mut wait = (two_thirds * jitter / 100).max(1);
        let mut kind = Some(Kind::KeepAlive);
        if second >= plan.ends {
            kind = Some(Kind::Again);
        } else if !plan.is_silent {
            match self.random.below(1000) {
                // It crashes: no more word from it until it is restarted, perhaps long after its lease.
                0..4 => {
                    (plan.is_silent, kind) = (true, None);
                    wait = self.random.between(60, 5400);
                }
                4..59 => {
                    (plan.ends, kind) = (0, Some(Kind::Clear));
                    wait = self.random.between(60, 600);
                }
                59..114 => (plan.presence, kind) = (another(&mut self.random, plan.presence), Some(Kind::Change)),
                _ => {}
            }
        }
        if matches!(kind, Some(Kind::KeepAlive | Kind::Change | Kind::Again)) {
            plan.ends = second + u32::from(plan.lease_minutes) * 60;
            plan.is_silent = false;
        }
        self.plans[number as usize] = plan;
        self.schedule(number, second + wait);
        let user = number / self.sessions;
        if let Some(kind) = kind {
            let (session, duration) = ((number % self.sessions) as u8, u32::from(plan.lease_minutes) * 60_000);
            self.operations.push(Operation { at, user, duration, kind, session, presence: plan.presence });
        }
        self.aside(at);
    }

    /// Adds a read in one of nine turns, a preferred presence in one of two hundred, of a random user.
    fn aside(&mut self, at: u32) {
        let kind = match self.random.below(1800) {
            0..200 => Kind::Read,
            200..209 => Kind::Prefer,
            209..218 => Kind::Unprefer,
            _ => return,
        };
        let user = self.random.below(self.users);
        let duration = self.random.between(1, 480) * 60_000;
        let presence = [Presence::Busy, Presence::DoNotDisturb, Presence::OffWork, Presence::BeRightBack]
            [self.random.below(4) as usize];
        self.operations.push(Operation { at, user, duration, kind, session: 0, presence });
    }
}

/// Chooses a presence for a lease. A short lease is mostly Available; a long one mostly does not fade, but a quarter of them
/// fade between two keep-alives.
fn plan(random: &mut Random) -> Plan {
    let lease_minutes = random.between(5, 61) as u8;
    let is_available = random.below(100) < if lease_minutes < 10 { 80 } else { 25 };
    let presence = if is_available { Presence::Available } else { another(random, Presence::Available) };
    Plan { next: 0, lease_minutes, presence, ends: 0, is_silent: false }
}

/// Returns another presence that a session may be set to.
fn another(random: &mut Random, than: Presence) -> Presence {
    let all =
        [Presence::Away, Presence::Available, Presence::InACall, Presence::InAConferenceCall, Presence::Presenting];
    let other = all[random.below(5) as usize];
    if other == than { if than == Presence::Away { Presence::InACall } else { Presence::Away } } else { other }
}
