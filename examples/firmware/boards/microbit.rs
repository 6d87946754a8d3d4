//! BBC micro:bit v1: nRF51822, a Cortex-M0 at 16 MHz.
//!
//! | what | where |
//! | --- | --- |
//! | serial line | UART0 on the USB connector, 115,200 baud |
//! | light | the matrix of five by five LEDs, its three rows of nine driven in turn by TIMER1 |
//! | clock | TIMER0, 32 bits at 31,250 Hz |
//! | storage | the last eight kilobytes of its flash |
//! | buttons | A prefers “do not disturb”, B clears it |
//! | watchdog | its own, which a reset by software leaves running |

#![no_std]
#![no_main]

#[path = "shared/nrf_uart.rs"]
mod nrf_uart;
#[path = "shared/nrf_watchdog.rs"]
mod nrf_watchdog;
#[path = "shared/nvmc.rs"]
mod nvmc;
#[path = "shared/panic.rs"]
mod panic;
#[path = "shared/range.rs"]
mod range;
#[path = "shared/registers.rs"]
mod registers;

use core::cell::RefCell;
use cortex_m::interrupt as interrupts;
use cortex_m::peripheral::{NVIC, SCB};
use cortex_m_rt::entry;
use critical_section::Mutex;
use defmt_rtt as _;
use embedded_hal::digital::InputPin;
use firmware::storage::{Flash, SnapshotStore};
use firmware::{
    Board, Frame, Identity, Inbox, Light, LightError, PresenceLight, Pressed, QUEUE_LEN, Rate, ReceivedByte, WATCHDOG,
    counts_left, glyph,
};
use heapless::spsc::{Consumer, Queue};
use microbit::board::Buttons;
use microbit::display::nonblocking::{Display, GreyscaleImage};
use microbit::hal::clocks::Clocks;
use microbit::pac::{FICR, GPIO, GPIOTE, Interrupt, TIMER0, TIMER1, interrupt};
use nvmc::Nvmc;
use presence_core::Duration;
use registers::Mapped;
use static_cell::{ConstStaticCell, StaticCell};

static SNAPSHOTS: StaticCell<SnapshotStore<Flash<Nvmc>>> = StaticCell::new();
static INBOX: Inbox = Inbox::new();
static RX_QUEUE: ConstStaticCell<Queue<ReceivedByte, QUEUE_LEN>> = ConstStaticCell::new(Queue::new());
/// Made where it lies: on the way there it would take more stack than there is.
static PRESENCE_LIGHT: ConstStaticCell<PresenceLight<Matrix>> = ConstStaticCell::new(PresenceLight::new(Matrix));
static MATRIX: Mutex<RefCell<Option<Screen>>> = Mutex::new(RefCell::new(None));

#[entry]
fn main() -> ! {
    let Some(peripherals) = microbit::Board::take() else { restart() };
    // From the crystal: the other oscillator is too coarse for a serial line.
    let _ = Clocks::new(peripherals.CLOCK).enable_ext_hfosc();
    let inbox = INBOX.connect(RX_QUEUE.take());
    let screen = Screen { display: Display::new(peripherals.TIMER1, peripherals.display_pins), rows_until_dark: None };
    critical_section::with(|token| MATRIX.borrow(token).replace(Some(screen)));
    let board = Microbit {
        counter: Counter::start(peripherals.TIMER0),
        // The pins wired to the board's USB chip.
        serial: Serial::open(uart(), 24, 25),
        buttons: peripherals.buttons,
        _port: watch_pins(peripherals.GPIOTE),
        watchdog: start_watchdog(),
    };
    for interrupt in [Interrupt::UART0, Interrupt::TIMER0, Interrupt::GPIOTE] {
        unmask(interrupt);
    }
    // The range consists of whole pages, and the program is far shorter than the rest.
    let Some(Ok(flash)) = Nvmc::new(peripherals.NVMC).map(|flash| Flash::new(flash, 0..Nvmc::LENGTH)) else {
        restart()
    };
    firmware::run(board, inbox, PRESENCE_LIGHT.take(), SNAPSHOTS.init(SnapshotStore::new(flash)))
}

struct Microbit {
    counter: Counter,
    serial: Serial,
    buttons: Buttons,
    _port: GPIOTE,
    watchdog: Watchdog,
}

impl Board for Microbit {
    type Serial = Serial;
    type Light = Matrix;

    fn identity(&self) -> Identity {
        Identity { board: "microbit", serial_number: Some(serial_number()) }
    }

    fn rate(&self) -> Rate {
        const { Rate::new(125, 4).unwrap() }
    }

    fn counter(&mut self) -> u32 {
        self.counter.read()
    }

    fn sleep(&mut self, from: u32, counts: u32, pressed: Pressed, inbox: &Consumer<'static, ReceivedByte>) {
        self.counter.wake_at(from.wrapping_add(counts));
        sense(pressed);
        // The matrix wakes the processor for each row, but not the main loop. With interrupts masked none can come between
        // the check and the sleep; a pending one still ends the sleep.
        while interrupts::free(|_| {
            let is_late = counts_left(from, counts, self.counter.read()) == 0;
            let is_idle = !is_late && !inbox.ready() && self.pressed() == pressed;
            if is_idle {
                cortex_m::asm::wfi();
            }
            is_idle
        }) {}
    }

    fn pressed(&mut self) -> Pressed {
        let Ok(a) = self.buttons.button_a.is_low();
        let Ok(b) = self.buttons.button_b.is_low();
        Pressed { a, b }
    }

