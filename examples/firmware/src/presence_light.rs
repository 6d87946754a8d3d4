//! The whole device apart from its board: bytes, presses and time in, lines and light out.

use crate::animated_light::{AnimatedLight, LightSettings};
use crate::app::{App, CAPACITY, OWNER};
use crate::button::Button;
use crate::clock::Clock;
use crate::configuration::Configuration;
use crate::identity::Identity;
use crate::light::Light;
use crate::line::ReceivedByte;
use crate::receive::QUEUE_LEN;
use crate::requests::{Forget, MAX_BODY, Parts, Rejection, Request};
use crate::settings::Settings;
use embedded_io::Write;
use presence_core::graph::{Buffer, ChangeEvent, Element, Line};
use presence_core::lines::{Input, LineBuffer};
use presence_core::{Instant, Presence, SessionId, Transition};

/// The longest line that is accepted, without its newline.
pub const MAX_LINE: usize = 1024;
/// The longest response. It repeats the line's id, which may be nearly the whole line; one that does not fit with its escapes is
/// answered as a line that is too long.
pub const MAX_RESPONSE: usize =
    MAX_LINE + if MAX_BODY > Element::MAX_RESPONSE { MAX_BODY } else { Element::MAX_RESPONSE };

/// The most bytes that one turn writes: a response, and a change for a press, for a request, for the end of what was preferred and
/// for each fade and end of a session; each with its newline.
pub const MAX_OUTPUT: usize = MAX_RESPONSE + 1 + (3 + 3 * CAPACITY) * (ChangeEvent::MAX_LEN + 1);

/// A presence light: the application, its line and its light.
///
/// Pass it every line and press, sleep until [`wake_at`](Self::wake_at), then call [`advance`](Self::advance).
#[derive(Debug)]
pub struct PresenceLight<L> {
    app: App,
    identity: Identity,
    configuration: Configuration,
    line: LineBuffer<MAX_LINE>,
    light: AnimatedLight<L>,
    response: [u8; MAX_RESPONSE],
}

impl<L: Light> PresenceLight<L> {
    /// Creates a presence light whose user was never seen.
    pub const fn new(light: L) -> Self {
        Self {
            app: App::new(),
            identity: Identity { board: "", serial_number: None },
            configuration: Configuration::new(Settings::new(), LightSettings::DEFAULT, L::LEDS),
            line: LineBuffer::new(),
            light: AnimatedLight::new(light),
            response: [0; MAX_RESPONSE],
        }
    }

    /// Continues with a restored user and restored settings, over those that the light has now.
    pub fn restore(&mut self, identity: Identity, app: App, settings: Settings) {
        (self.identity, self.app) = (identity, app);
        self.configuration = Configuration::new(settings, self.light.settings(), L::LEDS);
    }

    /// Returns the user and its sessions.
    #[must_use]
    pub const fn app(&self) -> &App {
        &self.app
    }

    /// Returns the settings in force.
    #[must_use]
    pub const fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// Returns the light.
    pub const fn light(&mut self) -> &mut L {
        self.light.light()
    }

    /// Returns the light in time: its settings, and the state of the link that it shows.
    pub const fn animated_light(&mut self) -> &mut AnimatedLight<L> {
        &mut self.light
    }

    /// Drops a line that was begun, because a host has opened the port anew (rule L1). For boards that can tell.
    pub fn reopen(&mut self) {
        self.line.clear();
    }

    /// Accepts bytes of the serial line up to the end of a line, and serves it: writes a line for each change, then the
    /// response.
    ///
    /// It takes no more than one line and [`QUEUE_LEN`] bytes: bytes that keep coming must not keep time, buttons and the light
    /// from going on (rule L3). Look at these, and call it again for the rest.
    ///
    /// # Errors
    ///
    /// The serial line's own. Whatever was applied stays.
    pub fn receive<W: Write>(
        &mut self,
        bytes: &mut dyn Iterator<Item = ReceivedByte>,
        now: Instant,
        out: &mut W,
    ) -> Result<(), W::Error> {
        if self.accept(bytes, now) { self.serve(now, out, &mut |_, _| true) } else { Ok(()) }
    }

    /// Accepts bytes as [`receive`](Self::receive) does, and reports whether a line has ended: [`serve`](Self::serve) it before
    /// the next ones.
    pub fn accept(&mut self, bytes: &mut dyn Iterator<Item = ReceivedByte>, now: Instant) -> bool {
        bytes.take(QUEUE_LEN).any(|byte| byte.append_to(&mut self.line, now))
    }

