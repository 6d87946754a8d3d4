//! A driver for the watchdog of ARM's Cortex-M System Design Kit, which TI's LM3S chips have as well.

use crate::registers::Registers;

// Offsets of registers.
const LOAD: usize = 0x000;
const CONTROL: usize = 0x008;
const CLEAR: usize = 0x00C;
const LOCK: usize = 0xC00;

/// Interrupts when the counter reaches zero, and resets the chip when it does so again. TI's takes one write only.
const INTERRUPTS_AND_RESETS: u32 = 0b11;
/// Unlocks the registers; any other value locks them.
const KEY: u32 = 0x1ACC_E551;

/// A watchdog that runs.
pub(crate) struct Watchdog<R>(R);

impl<R: Registers<u32>> Watchdog<R> {
    /// Starts a watchdog that resets the chip after two times `counts` without being fed. Its interrupt between them needs no
    /// handler.
    pub(crate) fn start(watchdog: R, counts: u32) -> Self {
        watchdog.set(LOCK, KEY);
        watchdog.set(LOAD, counts);
        watchdog.set(CONTROL, INTERRUPTS_AND_RESETS);
        watchdog.set(LOCK, 0);
        Self(watchdog)
    }

    /// Feeds the watchdog. Its registers are unlocked only meanwhile, so that a program that went astray does not feed it.
    pub(crate) fn feed(&mut self) {
        self.0.set(LOCK, KEY);
        // Also loads the counter again.
        self.0.set(CLEAR, 1);
        self.0.set(LOCK, 0);
    }
}
