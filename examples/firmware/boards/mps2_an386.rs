//! ARM's MPS2 board with image AN386: a Cortex-M4F at 25 MHz.
//!
//! | what | where |
//! | --- | --- |
//! | serial line | UART0, 115,200 baud |
//! | light | the bar of eight LEDs: the brighter the light, the longer the bar |
//! | clock | the dual timer at 97,656.25 Hz: its first half counts 32 bits, its second half is the alarm |
//! | watchdog | its own, whose first warning is an NMI that needs no handler |

#![no_std]
#![no_main]

#[path = "shared/cmsdk_uart.rs"]
mod cmsdk_uart;
#[path = "shared/cmsdk_watchdog.rs"]
mod cmsdk_watchdog;
#[path = "shared/panic.rs"]
mod panic;
#[path = "shared/registers.rs"]
mod registers;

use core::convert::Infallible;
use core::sync::atomic::AtomicU8;
use cortex_m::interrupt as interrupts;
use cortex_m::peripheral::{NVIC, SCB};
use cortex_m_rt::{entry, exception};
use defmt_rtt as _;
use embedded_hal::pwm::{ErrorType, SetDutyCycle};
use firmware::storage::{Retained, SnapshotStore};
use firmware::{
    Board, DutyLight, Identity, Inbox, PresenceLight, Pressed, QUEUE_LEN, Rate, ReceivedByte, WATCHDOG, counts_left,
};
use heapless::spsc::{Consumer, Queue};
use registers::Mapped;
use static_cell::{ConstStaticCell, StaticCell};
use vcell::VolatileCell;

static SNAPSHOTS: StaticCell<SnapshotStore<Retained<'static>>> = StaticCell::new();
/// Retained memory: the start-up code leaves it alone.
#[unsafe(link_section = ".uninit.retained")]
static RETAINED: [AtomicU8; Retained::BYTES] = [const { AtomicU8::new(0) }; Retained::BYTES];
static INBOX: Inbox = Inbox::new();
static RX_QUEUE: ConstStaticCell<Queue<ReceivedByte, QUEUE_LEN>> = ConstStaticCell::new(Queue::new());
static PRESENCE_LIGHT: StaticCell<PresenceLight<DutyLight<LedBar>>> = StaticCell::new();

const CLOCK_HZ: u32 = 25_000_000;
/// Half of [`WATCHDOG`], for it resets the chip when it has counted to zero twice.
const WATCHDOG_COUNTS: u32 = WATCHDOG.as_millis() as u32 / 2 * (CLOCK_HZ / 1000);
// Numbers of interrupts.
const UART0_RECEIVED: u8 = 0;
const DUAL_TIMER: u8 = 10;

#[entry]
fn main() -> ! {
    let inbox = INBOX.connect(RX_QUEUE.take());
    counter().start(u32::MAX, FREE_RUNNING);
    // SAFETY: the watchdog's registers, which only the board's field uses.
    let watchdog = Watchdog::start(unsafe { Mapped::at(0x4000_8000) }, WATCHDOG_COUNTS);
    let board = Mps2 { serial: Serial::open(uart(), CLOCK_HZ, 115_200), watchdog };
    for interrupt in [UART0_RECEIVED, DUAL_TIMER] {
        // SAFETY: no critical section depends on a masked interrupt.
        unsafe { NVIC::unmask(Interrupt(interrupt)) };
    }
    firmware::run(
        board,
        inbox,
        PRESENCE_LIGHT.init(PresenceLight::new(DutyLight(LedBar))),
        SNAPSHOTS.init(SnapshotStore::new(Retained::new(&RETAINED))),
    )
}

type Watchdog = cmsdk_watchdog::Watchdog<Mapped<u32>>;

struct Mps2 {
    serial: Serial,
    watchdog: Watchdog,
}

impl Board for Mps2 {
    type Serial = Serial;
    type Light = DutyLight<LedBar>;

