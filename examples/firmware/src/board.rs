//! The interface of a board without an operating system, and the main loop over it.

use crate::app::App;
use crate::button::{Buttons, Pressed};
use crate::clock::{Clock, Rate};
use crate::light::Light;
use crate::line::ReceivedByte;
use crate::presence_light::PresenceLight;
use crate::storage::{SnapshotStore, Storage};
use core::hint::black_box;
use core::iter;
use core::sync::atomic::{AtomicU32, Ordering};
use heapless::spsc::Consumer;
use presence_core::Instant;

/// A board: counter, sleep, serial line and buttons.
pub trait Board {
    /// The sender of the serial line.
    type Serial: embedded_io::Write;
    /// The light of the board.
    type Light: Light;

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

/// The main loop: handles a line that arrived, then what is due, then sleeps until there is something to do.
pub struct MainLoop<'a, B: Board, M> {
    board: B,
    inbox: Consumer<'static, ReceivedByte>,
    presence_light: &'a mut PresenceLight<B::Light>,
    snapshots: &'a mut SnapshotStore<M>,
    clock: Clock,
    buttons: Buttons,
}

impl<'a, B: Board, M: Storage> MainLoop<'a, B, M> {
    /// Starts with the stored user. The length of the time without power is unknown.
    pub fn start(
        mut board: B,
        inbox: Consumer<'static, ReceivedByte>,
        presence_light: &'a mut PresenceLight<B::Light>,
        snapshots: &'a mut SnapshotStore<M>,
    ) -> Self {
        let clock = Clock::new(board.rate(), board.counter());
        presence_light.restore(App::with_user(snapshots.restore(Clock::START, None)));
        save(snapshots, presence_light.app(), Clock::START);
        crate::log::info!("ready");
        Self { board, inbox, presence_light, snapshots, clock, buttons: Buttons::new() }
    }

    /// Takes one turn: time, buttons, the light and the storage are looked at after each line (rule L3).
    pub fn turn(&mut self) {
        let Self { board, inbox, presence_light, snapshots, clock, buttons } = self;
        let counter = board.counter();
        let now = clock.at(counter);
        crate::log_tick(clock.tick());
        // An error of the serial line cannot be reported: the line is the only way out.
        let _ = presence_light.receive(&mut iter::from_fn(|| inbox.dequeue()), now, board.serial());
        let pressed = board.pressed();
        if let Some(button) = buttons.sample(pressed, now) {
            let _ = presence_light.press(button, now, board.serial());
        }
        let _ = presence_light.advance(now, board.serial());
        save(snapshots, presence_light.app(), now);
        if inbox.ready() {
            return;
        }
        let wake_at =
            presence_light.wake_at(now).into_iter().chain(buttons.stable_at(now)).chain(snapshots.next_save_at()).min();
        board.sleep(counter, announce_sleep(clock.counts_until(now, wake_at)), pressed, inbox);
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

/// Saves the user if that is worth a write. An error is logged by the store, and the light goes on.
fn save<M: Storage>(snapshots: &mut SnapshotStore<M>, app: &App, now: Instant) {
    if let Ok(user) = app.user().at(now) {
        let _ = snapshots.save(user);
    }
}

#[inline(never)]
fn sleep_hook() {
    black_box(());
}
