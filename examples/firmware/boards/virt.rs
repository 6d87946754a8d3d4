//! QEMU's RISC-V board `virt`: a minimal RV32 system.
//!
//! | what | where |
//! | --- | --- |
//! | serial line | its NS16550A |
//! | light | a strip of eight RGB LEDs, whose bytes stay in memory because the board has no pins |
//! | clock | the low half of `mtime`, 10 MHz, which wraps after seven minutes; `mtimecmp` is the alarm |

#![no_std]
#![no_main]

#[path = "shared/ns16550.rs"]
mod ns16550;
#[path = "shared/panic.rs"]
mod panic;
#[path = "shared/registers.rs"]
mod registers;

use core::convert::Infallible;
use core::sync::atomic::{AtomicU8, Ordering};
use defmt_rtt as _;
use firmware::storage::{Retained, SnapshotStore};
use firmware::{
    Board, Identity, Inbox, LightSettings, PresenceLight, Pressed, QUEUE_LEN, Rate, ReceivedByte, SmartLight,
    counts_left,
};
use heapless::spsc::{Consumer, Queue};
use registers::Mapped;
use riscv::interrupt::Interrupt;
use riscv::register::{mie, mstatus};
use riscv_rt::{core_interrupt, entry};
use smart_leds_trait::{RGB8, SmartLedsWrite};
use static_cell::{ConstStaticCell, StaticCell};
use vcell::VolatileCell;

static SNAPSHOTS: StaticCell<SnapshotStore<Retained<'static>>> = StaticCell::new();
/// Retained memory: the start-up code leaves it alone.
#[unsafe(link_section = ".uninit.retained")]
static RETAINED: [AtomicU8; Retained::BYTES] = [const { AtomicU8::new(0) }; Retained::BYTES];
static INBOX: Inbox = Inbox::new();
static RX_QUEUE: ConstStaticCell<Queue<ReceivedByte, QUEUE_LEN>> = ConstStaticCell::new(Queue::new());
static PRESENCE_LIGHT: StaticCell<PresenceLight<Light>> = StaticCell::new();

type Light = SmartLight<Strip, LEDS>;

#[entry]
fn main() -> ! {
    let inbox = INBOX.connect(RX_QUEUE.take());
    let board = Virt { serial: Serial::open(uart(), &INBOX) };
    platform_interrupts().enable_uart();
    // SAFETY: every handler is in place, and no critical section is open.
    unsafe {
        mie::set_mext();
        mie::set_mtimer();
        riscv::interrupt::enable();
    }
    let presence_light = PRESENCE_LIGHT.init(PresenceLight::new(SmartLight(Strip)));
    presence_light.animated_light().set_settings(LightSettings { leds: LEDS as u16, ..LightSettings::DEFAULT });
    let snapshots = SNAPSHOTS.init(SnapshotStore::new(Retained::new(&RETAINED)));
    firmware::run(board, inbox, presence_light, snapshots)
}

struct Virt {
    serial: Serial,
}

impl Board for Virt {
    type Serial = Serial;
    type Light = Light;

    fn identity(&self) -> Identity {
        Identity { board: "virt", serial_number: None }
    }

    fn rate(&self) -> Rate {
        const { Rate::new(10_000, 1).unwrap() }
    }

    fn counter(&mut self) -> u32 {
        time().get()
    }

    fn sleep(&mut self, from: u32, counts: u32, _: Pressed, inbox: &Consumer<'static, ReceivedByte>) {
        alarm_in(counts_left(from, counts, self.counter()));
        // With interrupts masked none can come between the check and the sleep; a pending one still ends the sleep.
        while riscv::interrupt::free(|| {
            let is_idle = counts_left(from, counts, time().get()) > 0 && !inbox.ready();
            if is_idle {
                riscv::asm::wfi();
            }
            is_idle
        }) {}
    }

    fn serial(&mut self) -> &mut Serial {
        &mut self.serial
    }
}

// --- the clock

/// Returns the low half of `mtime`.
fn time() -> &'static VolatileCell<u32> {
    // SAFETY: the register, which is only read.
    unsafe { &*(0x0200_BFF8 as *const VolatileCell<u32>) }
}

/// Returns `mtimecmp`, low half first.
fn alarm() -> &'static [VolatileCell<u32>; 2] {
    // SAFETY: the registers; the interrupt only disables the alarm.
    unsafe { &*(0x0200_4000 as *const [VolatileCell<u32>; 2]) }
}

fn alarm_in(counts: u32) {
    // SAFETY: the high half, which is only read.
    let high = unsafe { &*(0x0200_BFFC as *const VolatileCell<u32>) };
    let now = loop {
        let (before, low) = (high.get(), time().get());
        if before == high.get() {
            break u64::from(before) << 32 | u64::from(low);
        }
    };
    let then = now + u64::from(counts);
    // First far in the future, so that no half-written value is due.
    alarm()[1].set(u32::MAX);
    alarm()[0].set(then as u32);
    alarm()[1].set((then >> 32) as u32);
}

#[core_interrupt(Interrupt::MachineTimer)]
fn on_alarm() {
    alarm()[1].set(u32::MAX);
}

// --- the serial line

const UART0: usize = 10;

fn uart() -> Mapped<u8> {
    // SAFETY: the UART's registers: its receiver belongs to the interrupt, the rest to the main loop.
    unsafe { Mapped::at(0x1000_0000) }
}

type Serial = ns16550::Serial<Mapped<u8>>;

#[core_interrupt(Interrupt::MachineExternal)]
fn received() {
    let source = platform_interrupts().claim.get();
    ns16550::receive(&uart(), &INBOX);
    platform_interrupts().claim.set(source);
}

/// The registers of the platform-level interrupt controller for hart 0 in machine mode.
#[repr(C)]
struct PlatformInterrupts {
    priorities: [VolatileCell<u32>; 1024],
    _pending: [u32; 1024],
    enabled: [VolatileCell<u32>; 32],
    _others: [u32; 0x7_F7E0],
    threshold: VolatileCell<u32>,
    claim: VolatileCell<u32>,
}

fn platform_interrupts() -> &'static PlatformInterrupts {
    // SAFETY: its registers; after the start only the interrupt touches them.
    unsafe { &*(0x0C00_0000 as *const PlatformInterrupts) }
}

impl PlatformInterrupts {
    fn enable_uart(&self) {
        self.priorities[UART0].set(1);
        self.enabled[0].set(1 << UART0);
        self.threshold.set(0);
    }
}

// --- the light

const LEDS: usize = 8;

/// The bytes for the LEDs: green, red and blue of each. The emulator reads them from outside.
#[used]
static STRIP: [AtomicU8; 3 * LEDS] = [const { AtomicU8::new(0) }; 3 * LEDS];

struct Strip;

impl SmartLedsWrite for Strip {
    type Error = Infallible;
    type Color = RGB8;

    fn write<T, I>(&mut self, colours: T) -> Result<(), Infallible>
    where
        T: IntoIterator<Item = I>,
        I: Into<RGB8>,
    {
        let parts = colours.into_iter().map(Into::into).flat_map(|colour: RGB8| [colour.g, colour.r, colour.b]);
        for (byte, part) in STRIP.iter().zip(parts) {
            byte.store(part, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Resets the board through its register for that, as after power-on.
fn restart() -> ! {
    // SAFETY: nothing runs after this.
    unsafe {
        mstatus::clear_mie();
        (*(0x0010_0000 as *const VolatileCell<u32>)).set(0x7777);
    }
    loop {
        riscv::asm::wfi();
    }
}
