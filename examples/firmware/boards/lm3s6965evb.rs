//! TI's LM3S6965 evaluation board: a Cortex-M3 at 12.5 MHz.
//!
//! | what | where |
//! | --- | --- |
//! | serial line | UART0 on the USB connector, 115,200 baud |
//! | light | the status LED, port F pin 0: lit or dark |
//! | clock | SysTick, 24 bits, extended to 32 by its interrupt every 1.3 s; timer 0 is the alarm |
//! | buttons | left and right, port E pins 2 and 3: “do not disturb”, and clear |
//! | watchdog | its own |

#![no_std]
#![no_main]

#[path = "shared/cmsdk_watchdog.rs"]
mod cmsdk_watchdog;
#[path = "shared/panic.rs"]
mod panic;
#[path = "shared/pl011.rs"]
mod pl011;
#[path = "shared/registers.rs"]
mod registers;

use core::convert::Infallible;
use core::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use cortex_m::interrupt as interrupts;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::peripheral::{NVIC, SCB, SYST};
use cortex_m_rt::{entry, exception};
use defmt_rtt as _;
use embedded_hal::digital::{ErrorType, OutputPin};
use firmware::storage::{Retained, SnapshotStore};
use firmware::{
    Board, Identity, Inbox, LightSettings, PinLight, PresenceLight, Pressed, QUEUE_LEN, Rate, ReceivedByte, WATCHDOG,
    counts_left,
};
use heapless::spsc::{Consumer, Queue};
use presence_core::indicator::Palette;
use registers::Mapped;
use static_cell::{ConstStaticCell, StaticCell};
use vcell::VolatileCell;

static SNAPSHOTS: StaticCell<SnapshotStore<Retained<'static>>> = StaticCell::new();
/// Retained memory: the start-up code leaves it alone.
#[unsafe(link_section = ".uninit.retained")]
static RETAINED: [AtomicU8; Retained::BYTES] = [const { AtomicU8::new(0) }; Retained::BYTES];
static INBOX: Inbox = Inbox::new();
static RX_QUEUE: ConstStaticCell<Queue<ReceivedByte, QUEUE_LEN>> = ConstStaticCell::new(Queue::new());
static PRESENCE_LIGHT: StaticCell<PresenceLight<PinLight<StatusLed>>> = StaticCell::new();

/// The clock of the processor and of every timer.
const CLOCK_HZ: u32 = 12_500_000;
const UART: usize = 0x4000_C000;
/// Half of [`WATCHDOG`], for it resets the chip when it has counted to zero twice.
const WATCHDOG_COUNTS: u32 = WATCHDOG.as_millis() as u32 / 2 * (CLOCK_HZ / 1000);
// Numbers of interrupts.
const PORT_E: u8 = 4;
const UART0: u8 = 5;
const TIMER0A: u8 = 19;

#[entry]
fn main() -> ! {
    let Some(core) = cortex_m::Peripherals::take() else { restart() };
    configure_clocks();
    let inbox = INBOX.connect(RX_QUEUE.take());
    port_f().direction.set(STATUS_LED);
    port_f().digital.set(STATUS_LED);
    watch_buttons();
    // SAFETY: UART0's registers, for its only sender and its only receiver.
    let uart = unsafe { Mapped::at(UART) };
    let serial = Serial::open(uart, CLOCK_HZ, 115_200);
    // SAFETY: the watchdog's registers, which only the board's field uses.
    let watchdog = Watchdog::start(unsafe { Mapped::at(0x4000_0000) }, WATCHDOG_COUNTS);
    let board = Lm3s6965 { _counter: start_counter(core.SYST), serial, watchdog };
    for interrupt in [UART0, TIMER0A, PORT_E] {
        // SAFETY: no critical section depends on a masked interrupt.
        unsafe { NVIC::unmask(Interrupt(interrupt)) };
    }
    let presence_light = PRESENCE_LIGHT.init(PresenceLight::new(PinLight(StatusLed)));
    presence_light.animated_light().set_settings(LightSettings { palette: &Palette::LAMP, ..LightSettings::DEFAULT });
    firmware::run(board, inbox, presence_light, SNAPSHOTS.init(SnapshotStore::new(Retained::new(&RETAINED))))
}

type Serial = pl011::Serial<Mapped<u32>>;
type Watchdog = cmsdk_watchdog::Watchdog<Mapped<u32>>;

