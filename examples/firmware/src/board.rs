//! What a board without an operating system has to have, and the main loop over it.

use crate::app::Desk;
use crate::button::{Buttons, Pressed};
use crate::clock::{Clock, Rate};
use crate::light::Light;
use crate::line::Received;
use crate::presence_light::Indicator;
use crate::storage::{Keeper, Storage};
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
    fn sleep(&mut self, from: u32, counts: u32, pressed: Pressed, inbox: &Consumer<'static, Received>);

    /// Which buttons are down.
    fn pressed(&mut self) -> Pressed {
        Pressed::default()
    }

    /// The serial line.
    fn serial(&mut self) -> &mut Self::Serial;
}

/// The main loop: everything that came in, then time, then sleep until there is something to do. It begins with what the
/// keeper kept; for how long there was no power nobody knows.
pub fn run<B: Board, M: Storage>(
    mut board: B,
    mut inbox: Consumer<'static, Received>,
    indicator: &'static mut Indicator<B::Light>,
    keeper: &'static mut Keeper<M>,
) -> ! {
    let start = board.counter();
    let mut clock = Clock::new(board.rate(), start);
    let mut buttons = Buttons::new();
    indicator.restore(Desk::of(keeper.restore(Clock::START, None)));
    keep(keeper, indicator.desk(), Clock::START);
    crate::log::info!("ready");
    loop {
        let counter = board.counter();
        let now = clock.at(counter);
        crate::log_tick(clock.tick());
        // A serial line that fails has nobody at its other end to be told so.
        while let Some(received) = inbox.dequeue() {
            let _ = indicator.receive(received, now, board.serial());
        }
        let pressed = board.pressed();
        if let Some(button) = buttons.sample(pressed, now) {
            let _ = indicator.press(button, now, board.serial());
        }
        let _ = indicator.advance(now, board.serial());
        keep(keeper, indicator.desk(), now);
        let wake_at = indicator.wake_at(now).into_iter().chain(buttons.settles_at(now)).chain(keeper.keep_at()).min();
        board.sleep(counter, about_to_sleep(clock.counts_until(now, wake_at)), pressed, &inbox);
    }
}

/// For how long the device is about to sleep, for whoever halts it in [`halt_here`].
static NAP: AtomicU32 = AtomicU32::new(0);

/// A place where a debugger or an emulator can halt the device whenever it has nothing left to do, see in [`NAP`] for how
/// many counts it would sleep, and let it wake earlier. The tests in the emulator do; nothing else depends on it.
fn about_to_sleep(counts: u32) -> u32 {
    NAP.store(counts, Ordering::Relaxed);
    halt_here();
    NAP.load(Ordering::Relaxed)
}

/// Stores what is worth it. What cannot be stored is logged, and the light goes on.
fn keep<M: Storage>(keeper: &mut Keeper<M>, desk: &Desk, now: Instant) {
    if let Ok(user) = desk.user().at(now) {
        let _ = keeper.keep(user);
    }
}

#[inline(never)]
fn halt_here() {
    black_box(());
}