    fn identity(&self) -> Identity {
        Identity { board: "mps2-an386", serial_number: None }
    }

    fn rate(&self) -> Rate {
        const { Rate::new(3125, 32).unwrap() }
    }

    fn counter(&mut self) -> u32 {
        // The timer counts down.
        !counter().value.get()
    }

    fn sleep(&mut self, from: u32, counts: u32, _: Pressed, inbox: &Consumer<'static, ReceivedByte>) {
        let left = counts_left(from, counts, self.counter());
        if left == 0 {
            return;
        }
        alarm().start(left, ONE_SHOT);
        // With interrupts masked none can come between the check and the sleep; a pending one still ends the sleep.
        while interrupts::free(|_| {
            let is_idle = alarm().value.get() != 0 && !inbox.ready();
            if is_idle {
                cortex_m::asm::wfi();
            }
            is_idle
        }) {}
        alarm().stop();
    }

    fn serial(&mut self) -> &mut Serial {
        &mut self.serial
    }

    fn feed_watchdog(&mut self) {
        self.watchdog.feed();
    }
}

// --- the clock

/// The registers of one half of the dual timer, which counts down.
#[repr(C)]
struct Timer {
    load: VolatileCell<u32>,
    value: VolatileCell<u32>,
    control: VolatileCell<u32>,
    clear: VolatileCell<u32>,
}

/// Enabled, 32 bits, the clock divided by 256.
const ON: u32 = 1 << 7 | 0b10 << 2 | 1 << 1;
const FREE_RUNNING: u32 = ON;
/// Enabled for one count to zero, with an interrupt at its end.
const ONE_SHOT: u32 = ON | 1 << 5 | 1;

fn counter() -> &'static Timer {
    // SAFETY: the first half's registers; after the start they are only read.
    unsafe { &*(0x4000_2000 as *const Timer) }
}

fn alarm() -> &'static Timer {
    // SAFETY: the second half's registers; its interrupt only clears the alarm.
    unsafe { &*(0x4000_2020 as *const Timer) }
}

impl Timer {
    fn start(&self, counts: u32, mode: u32) {
        self.stop();
        self.load.set(counts);
        self.control.set(mode);
    }

    fn stop(&self) {
        self.control.set(0);
        self.clear.set(1);
    }
}

// --- the serial line

fn uart() -> Mapped<u32> {
    // SAFETY: the UART's registers: its receiver belongs to the interrupt, the rest to the main loop.
    unsafe { Mapped::at(0x4000_4000) }
}

type Serial = cmsdk_uart::Serial<Mapped<u32>>;

// --- the light

/// A row of eight LEDs, presented as one LED that can be dimmed.
struct LedBar;

impl ErrorType for LedBar {
    type Error = Infallible;
}

impl SetDutyCycle for LedBar {
    fn max_duty_cycle(&self) -> u16 {
        8
    }

    fn set_duty_cycle(&mut self, duty: u16) -> Result<(), Infallible> {
        // SAFETY: the register of the LEDs, which nothing else touches.
        let leds = unsafe { &*(0x4002_F004 as *const VolatileCell<u32>) };
        leds.set((1 << duty.min(8)) - 1);
        Ok(())
    }
}

// --- interrupts

#[derive(Clone, Copy)]
struct Interrupt(u8);

// SAFETY: the number is the interrupt's own.
unsafe impl cortex_m::interrupt::InterruptNumber for Interrupt {
    fn number(self) -> u16 {
        self.0.into()
    }
}

/// Handles all of the chip's interrupts: none has a handler of its own.
#[exception]
unsafe fn DefaultHandler(number: i16) {
    match u8::try_from(number) {
        Ok(UART0_RECEIVED) => cmsdk_uart::receive(&uart(), &INBOX),
        Ok(DUAL_TIMER) => alarm().clear.set(1),
        _ => {}
    }
}

/// Resets the chip, as after power-on.
fn restart() -> ! {
    SCB::sys_reset()
}
