//! The events of a month.

use super::person::SESSIONS;
use super::random::Random;
use super::reader::Reader;
use super::restart::Checkpoint;
use super::world::{Counts, IDS, SLOTS, World};
use presence_core::Presence::{self, *};
use presence_core::{Command, Duration};

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The number of users who come every day; the others are visitors.
const STAFF: u32 = SLOTS as u32;

// The applications.
const DESKTOP: u8 = 0;
const PHONE: u8 = 1;

pub struct Month {
    world: World,
    random: Random,
    /// A reader every few minutes.
    eager: Reader,
    /// A reader twice a day.
    lazy: Reader,
    /// The checkpoint on disk.
    disk: Checkpoint,
}

/// The result of a month, equal for equal months.
#[derive(PartialEq, Eq)]
pub struct Ending {
    pub digest: u64,
    pub counts: Counts,
    pub snapshots: Vec<u8>,
}

fn set(session: u8, presence: Presence, lease: u64) -> Command<u8> {
    Command::SetPresence { session, presence, lease: Some(Duration::from_millis(lease)) }
}

impl Month {
    pub fn new(seed: u64) -> Self {
        let mut world = World::new(40 * DAY);
        let disk = world.checkpoint();
        Self { world, random: Random::new(seed), eager: Reader::new(), lazy: Reader::new(), disk }
    }

    pub fn play(mut self) -> Ending {
        for day in 0..30 {
            self.night(day);
            self.morning(day);
            self.noon(day);
            self.afternoon(day);
            self.evening(day);
        }
        self.world.advance();
        self.world.assert_same();
        let snapshots = self.world.snapshots();
        let mut digest = self.world.digest;
        let snapshots: Vec<u8> =
            snapshots.into_iter().flat_map(|(id, bytes)| [&id.to_le_bytes()[..], &bytes].concat()).collect();
        snapshots
            .chunks(8)
            .for_each(|chunk| digest.word(chunk.iter().fold(0, |word, byte| word << 8 | u64::from(*byte))));
        Ending { digest: digest.sum(), counts: self.world.counts, snapshots }
    }

    /// Executes few commands, writes a checkpoint, and lets the power fail.
    fn night(&mut self, day: u64) {
        self.pass(4 * HOUR, 30 * MINUTE, 5);
        self.write_checkpoint();
        match day {
            // For an unknown time, and the clock starts again.
            6 | 25 => {
                self.pass(HOUR, 10 * MINUTE, 20);
                self.world.lose_power(&self.disk, 30 * DAY + 5 * SECOND);
                self.readers_start_over();
                self.write_checkpoint();
            }
            // For nine hours, and the clock starts again.
            20 => self.crash(9 * HOUR, Some(50 * DAY)),
            _ if day % 3 == 1 => self.crash(7 * MINUTE, None),
            _ => {}
        }
        self.pass(4 * HOUR, 30 * MINUTE, 5);
    }

    /// Lets all users come: half of them one by one, the others at the same instant.
    fn morning(&mut self, day: u64) {
        for part in 0..10 {
            for id in (part * STAFF / 20)..((part + 1) * STAFF / 20) {
                self.world.now += self.random.below(500);
                self.world.command(id, set(DESKTOP, Available, 4 * HOUR));
            }
            self.world.advance();
        }
        self.command_many(STAFF / 2..STAFF, set(DESKTOP, Available, 4 * HOUR));
        self.pass(HOUR, 5 * MINUTE, 100);
        match day {
            // The clock jumps ahead: everything due in between is applied, each at its own instant.
            9 => self.world.now += 2 * HOUR,
            // It is behind for half an hour, which makes nothing due (C1).
            11 => {
                self.world.advance();
                self.world.now -= HOUR;
                self.pass(30 * MINUTE, 5 * MINUTE, 200);
                self.world.now += HOUR;
            }
            // It is set, and all deadlines move with it (C2).
            13 => self.rebase(self.world.now - 10 * DAY),
            16 => self.rebase(self.world.now + 100 * DAY),
            _ => {}
        }
        self.pass(HOUR, 5 * MINUTE, 100);
    }

