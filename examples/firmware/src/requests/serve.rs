//! Serving a request of the device's own.

use super::bodies::Body;
use super::{Rejection, Request};
use crate::animated_light::AnimatedLight;
use crate::app::{App, CAPACITY, OnChange};
use crate::configuration::Configuration;
use crate::identity::Identity;
use crate::light::Light;
use crate::link::Link;
use crate::settings::Settings;
use presence_core::graph::{Error, Line, Trace, Writer};
use presence_core::{BufferFull, Instant, SessionId, UserAt};

/// The storage, which erases everything and keeps a new user and new settings from now on. Reports whether it could.
pub(crate) type Forget<'a> = &'a mut dyn FnMut(UserAt<'_, SessionId, CAPACITY>, &Settings) -> bool;

/// What a request of the device's own is about.
pub(crate) struct Parts<'a, L> {
    pub(crate) app: &'a mut App,
    pub(crate) configuration: &'a mut Configuration,
    pub(crate) light: &'a mut AnimatedLight<L>,
    pub(crate) identity: Identity,
}

impl<L: Light> Parts<'_, L> {
    /// Serves a request, and writes its response. What is due at `now` was applied before.
    ///
    /// # Errors
    ///
    /// [`BufferFull`] if not even the bare status fits. Nothing was done then, and whatever was written is no response.
    pub(crate) fn serve(
        &mut self,
        request: Result<Request, Rejection>,
        line: Line<'_>,
        now: Instant,
        response: &mut dyn Writer,
        forget: Forget<'_>,
        on_change: OnChange<'_>,
    ) -> Result<(), BufferFull> {
        let request = match request {
            Err(rejection) => return rejection.write(line, response),
            Ok(request) => request,
        };
        let body = match request {
            Request::Device => Body::Device(self.identity),
            Request::Settings => Body::Settings(self.configuration, now),
            Request::Sessions => Body::Sessions(self.app.user(), now),
            Request::ChangeSettings(_) | Request::SetLink(..) | Request::Forget => {
                return self.execute(request, line, now, response, forget, on_change);
            }
        };
        let before = response.remaining();
        let written = line.write_response(200, Some(&mut |writer| body.write(writer)), response);
        written.or_else(|BufferFull| {
            response.discard_last(before - response.remaining());
            line.write_error(Error::ResponseTooLarge, &Trace::default(), response)
        })
    }

    /// Executes a request that changes something, if its response has room.
    fn execute(
        &mut self,
        request: Request,
        line: Line<'_>,
        now: Instant,
        response: &mut dyn Writer,
        forget: Forget<'_>,
        on_change: OnChange<'_>,
    ) -> Result<(), BufferFull> {
        let before = response.remaining();
        line.write_response(200, None, response)?;
        let outcome = match request {
            Request::ChangeSettings(change) => {
                self.configuration.change(change, now).map_err(|_| Rejection::SettingsFull)
            }
            Request::SetLink(link, lease) => {
                self.light.set_link(link, now.saturating_add(lease));
                Ok(())
            }
            Request::Forget => self.forget(now, forget, on_change),
            Request::Device | Request::Settings | Request::Sessions => Ok(()),
        };
        outcome.or_else(|rejection| {
            response.discard_last(before - response.remaining());
            rejection.write(line, response)
        })
    }

    /// Forgets everything, what is stored included.
    fn forget(&mut self, now: Instant, forget: Forget<'_>, on_change: OnChange<'_>) -> Result<(), Rejection> {
        crate::log::info!("forgets everything");
        self.app.forget(now, on_change);
        self.configuration.forget();
        self.light.set_link(Link::Ok, now);
        self.light.set_out_of_office(now);
        let Ok(user) = self.app.user().at(now) else { return Err(Rejection::NotErased) };
        if forget(user, self.configuration.settings()) { Ok(()) } else { Err(Rejection::NotErased) }
    }
}
