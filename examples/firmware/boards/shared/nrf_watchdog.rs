//! A driver for the watchdog of Nordic's nRF51. Once started, nothing stops it or changes its period.

use crate::registers::Registers;

// Offsets of registers: a task, which a one starts, and the others.
const START: usize = 0x000;
const PERIOD: usize = 0x504;
const REQUESTS: usize = 0x508;
const CONFIGURATION: usize = 0x50C;
const RELOAD: usize = 0x600;

/// The rate of its counter.
const HZ: u32 = 32_768;
/// Counts while the processor sleeps, and pauses while a debugger has halted it.
const WHILE_ASLEEP: u32 = 1;
/// Reloads the counter.
const KEY: u32 = 0x6E52_4635;

/// A watchdog that runs.
pub(crate) struct Watchdog<R>(R);

impl<R: Registers<u32>> Watchdog<R> {
    /// Starts a watchdog that resets the chip after so many seconds without being fed.
    pub(crate) fn start(watchdog: R, seconds: u32) -> Self {
        // One more count than the register says.
        watchdog.set(PERIOD, seconds * HZ - 1);
        // The first of eight requests to reload, which alone is enough.
        watchdog.set(REQUESTS, 1);
        watchdog.set(CONFIGURATION, WHILE_ASLEEP);
        watchdog.set(START, 1);
        Self(watchdog)
    }

    /// Feeds the watchdog.
    pub(crate) fn feed(&mut self) {
        self.0.set(RELOAD, KEY);
    }
}
