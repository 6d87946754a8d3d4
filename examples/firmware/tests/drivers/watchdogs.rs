//! Models of watchdogs: what resets the chip, and when.

use super::registers::Registers;
use super::{cmsdk_watchdog, nrf_watchdog};
use firmware::WATCHDOG;
use std::cell::Cell;

const KEY: u32 = 0x1ACC_E551;

/// The watchdog of the Cortex-M System Design Kit, in counts: its first zero interrupts, its second one resets. Until it is
/// unlocked it takes nothing.
#[derive(Default)]
struct Cmsdk {
    load: Cell<u32>,
    left: Cell<u32>,
    control: Cell<u32>,
    has_interrupted: Cell<bool>,
    is_unlocked: Cell<bool>,
    has_reset: Cell<bool>,
}

impl Cmsdk {
    fn pass(&self, counts: u32) {
        for _ in 0..counts {
            self.left.set(self.left.get().saturating_sub(1));
            if self.left.get() == 0 {
                self.left.set(self.load.get());
                let resets = self.has_interrupted.get() && self.control.get() & 0b10 != 0;
                self.has_reset.set(self.has_reset.get() || resets);
                self.has_interrupted.set(self.control.get() & 1 != 0);
            }
        }
    }
}

impl Registers<u32> for &Cmsdk {
    fn get(&self, offset: usize) -> u32 {
        panic!("no driver reads {offset:#x}")
    }

    fn set(&self, offset: usize, value: u32) {
        match offset {
            0xC00 => self.is_unlocked.set(value == KEY),
            _ if !self.is_unlocked.get() => panic!("{offset:#x} is locked"),
            0x000 => {
                self.load.set(value);
                self.left.set(value);
            }
            // TI's takes no other write once it interrupts.
            0x008 if self.control.get() & 1 == 0 => self.control.set(value),
            0x00C => {
                self.has_interrupted.set(false);
                self.left.set(self.load.get());
            }
            _ => panic!("{value:#x} at {offset:#x}"),
        }
    }
}

#[test]
fn the_design_kits_resets_after_two_periods_without_being_fed() {
    for late in [1, 50, 99, 100, 101, 150, 199] {
        let model = Cmsdk::default();
        let mut watchdog = cmsdk_watchdog::Watchdog::start(&model, 100);
        assert!(!model.is_unlocked.get(), "locked, for a program that went astray");
        for _ in 0..5 {
            model.pass(late);
            assert!(!model.has_reset.get(), "{late}");
            watchdog.feed();
            assert!(!model.is_unlocked.get());
        }
        model.pass(199);
        assert!(!model.has_reset.get(), "{late}");
        model.pass(1);
        assert!(model.has_reset.get(), "{late}");
    }
}

/// The nRF51's, in counts of its 32,768 Hz. Once it runs, its period and its requests stay as they are.
struct Nrf {
    period: Cell<u64>,
    left: Cell<u64>,
    requests: Cell<u32>,
    configuration: Cell<u32>,
    runs: Cell<bool>,
}

impl Nrf {
    fn new() -> Self {
        let (requests, configuration) = (Cell::new(1), Cell::new(1));
        Self { period: Cell::new(1 << 32), left: Cell::new(0), requests, configuration, runs: Cell::new(false) }
    }

    /// Lets counts pass while the processor sleeps.
    fn pass(&self, counts: u64) {
        let is_counting = self.runs.get() && self.configuration.get() & 1 != 0;
        self.left.set(self.left.get().saturating_sub(if is_counting { counts } else { 0 }));
    }
}

impl Registers<u32> for &Nrf {
    fn get(&self, offset: usize) -> u32 {
        panic!("no driver reads {offset:#x}")
    }

    fn set(&self, offset: usize, value: u32) {
        match offset {
            0x000 if value == 1 => {
                self.runs.set(true);
                self.left.set(self.period.get());
            }
            // One request is enabled, and so resets the counter alone.
            0x600 if value == 0x6E52_4635 && self.requests.get() == 1 => self.left.set(self.period.get()),
            0x504 | 0x508 | 0x50C if self.runs.get() => {}
            0x504 => self.period.set(u64::from(value) + 1),
            0x508 => self.requests.set(value),
            0x50C => self.configuration.set(value),
            _ => panic!("{value:#x} at {offset:#x}"),
        }
    }
}

/// Also after a reset by software, which leaves it running: the second start changes nothing.
#[test]
fn nordics_resets_after_its_seconds_without_being_fed() {
    let seconds = WATCHDOG.as_secs();
    let model = Nrf::new();
    for _ in 0..2 {
        let mut watchdog = nrf_watchdog::Watchdog::start(&model, seconds as u32);
        for _ in 0..5 {
            model.pass(seconds * 32_768 - 1);
            assert_eq!(model.left.get(), 1);
            watchdog.feed();
        }
    }
    model.pass(seconds * 32_768);
    assert_eq!(model.left.get(), 0, "it resets the chip");
}
