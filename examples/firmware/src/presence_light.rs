//! All of it together: bytes, presses and time come in, lines and light go out.

use crate::app::{App, OWNER};
use crate::button::Button;
use crate::clock::Clock;
use crate::light::{AnimatedLight, Light};
use crate::line::{LineBuffer, ReceivedByte};
use embedded_io::Write;
use presence_core::graph::{Buffer, Line, MAX_CHANGE, MAX_ELEMENT, write_change};
use presence_core::{Instant, SessionId, Transition};

/// Longest line that is taken in, without its newline.
pub const MAX_LINE: usize = 1024;
/// Longest answer: the id of a line may be nearly all of it.
pub const MAX_RESPONSE: usize = MAX_LINE + MAX_ELEMENT;

/// A presence light: feed it what comes in, sleep until [`wake_at`](Self::wake_at), and call [`advance`](Self::advance).
#[derive(Debug)]
pub struct PresenceLight<L> {
    app: App,
    line: LineBuffer<MAX_LINE>,
    light: AnimatedLight<L>,
    answer: [u8; MAX_RESPONSE],
}

impl<L: Light> PresenceLight<L> {
    /// An presence_light that has heard of nothing.
    pub const fn new(light: L) -> Self {
        Self { app: App::new(), line: LineBuffer::new(), light: AnimatedLight::new(light), answer: [0; MAX_RESPONSE] }
    }

    /// Goes on from what survived a reset.
    pub fn restore(&mut self, app: App) {
        self.app = app;
    }

    /// The sessions.
    #[must_use]
    pub const fn app(&self) -> &App {
        &self.app
    }

    /// The light.
    pub const fn light(&mut self) -> &mut L {
        self.light.light()
    }

    /// Takes a byte of the serial line. When it ends a line, that is carried out: first a line for each change, then the
    /// answer. O(bytes of the line).
    ///
    /// # Errors
    ///
    /// The serial line's own. What was carried out stands.
    pub fn receive<W: Write>(&mut self, received: ReceivedByte, now: Instant, out: &mut W) -> Result<(), W::Error> {
        let Self { app, line, light, answer } = self;
        if !line.push(received) {
            return Ok(());
        }
        let line = line.line().map_or(Line::TOO_LONG, Line::parse);
        let mut written = Ok(());
        let mut answer = Buffer::new(answer);
        // There is room for the status at least, so it is always carried out.
        let _ = app.serve(now, line, &mut answer, &mut |transition| {
            if written.is_ok() {
                written = write_event(transition, out);
            }
        });
        show(light, app, now);
        written?;
        if line == Line::Blank {
            return Ok(());
        }
        out.write_all(answer.written())?;
        out.write_all(b"\n")?;
        out.flush()
    }

    /// Carries out a press of a button. O(sessions).
    ///
    /// # Errors
    ///
    /// The serial line's own. What was carried out stands.
    pub fn press<W: Write>(&mut self, button: Button, now: Instant, out: &mut W) -> Result<(), W::Error> {
        crate::log::info!("button {}", button);
        let mut written = Ok(());
        // What the buttons ask for is always allowed.
        let _ = self.app.execute(now, button.command(), &mut |transition| {
            if written.is_ok() {
                written = write_event(transition, out);
            }
        });
        show(&mut self.light, &self.app, now);
        written
    }

    /// Lets time pass: what is due happens, and the light shows this moment. O(sessions) for each change.
    ///
    /// # Errors
    ///
    /// The serial line's own. What was carried out stands.
    pub fn advance<W: Write>(&mut self, now: Instant, out: &mut W) -> Result<(), W::Error> {
        let mut written = Ok(());
        self.app.advance(now, &mut |transition| {
            if written.is_ok() {
                written = write_event(transition, out);
            }
        });
        show(&mut self.light, &self.app, now);
        written
    }

    /// When to call [`advance`](Self::advance) if nothing comes in before: at the next deadline, or for the light's next
    /// frame. O(sessions).
    #[must_use]
    pub fn wake_at(&self, now: Instant) -> Option<Instant> {
        self.app.user().next_deadline().into_iter().chain(self.light.next_frame(now)).min()
    }
}

/// Shows what is published.
fn show<L: Light>(light: &mut AnimatedLight<L>, app: &App, now: Instant) {
    light.show(now, app.user().presence(), app.user().absence());
}

/// Writes a line about a change that can be seen.
fn write_event<W: Write>(transition: &Transition<SessionId>, out: &mut W) -> Result<(), W::Error> {
    crate::log::info!("{}: {} to {}", transition.cause(), transition.before(), transition.after());
    if !transition.is_visible() {
        return Ok(());
    }
    let mut bytes = [0; MAX_CHANGE];
    let mut event = Buffer::new(&mut bytes);
    // The longest event fits.
    let _ = write_change(&mut event, Clock::START, OWNER, transition);
    out.write_all(event.written())?;
    out.write_all(b"\n")?;
    out.flush()
}