struct Lm3s6965 {
    _counter: SYST,
    serial: Serial,
    watchdog: Watchdog,
}

impl Board for Lm3s6965 {
    type Serial = Serial;
    type Light = PinLight<StatusLed>;

    fn identity(&self) -> Identity {
        Identity { board: "lm3s6965evb", serial_number: serial_number() }
    }

    fn rate(&self) -> Rate {
        const { Rate::new((CLOCK_HZ / 1000) as u16, 1).unwrap() }
    }

    fn counter(&mut self) -> u32 {
        read_counter()
    }

    fn sleep(&mut self, from: u32, counts: u32, pressed: Pressed, inbox: &Consumer<'static, ReceivedByte>) {
        let left = counts_left(from, counts, read_counter());
        if left == 0 {
            return;
        }
        let alarm = timer0();
        alarm.start(left);
        // With interrupts masked none can come between the check and the sleep; a pending one still ends the sleep.
        while interrupts::free(|_| {
            let is_idle = alarm.is_running() && !inbox.ready() && self.pressed() == pressed;
            if is_idle {
                cortex_m::asm::wfi();
            }
            is_idle
        }) {}
        alarm.stop();
    }

    fn pressed(&mut self) -> Pressed {
        let pins = port_e();
        Pressed { a: pins.data(LEFT).get() == 0, b: pins.data(RIGHT).get() == 0 }
    }

    fn serial(&mut self) -> &mut Serial {
        &mut self.serial
    }

    fn feed_watchdog(&mut self) {
        self.watchdog.feed();
    }
}

/// Returns the address on the Ethernet, which the board's maker writes: no other board has it. `None` if it is blank.
fn serial_number() -> Option<u64> {
    let user_register = |offset: usize| {
        // SAFETY: the system control's user registers, which are only read.
        let register = unsafe { &*((0x400F_E1E0 + offset) as *const VolatileCell<u32>) };
        u64::from(register.get() & 0x00FF_FFFF)
    };
    // Three bytes each, the first in the lowest bits.
    let address = user_register(0) | user_register(4) << 24;
    let is_blank = address == 0 || address == 0xFFFF_FFFF_FFFF;
    (!is_blank).then_some(address.swap_bytes() >> 16)
}

// --- the system: its clock and its clock gates

#[repr(C)]
struct System {
    _identity: [u32; 20],
    raw_status: VolatileCell<u32>,
    _interrupts: [u32; 3],
    clock: VolatileCell<u32>,
    _more: [u32; 39],
    gates: [VolatileCell<u32>; 3],
}

/// Sets the clock to 12.5 MHz: 8 MHz from the crystal, 200 MHz from the PLL, divided by 16. It is the slowest exact rate.
fn configure_clocks() {
    const BYPASS: u32 = 1 << 11;
    const POWER_DOWN: u32 = 1 << 13;
    const CRYSTAL_8_MHZ: u32 = 0xE << 6;
    const DIVIDE_BY_16: u32 = 0xF << 23 | 1 << 22;
    const LOCKED: u32 = 1 << 6;
    // SAFETY: the system control's registers, which nothing else touches.
    let system = unsafe { &*(0x400F_E000 as *const System) };
    system.clock.set(CRYSTAL_8_MHZ | DIVIDE_BY_16 | BYPASS | POWER_DOWN);
    system.clock.set(CRYSTAL_8_MHZ | DIVIDE_BY_16 | BYPASS);
    while system.raw_status.get() & LOCKED == 0 {}
    system.clock.set(CRYSTAL_8_MHZ | DIVIDE_BY_16);
    // The watchdog; UART0 and timer 0; then ports A (its pins are the UART's), E and F.
    system.gates[0].set(1 << 3);
    system.gates[1].set(1 << 16 | 1);
    system.gates[2].set(1 << 5 | 1 << 4 | 1);
    // SAFETY: port A, which nothing else touches.
    let port_a = unsafe { &*(0x4000_4000 as *const Port) };
    port_a.alternate.set(0b11);
    port_a.digital.set(0b11);
}

// --- the clock

/// The number of times SysTick has wrapped.
static WRAPS: AtomicU32 = AtomicU32::new(0);
const PERIOD: u32 = 1 << 24;