    fn serial(&mut self) -> &mut Serial {
        &mut self.serial
    }

    fn feed_watchdog(&mut self) {
        self.watchdog.feed();
    }
}

/// Returns the chip's identifier, which its maker writes.
fn serial_number() -> u64 {
    // SAFETY: factory information, which is only read.
    let [low, high] = unsafe { &*FICR::ptr() }.deviceid.each_ref().map(|half| half.read().bits());
    u64::from(high) << 32 | u64::from(low)
}

/// TIMER0: 16 MHz divided by 512.
struct Counter(TIMER0);

impl Counter {
    fn start(timer: TIMER0) -> Self {
        timer.bitmode.write(|w| w.bitmode()._32bit());
        // SAFETY: 9 is the largest valid prescaler.
        timer.prescaler.write(|w| unsafe { w.prescaler().bits(9) });
        timer.intenset.write(|w| w.compare0().set());
        // SAFETY: tasks are triggered by a one.
        timer.tasks_start.write(|w| unsafe { w.bits(1) });
        Self(timer)
    }

    fn read(&self) -> u32 {
        // SAFETY: tasks are triggered by a one.
        self.0.tasks_capture[1].write(|w| unsafe { w.bits(1) });
        self.0.cc[1].read().bits()
    }

    fn wake_at(&self, counter: u32) {
        self.0.events_compare[0].reset();
        // SAFETY: every value is valid.
        self.0.cc[0].write(|w| unsafe { w.bits(counter) });
    }
}

#[interrupt]
fn TIMER0() {
    // SAFETY: this event, which the main loop touches only before it can come.
    unsafe { &*TIMER0::ptr() }.events_compare[0].reset();
}

fn uart() -> Mapped<u32> {
    // SAFETY: the UART's registers: its receiver belongs to the interrupt, the rest to the main loop.
    unsafe { Mapped::at(0x4000_2000) }
}

type Serial = nrf_uart::Serial<Mapped<u32>>;
type Watchdog = nrf_watchdog::Watchdog<Mapped<u32>>;

fn start_watchdog() -> Watchdog {
    // SAFETY: the watchdog's registers, which only the board's field uses.
    Watchdog::start(unsafe { Mapped::at(0x4001_0000) }, WATCHDOG.as_secs() as u32)
}

#[interrupt]
fn UART0() {
    nrf_uart::receive(&uart(), &INBOX);
}

/// The matrix, and the number of rows left until it is dark and its timer can stop.
struct Screen {
    display: Display<TIMER1>,
    rows_until_dark: Option<u8>,
}

/// The main loop's handle of the matrix.
struct Matrix;

impl Light for Matrix {
    // Its rows are lit anew all the time.
    const REFRESH: Option<Duration> = None;

    fn show(&mut self, frame: Frame) -> Result<(), LightError> {
        let glyph = glyph(frame);
        let is_dark = glyph.as_flattened().iter().all(|led| *led == 0);
        critical_section::with(|token| {
            let mut screen = MATRIX.borrow_ref_mut(token);
            let screen = screen.as_mut().ok_or(LightError)?;
            screen.display.show(&GreyscaleImage::new(&glyph));
            screen.rows_until_dark = is_dark.then_some(3);
            Ok(())
        })?;
        // SAFETY: tasks are triggered by a one.
        row_timer().tasks_start.write(|w| unsafe { w.bits(1) });
        unmask(Interrupt::TIMER1);
        Ok(())
    }
}

/// Returns the timer of the rows. The display owns it, but cannot stop it while all LEDs are dark.
fn row_timer() -> &'static microbit::pac::timer0::RegisterBlock {
    // SAFETY: its tasks, which take effect at once and keep no state.
    unsafe { &*TIMER1::ptr() }
}

#[interrupt]
fn TIMER1() {
    critical_section::with(|token| {
        let mut screen = MATRIX.borrow_ref_mut(token);
        let Some(screen) = screen.as_mut() else { return };
        screen.display.handle_display_event();
        match &mut screen.rows_until_dark {
            // Every row is dark: the timer can stop.
            Some(0) => {
                NVIC::mask(Interrupt::TIMER1);
                // SAFETY: tasks are triggered by a one.
                row_timer().tasks_stop.write(|w| unsafe { w.bits(1) });
            }
            Some(rows) => *rows -= 1,
            None => {}
        }
    });
}

/// Enables the interrupt of the pins, so that buttons wake the processor.
fn watch_pins(port: GPIOTE) -> GPIOTE {
    port.intenset.write(|w| w.port().set());
    port
}

/// Makes each button interrupt when its state differs from `pressed`.
fn sense(pressed: Pressed) {
    // SAFETY: the pins' configuration, which nothing else touches after the start.
    let pins = unsafe { &(*GPIO::ptr()).pin_cnf };
    for (pin, is_down) in [(&pins[17], pressed.a), (&pins[26], pressed.b)] {
        pin.modify(|_, w| if is_down { w.sense().high() } else { w.sense().low() });
    }
}

#[interrupt]
fn GPIOTE() {
    // SAFETY: this event, which nothing else touches.
    unsafe { &*GPIOTE::ptr() }.events_port.reset();
}

fn unmask(interrupt: Interrupt) {
    // SAFETY: no critical section depends on a masked interrupt.
    unsafe { NVIC::unmask(interrupt) };
}

/// Resets the chip, as after power-on.
fn restart() -> ! {
    SCB::sys_reset()
}