    /// Executes many keep-alives, and lets many leases end at the same instant.
    fn noon(&mut self, day: u64) {
        self.command_many(0..STAFF, set(DESKTOP, Available, 3 * HOUR));
        self.pass(10 * MINUTE, 5 * MINUTE, 100);
        self.command_many(
            STAFF / 4..STAFF * 3 / 4,
            Command::SetPresence { session: PHONE, presence: InACall, lease: None },
        );
        self.world.now += 5 * MINUTE;
        if day % 10 == 8 {
            // The process ends when half of the transitions are applied, several times.
            for _ in 0..3 {
                assert!(!self.world.advance_some(1500), "in the middle");
                let gap = self.random.below(20);
                self.world.crash(&self.disk, gap, None);
                self.readers_start_over();
            }
        }
        self.world.advance();
        self.pass(2 * HOUR, 10 * MINUTE, 100);
    }

    fn afternoon(&mut self, day: u64) {
        self.command_many(0..STAFF / 3, set(PHONE, InAConferenceCall, 45 * MINUTE));
        self.command_many(STAFF / 3..STAFF, set(DESKTOP, Away, 3 * HOUR));
        self.lazy.read(&mut self.world);
        self.pass(2 * HOUR, 10 * MINUTE, 150);
        if day % 7 == 2 {
            self.world.advance();
            self.world.assert_same();
            self.crash(MINUTE, None);
        }
    }

    /// Signs half of the users out and lets the others expire. Visitors take the slots of those who left.
    fn evening(&mut self, _: u64) {
        for id in 0..STAFF / 2 {
            self.world.command(id, Command::ClearPresence { session: DESKTOP });
        }
        for id in STAFF..IDS as u32 {
            if self.random.below(2) == 0 {
                self.world.now += self.random.below(2000);
                self.world.command(id, set(PHONE, self.random.one_of(&[Available, Presenting]), 10 * MINUTE));
            }
        }
        self.pass(6 * HOUR, 20 * MINUTE, 50);
        self.lazy.read(&mut self.world);
    }

    /// Lets time pass in steps, with so many commands in each; some steps do not advance the directory.
    fn pass(&mut self, length: u64, step: u64, commands: u64) {
        let end = self.world.now + length;
        while self.world.now < end {
            let next = (self.world.now + step).min(end);
            for _ in 0..commands {
                self.world.now = (self.world.now + self.random.below(2 * step / commands)).min(next);
                self.random_command();
            }
            self.world.now = next;
            if self.random.below(4) > 0 {
                self.world.advance();
            }
            self.eager.read(&mut self.world);
        }
    }

    /// Executes a random command of a random user.
    fn random_command(&mut self) {
        let Self { random, world, .. } = self;
        let id = random.below(IDS as u64) as u32;
        let session = random.below(SESSIONS as u64 + 1) as u8;
        let presence = random.one_of(&[Available, Available, InACall, Away, Presenting, Busy]);
        let lease = random.one_of(&[None, Some(5), Some(9), Some(10), Some(60), Some(240), Some(4), Some(241)]);
        let lease = lease.map(Duration::from_mins);
        let preferred = random.one_of(&[Busy, DoNotDisturb, OffWork, Away, BeRightBack, InACall]);
        let duration = random.one_of(&[None, Some(1), Some(5), Some(60), Some(2000)]).map(Duration::from_mins);
        let command = match random.below(20) {
            0..=9 => Command::SetPresence { session, presence, lease },
            10..=15 => Command::ClearPresence { session },
            16 | 17 => Command::SetPreferredPresence { presence: preferred, duration },
            _ => Command::ClearPreferredPresence,
        };
        world.command(id, command);
    }

    /// Executes the same command of many users at once. Evicted users follow one by one.
    fn command_many(&mut self, ids: std::ops::Range<u32>, command: Command<u8>) {
        let (known, evicted): (Vec<_>, Vec<_>) = ids.partition(|id| self.world.people[*id as usize].is_some());
        let commands: Vec<_> = known.into_iter().map(|id| (id, command)).collect();
        self.world.command_all(&commands);
        evicted.into_iter().for_each(|id| self.world.command(id, command));
        self.eager.read(&mut self.world);
    }

    fn write_checkpoint(&mut self) {
        self.world.advance();
        self.world.assert_same();
        self.disk = self.world.checkpoint();
    }

    fn crash(&mut self, gap: u64, to: Option<u64>) {
        self.world.crash(&self.disk, gap, to);
        self.readers_start_over();
        self.world.advance();
        self.world.assert_same();
        self.disk = self.world.checkpoint();
    }

    fn readers_start_over(&mut self) {
        self.eager.start_over(&self.world);
        self.lazy.start_over(&self.world);
    }

    fn rebase(&mut self, to: u64) {
        self.world.rebase(to);
        self.world.assert_same();
    }
}
