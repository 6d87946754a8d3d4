//! The interface of a board without an operating system, and the main loop over it.

use crate::button::Pressed;
use crate::clock::{Clock, Rate};
use crate::device::Device;
use crate::identity::Identity;
use crate::light::Light;
use crate::line::ReceivedByte;
use crate::presence_light::PresenceLight;
use crate::storage::{SnapshotStore, Storage};
use core::hint::black_box;
use core::iter;
use core::sync::atomic::{AtomicU32, Ordering};
use heapless::spsc::Consumer;

/// A board: counter, sleep, serial line and buttons.
pub trait Board {
    /// The sender of the serial line.
    type Serial: embedded_io::Write;
    /// The light of the board.
    type Light: Light;

    /// Returns what the board is.
    fn identity(&self) -> Identity;

    /// Returns the rate of the counter.
    fn rate(&self) -> Rate;

    /// Returns the counter, which counts up and wraps at 2³².
    fn counter(&mut self) -> u32;

    /// Sleeps until the counter is `counts` past `from`, a byte arrives or a button moves.
    ///
    /// A button has moved if the buttons that are down differ from `pressed`, even before the sleep. The board may wake earlier.
    fn sleep(&mut self, from: u32, counts: u32, pressed: Pressed, inbox: &Consumer<'static, ReceivedByte>);

    /// Returns the buttons that are down.
    fn pressed(&mut self) -> Pressed {
        Pressed::default()
    }

    /// Returns the sender of the serial line.
    fn serial(&mut self) -> &mut Self::Serial;

    /// Feeds the watchdog, which resets the board if it is not fed for [`WATCHDOG`](crate::WATCHDOG). Does nothing on a board that
    /// has none.
    fn feed_watchdog(&mut self) {}
}

/// Runs the main loop for ever.
pub fn run<B: Board, M: Storage>(
    board: B,
    inbox: Consumer<'static, ReceivedByte>,
    presence_light: &'static mut PresenceLight<B::Light>,
    snapshots: &'static mut SnapshotStore<M>,
) -> ! {
    let mut main_loop = MainLoop::start(board, inbox, presence_light, snapshots);
    loop {
        main_loop.turn();
    }
}

/// The main loop: takes a turn of the [`Device`], then sleeps until there is something to do.
pub struct MainLoop<'a, B: Board, M> {
    board: B,
    inbox: Consumer<'static, ReceivedByte>,
    clock: Clock,
    device: Device<'a, B::Light, M>,
}

impl<'a, B: Board, M: Storage> MainLoop<'a, B, M> {
    /// Starts the clock and the device.
    pub fn start(
        mut board: B,
        inbox: Consumer<'static, ReceivedByte>,
        presence_light: &'a mut PresenceLight<B::Light>,
        snapshots: &'a mut SnapshotStore<M>,
    ) -> Self {
        let clock = Clock::new(board.rate(), board.counter());
        let device = Device::start(board.identity(), presence_light, snapshots);
        Self { board, inbox, clock, device }
    }

    /// Takes one turn, feeds the watchdog, and sleeps if no byte is left.
    pub fn turn(&mut self) {
        let Self { board, inbox, clock, device } = self;
        let counter = board.counter();
        let now = clock.at(counter);
        crate::log_tick(clock.tick());
        let pressed = board.pressed();
        device.turn(&mut iter::from_fn(|| inbox.dequeue()), pressed, now, board.serial());
        board.feed_watchdog();
        if !inbox.ready() {
            let counts = clock.counts_until(now, Some(device.wake_at(now)));
            board.sleep(counter, announce_sleep(counts), pressed, inbox);
        }
    }
}

/// The counts that the device is about to sleep, where [`sleep_hook`] can be halted.
static SLEEP_COUNTS: AtomicU32 = AtomicU32::new(0);

/// Offers a debugger or an emulator the chance to halt before each sleep and to shorten it.
///
/// The tests in the emulator halt in [`sleep_hook`] and write [`SLEEP_COUNTS`]. Nothing else depends on it.
fn announce_sleep(counts: u32) -> u32 {
    SLEEP_COUNTS.store(counts, Ordering::Relaxed);
    sleep_hook();
    SLEEP_COUNTS.load(Ordering::Relaxed)
}

#[inline(never)]
fn sleep_hook() {
    black_box(());
}
