//! Requests: Graph's, which the library parses, and those that only this server has.

use crate::tokens::Identity;
use presence_core::graph::json::Value;
use presence_core::graph::{Context, Element, Error, Operation, RawRequest, Request, Target};
use presence_core::{Policy, UserId};

/// The longest URL and method of an element that are looked at here, in bytes. Paths have fewer.
const LONGEST: usize = 1024;

/// A request that is well formed.
#[derive(Debug)]
pub enum ServerRequest<'a> {
    /// One of Graph's.
    Graph(Request<'a>),
    /// A read of what decides a user's presence: `GET …/presence/explain`.
    Explain(UserId),
}

impl<'a> ServerRequest<'a> {
    /// Parses a request over HTTP, and checks it against its caller's policy.
    pub fn parse(raw: &RawRequest<'a, 'a>, context: &Context<'_>, policy: &Policy) -> Result<Self, Error> {
        match explained(raw.target) {
            Some(presence) => Self::parse_explain(raw.method, presence, context),
            None => Request::parse(raw, context, policy).map(Self::Graph),
        }
    }

    /// Parses an element of a batch, likewise.
    pub fn of_element(element: Element<'a>, context: &Context<'_>, policy: &Policy) -> Result<Self, Error> {
        let (mut method, mut url) = ([0; LONGEST], [0; LONGEST]);
        let method = text(element, "method", &mut method);
        match (method, text(element, "url", &mut url).and_then(explained)) {
            // Rule H9: only over HTTP there is such a method.
            (Some(method), Some(_)) if method.eq_ignore_ascii_case("HEAD") => Err(Error::MethodNotAllowed),
            (Some(method), Some(presence)) => Self::parse_explain(method, presence, context),
            _ => element.request(context, policy).map(Self::Graph),
        }
    }

    fn parse_explain(method: &str, presence: &str, context: &Context<'_>) -> Result<Self, Error> {
        match Request::parse(&RawRequest::new(method, presence), context, &Policy::GRAPH)? {
            Request::Get { user, .. } => Ok(Self::Explain(user)),
            _ => Err(Error::UnknownPath),
        }
    }

    /// Checks that a caller may make this request.
    pub fn authorise(&self, identity: &Identity) -> Result<(), Error> {
        match self {
            Self::Graph(request) => identity.caller.authorise(request),
            Self::Explain(user) if identity.may_explain(*user) => Ok(()),
            Self::Explain(_) => Err(Error::MissingPermission),
        }
    }
}

/// Returns the target of the presence that a target explains: what is in front of `/explain`. It is read as Graph's paths are.
pub fn explained(target: &str) -> Option<&str> {
    let presence = Target::strip_action(target, "explain")?;
    matches!(Target::parse(presence), Ok(Target::Presence(_, Operation::Get))).then_some(presence)
}

/// Returns the name of a path's operation in metrics and logs.
pub fn operation_name(path: &str) -> &'static str {
    if explained(path).is_some() {
        return "explainPresence";
    }
    match Target::parse(path) {
        Ok(Target::Presence(_, operation)) => match operation {
            Operation::Get => "getPresence",
            Operation::SetPresence => "setPresence",
            Operation::ClearPresence => "clearPresence",
            Operation::SetUserPreferredPresence => "setUserPreferredPresence",
            Operation::ClearUserPreferredPresence => "clearUserPreferredPresence",
            Operation::SetStatusMessage => "setStatusMessage",
            Operation::SetManualLocation => "setManualLocation",
            Operation::SetAutomaticLocation => "setAutomaticLocation",
            Operation::ClearAutomaticLocation => "clearAutomaticLocation",
            Operation::ClearLocation => "clearLocation",
            _ => "other",
        },
        Ok(Target::User(_)) => "getUser",
        Ok(Target::Presences) => "listPresences",
        Ok(Target::PresencesByUserId) => "getPresencesByUserId",
        Ok(Target::Batch) => "batch",
        _ => "unknown",
    }
}

/// Returns the name of an element's operation.
pub fn element_operation(element: Element<'_>) -> &'static str {
    text(element, "url", &mut [0; LONGEST]).map_or("unknown", operation_name)
}

/// Returns a member of an element, if it is a text that is not too long.
fn text<'b>(element: Element<'b>, name: &str, buffer: &'b mut [u8]) -> Option<&'b str> {
    let member: Value<'b> = element.value().member(name).ok()??;
    member.text(buffer).ok()?
}
