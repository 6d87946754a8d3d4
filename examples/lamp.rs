//! A presence lamp: the whole loop of a device with one user, an RGB LED and a millisecond counter.
//!
//! Copy the first part into a firmware, implement [`Board`] and call [`run`]: it needs neither `std` nor feature `graph`. The
//! second part simulates a board: `cargo run --example lamp` prints what its LED shows.

use presence_core::indicator::{Animation, Palette, Rgb};
use presence_core::{Command, Duration, Instant, Policy, Presence, SingleUser, TickExtender};

/// The hardware that a lamp needs.
trait Board {
    /// Returns a counter of milliseconds, which may wrap.
    fn tick(&mut self) -> u32;
    /// Sets the LED. With PWM, send `colour.pulses(brightness)`.
    fn set_led(&mut self, colour: Rgb);
    /// Sleeps for `millis`, or until a command arrives. `None` ends the loop; a real board never returns it.
    fn sleep(&mut self, millis: u32) -> Option<Event>;
}

/// The reason to wake up.
enum Event {
    Command(Command<u8>),
    Timeout,
}

/// The longest sleep: a day, so that no wrap of the counter, every 49.7 days, is missed.
const MAX_SLEEP: Duration = Duration::from_days(1);

/// Runs the lamp, for up to four applications with ids of one byte.
fn run(board: &mut impl Board) {
    let mut user: SingleUser<u8, 4> = SingleUser::new(Policy::DESK);
    let mut clock = TickExtender::new();
    let mut light = Animation::new();
    let mut next = Some(Event::Timeout);
    while let Some(event) = next {
        let now = clock.extend(board.tick());
        match event {
            // A rejected command changes nothing. A firmware may report it to the application.
            Event::Command(command) => _ = user.execute(now, command, |_| {}),
            Event::Timeout => user.advance(now, |_| {}),
        }
        light.show(now, Palette::DEFAULT.appearance(user.user().presence(), user.user().absence()));
        board.set_led(light.frame(now));
        // Until the user's next deadline, or the next frame of the light's pattern.
        let wake_at = user.next_deadline().into_iter().chain(light.next_frame(now)).fold(now + MAX_SLEEP, Instant::min);
        next = board.sleep((wake_at - now).as_millis() as u32);
    }
}

// --- second part: a simulated board and its applications

const CALENDAR: u8 = 1;
const CALLS: u8 = 2;

const fn set(session: u8, presence: Presence, secs: u64) -> Command<u8> {
    Command::SetPresence { session, presence, lease: Some(Duration::from_secs(secs)) }
}

/// The commands of two applications, each with its time in milliseconds.
const SCRIPT: [(u32, &str, Command<u8>); 5] = [
    (1_000, "the calendar sets a meeting for 40 s", set(CALENDAR, Presence::InAMeeting, 40)),
    (10_000, "the phone sets “do not disturb”", set(CALLS, Presence::DoNotDisturb, 300)),
    (25_000, "the phone clears its session", Command::ClearPresence { session: CALLS }),
    (50_000, "the phone is available", set(CALLS, Presence::Available, 300)),
    (55_000, "the phone clears its session", Command::ClearPresence { session: CALLS }),
];

/// A simulated board, whose counter wraps after 20 seconds.
struct Simulation {
    elapsed: u32,
    script: core::slice::Iter<'static, (u32, &'static str, Command<u8>)>,
    led: Option<Rgb>,
}

impl Board for Simulation {
    fn tick(&mut self) -> u32 {
        self.elapsed.wrapping_sub(20_000)
    }

    fn set_led(&mut self, colour: Rgb) {
        if self.led.replace(colour) != Some(colour) {
            let [red, green, blue] = colour.to_bytes();
            self.print(format_args!("LED #{red:02x}{green:02x}{blue:02x}"));
        }
    }

    fn sleep(&mut self, millis: u32) -> Option<Event> {
        let (at, text, command) = self.script.as_slice().first()?;
        if self.elapsed + millis < *at {
            self.elapsed += millis;
            return Some(Event::Timeout);
        }
        self.script.next();
        self.elapsed = *at;
        self.print(format_args!("{text}"));
        Some(Event::Command(*command))
    }
}

impl Simulation {
    fn print(&self, text: core::fmt::Arguments<'_>) {
        println!("{:>2}.{} s  {text}", self.elapsed / 1000, self.elapsed % 1000 / 100);
    }
}

fn main() {
    run(&mut Simulation { elapsed: 0, script: SCRIPT.iter(), led: None });
}
