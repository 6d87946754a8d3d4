//! Requests that the device itself answers, before the library's line is asked (rules L5 and L6).
//!
//! | method and path | body | answer |
//! | --- | --- | --- |
//! | `GET /device` | | version, board and serial number |
//! | `GET /device/settings` | | the settings |
//! | `POST /device/settings` | some of the settings | |
//! | `POST /device/link` | state, expirationDuration? | |
//! | `POST /device/forget` | | |
//! | `GET /me/presence/sessions` | | the sessions, with what is left of each |
//!
//! Their paths, bodies and errors are read and written as those of all other requests; other paths below `/device` are unknown
//! to the library, too.

mod bodies;
mod change;
mod member;
mod rejection;
mod serve;

pub(crate) use bodies::MAX_BODY;
pub(crate) use rejection::Rejection;
pub(crate) use serve::{Forget, Parts};

use crate::app::OWNER;
use crate::configuration::{Configuration, SettingsChange};
use crate::link::Link;
use member::{duration, required_text};
use presence_core::graph::json::Value;
use presence_core::graph::{self, Context, Element, Error, Field, Operation, RawRequest, Target};
use presence_core::{Duration, Policy};

/// A request that the device itself answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// What the device is.
    Device,
    /// The settings.
    Settings,
    /// A change of settings.
    ChangeSettings(SettingsChange),
    /// The state of the link, for so long.
    SetLink(Link, Duration),
    /// Forgets everything.
    Forget,
    /// The sessions of the device's user.
    Sessions,
}

/// The kinds of requests, before their bodies are looked at.
#[derive(Clone, Copy)]
enum Kind {
    Device,
    Settings,
    ChangeSettings,
    SetLink,
    Forget,
}

const ROUTES: [(&str, &str, Kind); 5] = [
    ("/device", "GET", Kind::Device),
    ("/device/settings", "GET", Kind::Settings),
    ("/device/settings", "POST", Kind::ChangeSettings),
    ("/device/link", "POST", Kind::SetLink),
    ("/device/forget", "POST", Kind::Forget),
];

/// The length of the longest path and method that are looked at here, decoded. The device's own are shorter.
const LONGEST: usize = 128;

impl Request {
    /// Parses an element; `None` if it is for the library.
    pub(crate) fn parse(
        element: Element<'_>,
        context: &Context<'_>,
        configuration: &Configuration,
    ) -> Option<Result<Self, Rejection>> {
        let (mut method, mut target) = ([0; LONGEST], [0; LONGEST]);
        let method = text(element, Field::Method, &mut method)?;
        let target = text(element, Field::Url, &mut target)?;
        let presence = Target::strip_action(target, "sessions");
        if let Some(presence) = presence.filter(|presence| is_presence(presence)) {
            return Some(sessions(method, presence, context));
        }
        let mut routes = ROUTES.iter().filter(|(path, _, _)| Target::is_path(target, path)).peekable();
        routes.peek()?;
        Some(match routes.find(|(_, expected, _)| expected.eq_ignore_ascii_case(method)) {
            None => Err(Rejection::Graph(Error::MethodNotAllowed)),
            Some((_, _, kind)) => kind.request(element, configuration),
        })
    }
}

impl Kind {
    /// Parses the body of a request.
    fn request(self, element: Element<'_>, configuration: &Configuration) -> Result<Request, Rejection> {
        // A body that is not needed is not looked at, as in Graph.
        Ok(match self {
            Self::Device => Request::Device,
            Self::Settings => Request::Settings,
            Self::ChangeSettings => Request::ChangeSettings(SettingsChange::parse(element.body()?, configuration)?),
            Self::SetLink => link(element.body()?)?,
            Self::Forget => {
                element.body()?;
                Request::Forget
            }
        })
    }
}

/// Reports whether a path is that of a presence.
fn is_presence(target: &str) -> bool {
    matches!(Target::parse(target), Ok(Target::Presence(_, Operation::Get)))
}

/// Parses a read of the sessions of a presence.
fn sessions(method: &str, presence: &str, context: &Context<'_>) -> Result<Request, Rejection> {
    match graph::Request::parse(&RawRequest::new(method, presence), context, &Policy::DESK)? {
        // Over a line there is no `HEAD`.
        graph::Request::Get { .. } if !method.eq_ignore_ascii_case("GET") => Err(Error::MethodNotAllowed.into()),
        graph::Request::Get { user, .. } if user == OWNER => Ok(Request::Sessions),
        _ => Err(Error::UnknownUser.into()),
    }
}

fn link(body: Option<Value<'_>>) -> Result<Request, Rejection> {
    let state = required_text(body, "state", "State")?;
    let lease = duration(body, Field::ExpirationDuration.member(), "ExpirationDuration", Policy::DESK.leases)?;
    let link = Link::from_name(&state).ok_or(Rejection::Malformed("State"))?;
    Ok(Request::SetLink(link, lease.unwrap_or(Policy::DESK.default_lease)))
}

/// Returns the text of a member; `None` if it is missing, no text or too long.
fn text<'b>(element: Element<'b>, field: Field, buffer: &'b mut [u8]) -> Option<&'b str> {
    let member: Value<'b> = element.value().member(field.member()).ok()??;
    member.text(buffer).ok()?
}