    /// Serves the line that has just ended. `forget` erases what is stored, and reports whether it could.
    ///
    /// # Errors
    ///
    /// The serial line's own. Whatever was applied stays.
    pub fn serve<W: Write>(&mut self, now: Instant, out: &mut W, forget: Forget<'_>) -> Result<(), W::Error> {
        let Self { app, identity, configuration, line, light, response } = self;
        let input = line.input();
        let mut written = Ok(());
        let mut response = Buffer::new(response);
        let mut on_change = |transition: &Transition<SessionId>| {
            if written.is_ok() {
                written = write_event(transition, out);
            }
        };
        let served = match own_request(input, now, configuration) {
            None => app.serve(now, input, &mut response, &mut on_change),
            Some((line, request)) => {
                app.advance(now, &mut on_change);
                let mut parts = Parts { app, configuration, light, identity: *identity };
                parts.serve(request, line, now, &mut response, forget, &mut on_change)
            }
        };
        show_out_of_office(light, input, now);
        show(light, app, configuration, now);
        written?;
        if !input.has_response() {
            return Ok(());
        }
        if served.is_err() {
            // The id does not fit, and nothing was done. Without it, the response does.
            response.clear();
            let _ = app.serve(now, Input::Line(Line::TOO_LONG), &mut response, &mut |_| {});
        }
        out.write_all(response.written())?;
        out.write_all(b"\n")?;
        out.flush()
    }

    /// Executes the commands of a button that was pressed.
    ///
    /// # Errors
    ///
    /// The serial line's own. Whatever was applied stays.
    pub fn press<W: Write>(&mut self, button: Button, now: Instant, out: &mut W) -> Result<(), W::Error> {
        crate::log::info!("button {}", button);
        let mut written = Ok(());
        for command in button.commands() {
            // The policy allows them, and there is room. Button B may find no session.
            let _ = self.app.execute(now, command, &mut |transition| {
                if written.is_ok() {
                    written = write_event(transition, out);
                }
            });
        }
        self.light.set_settings(self.configuration.light(now));
        self.light.show_press(now, self.app.user().presence(), self.app.user().absence());
        written
    }

    /// Applies everything that is due, and shows the light's frame at `now`.
    ///
    /// # Errors
    ///
    /// The serial line's own. Whatever was applied stays.
    pub fn advance<W: Write>(&mut self, now: Instant, out: &mut W) -> Result<(), W::Error> {
        let mut written = Ok(());
        self.app.advance(now, &mut |transition| {
            if written.is_ok() {
                written = write_event(transition, out);
            }
        });
        show(&mut self.light, &self.app, &self.configuration, now);
        written
    }

    /// Returns when to call [`advance`](Self::advance): at the next deadline, or for the light's next frame.
    #[must_use]
    pub fn wake_at(&self, now: Instant) -> Option<Instant> {
        let light = self.light.wake_at(now).into_iter().chain(self.configuration.wake_at(now));
        self.app.user().next_deadline().into_iter().chain(light).min()
    }
}

/// Lets a mirrored user be out of office for as long as that is said; “no news” changes nothing (rule P4).
fn show_out_of_office<L: Light>(light: &mut AnimatedLight<L>, input: Input<'_>, now: Instant) {
    let Input::Mirror(mirror) = input else { return };
    if mirror.presence != Presence::Unknown
        && let Some(ends_at) = mirror.ends_at(now)
    {
        light.set_out_of_office(if mirror.is_out_of_office { ends_at } else { now });
    }
}

/// Returns the request in a line, if the device itself answers it.
fn own_request<'a>(
    input: Input<'a>,
    now: Instant,
    configuration: &Configuration,
) -> Option<(Line<'a>, Result<Request, Rejection>)> {
    let Input::Line(line @ Line::Element(element)) = input else { return None };
    Some((line, Request::parse(element, &App::context(now), configuration)?))
}

/// Shows the published presence.
fn show<L: Light>(light: &mut AnimatedLight<L>, app: &App, configuration: &Configuration, now: Instant) {
    light.set_settings(configuration.light(now));
    light.show(now, app.user().presence(), app.user().absence());
}

/// Logs a transition, and writes a line about it if it is visible.
fn write_event<W: Write>(transition: &Transition<SessionId>, out: &mut W) -> Result<(), W::Error> {
    crate::log::info!("{}: {} to {}", transition.cause(), transition.before(), transition.after());
    if !transition.is_visible() {
        return Ok(());
    }
    let mut bytes = [0; ChangeEvent::MAX_LEN];
    let mut event = Buffer::new(&mut bytes);
    // The longest event fits.
    let _ = ChangeEvent::new(Clock::START, OWNER, transition).write(&mut event);
    out.write_all(event.written())?;
    out.write_all(b"\n")?;
    out.flush()
}