fn start_counter(mut counter: SYST) -> SYST {
    counter.set_clock_source(SystClkSource::Core);
    counter.set_reload(PERIOD - 1);
    counter.clear_current();
    counter.enable_interrupt();
    counter.enable_counter();
    // The counter reads zero until its first count.
    while SYST::get_current() == 0 {}
    counter
}

/// Returns the extended counter. It counts up although SysTick counts down.
fn read_counter() -> u32 {
    loop {
        let wraps = WRAPS.load(Ordering::Relaxed);
        let counter = (wraps << 24).wrapping_add((PERIOD - 1).wrapping_sub(SYST::get_current()));
        // Reads again if it wrapped in between.
        if wraps == WRAPS.load(Ordering::Relaxed) {
            return counter;
        }
    }
}

#[exception]
fn SysTick() {
    // Only this handler writes it.
    WRAPS.store(WRAPS.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

/// The registers of a general-purpose timer, used as a one-shot alarm.
#[repr(C)]
struct Timer {
    configuration: VolatileCell<u32>,
    mode: VolatileCell<u32>,
    _mode_b: u32,
    control: VolatileCell<u32>,
    _reserved: [u32; 2],
    mask: VolatileCell<u32>,
    raw: VolatileCell<u32>,
    _masked: u32,
    clear: VolatileCell<u32>,
    load: VolatileCell<u32>,
}

fn timer0() -> &'static Timer {
    // SAFETY: the timer's registers; its interrupt only clears the alarm.
    unsafe { &*(0x4003_0000 as *const Timer) }
}

impl Timer {
    fn start(&self, counts: u32) {
        self.control.set(0);
        self.clear.set(1);
        self.configuration.set(0);
        self.mode.set(1);
        self.load.set(counts);
        self.mask.set(1);
        self.control.set(1);
    }

    /// Reports whether the alarm is still ahead: a one-shot timer stops by itself.
    fn is_running(&self) -> bool {
        self.control.get() & 1 != 0
    }

    fn stop(&self) {
        self.control.set(0);
    }
}

// --- pins

const STATUS_LED: u32 = 1;
const LEFT: u32 = 1 << 2;
const RIGHT: u32 = 1 << 3;

/// The registers of a port of eight pins. The address of an access selects the pins it affects.
#[repr(C)]
struct Port {
    data: [VolatileCell<u32>; 256],
    direction: VolatileCell<u32>,
    senses_level: VolatileCell<u32>,
    senses_both: VolatileCell<u32>,
    _event: u32,
    mask: VolatileCell<u32>,
    _status: [u32; 2],
    clear: VolatileCell<u32>,
    alternate: VolatileCell<u32>,
    _reserved: [u32; 55],
    _drive: [u32; 4],
    pull_up: VolatileCell<u32>,
    _pull_down: [u32; 2],
    digital: VolatileCell<u32>,
}

impl Port {
    #[expect(clippy::indexing_slicing, reason = "eight bits index 256 registers")]
    fn data(&self, pins: u32) -> &VolatileCell<u32> {
        &self.data[pins as usize & 0xFF]
    }
}

fn port_e() -> &'static Port {
    // SAFETY: the port's registers; its interrupt only clears its own flags.
    unsafe { &*(0x4002_4000 as *const Port) }
}

fn port_f() -> &'static Port {
    // SAFETY: the port's registers, which only the status LED uses.
    unsafe { &*(0x4002_5000 as *const Port) }
}

fn watch_buttons() {
    let pins = port_e();
    pins.digital.set(LEFT | RIGHT);
    pins.pull_up.set(LEFT | RIGHT);
    pins.senses_both.set(LEFT | RIGHT);
    pins.clear.set(LEFT | RIGHT);
    pins.mask.set(LEFT | RIGHT);
}

struct StatusLed;

impl ErrorType for StatusLed {
    type Error = Infallible;
}

impl OutputPin for StatusLed {
    fn set_low(&mut self) -> Result<(), Infallible> {
        port_f().data(STATUS_LED).set(0);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        port_f().data(STATUS_LED).set(STATUS_LED);
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
        // SAFETY: the only receiver.
        Ok(UART0) => pl011::receive(&unsafe { Mapped::at(UART) }, &INBOX),
        Ok(TIMER0A) => timer0().clear.set(1),
        Ok(PORT_E) => port_e().clear.set(LEFT | RIGHT),
        _ => {}
    }
}

/// Resets the chip, as after power-on.
fn restart() -> ! {
    SCB::sys_reset()
}
