//! What a board without an operating system has to have, and the main loop over it.

use crate::app::App;
use crate::button::{Buttons, Pressed};
use crate::clock::{Clock, Rate};
use crate::light::Light;
use crate::line::ReceivedByte;
use crate::presence_light::PresenceLight;
use crate::storage::{SnapshotStore, Storage};
use core::hint::black_box;
use core::sync::atomic::{AtomicU32, Ordering};
use heapless::spsc::Consumer;
use presence_core::Instant;

/// A board: its counter, its sleep, its serial line and its buttons.
pub trait Board {
    /// Where answers go.
    type Serial: embedded_io::Write;
    /// What shines.
    type Light: Light;

    /// How fast the counter counts.
    fn rate(&self) -> Rate;

    /// The counter, which counts up and wraps at 2³².
    fn counter(&mut self) -> u32;

    /// Sleeps until the counter is `counts` past `from`, or a byte has come in, or other buttons are down than `pressed`, as
    /// when one has moved since somebody looked. It may wake earlier.
    fn sleep(&mut self, from: u32, counts: u32, pressed: Pressed, inbox: &Consumer<'static, ReceivedByte>);

    /// Which buttons are down.
    fn pressed(&mut self) -> Pressed {
        Pressed::default()
    }

    /// The serial line.
    fn serial(&mut self) -> &mut Self::Serial;
}

/// The main loop: everything that came in, then time, then sleep until there is something to do. It begins with what the
/// snapshots kept; for how long there was no power nobody knows.
pub fn run<B: Board, M: Storage>(
    mut board: B,
    mut inbox: Consumer<'static, ReceivedByte>,
    presence_light: &'static mut PresenceLight<B::Light>,
    snapshots: &'static mut SnapshotStore<M>,
) -> ! {
    let start = board.counter();
    let mut clock = Clock::new(board.rate(), start);
    let mut buttons = Buttons::new();
    presence_light.restore(App::with_user(snapshots.restore(Clock::START, None)));
    save(snapshots, presence_light.app(), Clock::START);
    crate::log::info!("ready");
    loop {
        let counter = board.counter();
        let now = clock.at(counter);
        crate::log_tick(clock.tick());
        // A serial line that fails has nobody at its other end to be told so.
        while let Some(received) = inbox.dequeue() {
            let _ = presence_light.receive(received, now, board.serial());
        }
        let pressed = board.pressed();
        if let Some(button) = buttons.sample(pressed, now) {
            let _ = presence_light.press(button, now, board.serial());
        }
        let _ = presence_light.advance(now, board.serial());
        save(snapshots, presence_light.app(), now);
        let wake_at =
            presence_light.wake_at(now).into_iter().chain(buttons.stable_at(now)).chain(snapshots.next_save_at()).min();
        board.sleep(counter, announce_sleep(clock.counts_until(now, wake_at)), pressed, &inbox);
    }
}

/// For how long the device is about to sleep, for whoever halts it in [`sleep_hook`].
static SLEEP_COUNTS: AtomicU32 = AtomicU32::new(0);

/// A place where a debugger or an emulator can halt the device whenever it has nothing left to do, see in [`SLEEP_COUNTS`] for how
/// many counts it would sleep, and let it wake earlier. The tests in the emulator do; nothing else depends on it.
fn announce_sleep(counts: u32) -> u32 {
    SLEEP_COUNTS.store(counts, Ordering::Relaxed);
    sleep_hook();
    SLEEP_COUNTS.load(Ordering::Relaxed)
}

/// Stores what is worth it. What cannot be stored is logged, and the light goes on.
fn save<M: Storage>(snapshots: &mut SnapshotStore<M>, app: &App, now: Instant) {
    if let Ok(user) = app.user().at(now) {
        let _ = snapshots.save(user);
    }
}

#[inline(never)]
fn sleep_hook() {
    black_box(());
}
