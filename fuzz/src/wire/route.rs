//! Section 7, written down independently: the request of each method and path.

use super::ME;
use super::expiry::assert_ends;
use super::tree::Tree;
use presence_core::details::{LocationLayer, LocationLayers};
use presence_core::graph::{Context, DetailsAction, Element, Error, Request};
use presence_core::{Command, UserId};

/// The last segments of the paths of actions.
const ACTIONS: [&str; 9] = [
    "setPresence",
    "clearPresence",
    "setUserPreferredPresence",
    "clearUserPreferredPresence",
    "setStatusMessage",
    "setManualLocation",
    "setAutomaticLocation",
    "clearAutomaticLocation",
    "clearLocation",
];

/// The longest URL of an element that is decoded, in bytes.
const LONGEST: usize = 256;

/// The user that a path names.
#[derive(Debug)]
enum UserRef {
    Me,
    Named(String),
}

/// The meaning of a path: an action, `presence`, `getPresencesByUserId` or `$batch`.
#[derive(Debug)]
struct Path {
    owner: Option<UserRef>,
    name: String,
}

/// Returns a segment, percent-decoded; a malformed escape stands for itself.
fn decoded(segment: &str) -> String {
    let mut parts = segment.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let digits = part.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => bytes.extend([&[byte], &part.as_bytes()[2..]].concat()),
            None => bytes.extend([b"%", part.as_bytes()].concat()),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Path {
    /// Reads a path or a whole URL; the query is ignored.
    fn read(target: &str) -> Option<Self> {
        let path = target.split(['?', '#']).next()?;
        let is_url = ["http://", "https://"].iter().any(|scheme| path.to_ascii_lowercase().starts_with(scheme));
        let path = if is_url { path.splitn(4, '/').nth(3)? } else { path.strip_prefix('/').unwrap_or(path) };
        let segments: Vec<_> = path.split('/').map(decoded).collect();
        let segments: Vec<_> = segments.iter().map(String::as_str).collect();
        let segments = match &segments[..] {
            ["v1.0" | "beta", rest @ ..] => rest,
            all => all,
        };
        let (owner, rest) = match segments {
            ["$batch"] | ["communications", "getPresencesByUserId"] => (None, segments),
            ["me", "presence", rest @ ..] => (Some(UserRef::Me), rest),
            ["users", id, "presence", rest @ ..] | ["communications", "presences", id, rest @ ..] if !id.is_empty() => {
                (Some(UserRef::Named((*id).to_owned())), rest)
            }
            _ => return None,
        };
        let name = match rest {
            [] => "presence",
            [.., name] if owner.is_none() => name,
            [name] if ACTIONS.contains(name) => name,
            _ => return None,
        };
        Some(Self { owner, name: name.to_owned() })
    }

    fn method(&self) -> &'static str {
        if self.name == "presence" { "GET" } else { "POST" }
    }

    /// Reports whether the user is known: `/me` may stand for no user, and so may a user principal name.
    fn is_known(&self, context: &Context<'_>) -> bool {
        match &self.owner {
            None => true,
            Some(UserRef::Me) => context.caller.me().is_some(),
            Some(UserRef::Named(name)) if name.contains('@') => name == "adele@x.com" && context.environment.is_some(),
            Some(UserRef::Named(_)) => true,
        }
    }

    fn is_of(&self, user: Option<UserId>, context: &Context<'_>) -> bool {
        match &self.owner {
            None => user.is_none(),
            Some(UserRef::Me) => user == context.caller.me(),
            Some(UserRef::Named(name)) if name.contains('@') => user == Some(ME),
            Some(UserRef::Named(id)) => {
                let bare = id.strip_prefix('{').and_then(|id| id.strip_suffix('}')).unwrap_or(id);
                user.is_some_and(|user| user.to_string() == bare.to_ascii_lowercase())
            }
        }
    }
}

/// Returns the end of a request's path, and the user that it is about.
fn ending(request: &Request<'_>) -> (&'static str, Option<UserId>) {
    match request {
        Request::Get { user, .. } => ("presence", Some(*user)),
        Request::GetPresences(_) => ("getPresencesByUserId", None),
        Request::Batch(_) => ("$batch", None),
        Request::Execute { user, command } => {
            let name = match command {
                Command::SetPresence { .. } => "setPresence",
                Command::ClearPresence { .. } => "clearPresence",
                Command::SetPreferredPresence { .. } => "setUserPreferredPresence",
                Command::ClearPreferredPresence => "clearUserPreferredPresence",
            };
            (name, Some(*user))
        }
        Request::ExecuteDetails { user, action } => {
            let name = match action {
                DetailsAction::SetStatusMessage { .. } => "setStatusMessage",
                DetailsAction::SetLocation { layer: LocationLayer::Manual, .. } => "setManualLocation",
                DetailsAction::SetLocation { layer: LocationLayer::Automatic, .. } => "setAutomaticLocation",
                // Rule W1: the automatic layer alone, or manual and automatic.
                DetailsAction::ClearLocations(layers) if *layers == LocationLayers::only(LocationLayer::Automatic) => {
                    "clearAutomaticLocation"
                }
                DetailsAction::ClearLocations(layers) if *layers == LocationLayers::MANUAL_AND_AUTOMATIC => {
                    "clearLocation"
                }
                _ => panic!("{action:?} has no path"),
            };
            (name, Some(*user))
        }
        _ => panic!("{request:?} is a new kind of request"),
    }
}

/// Checks the outcome of a method and a target. Rule H2: the path before the method, the method before the rest.
pub fn assert_routed(
    method: &str,
    target: &str,
    context: &Context<'_>,
    outcome: &Result<Request<'_>, Error>,
    longest: usize,
) {
    let path = Path::read(target).filter(|path| path.is_known(context));
    match (&path, outcome) {
        (_, Err(Error::TooLarge)) | (None, Err(Error::UnknownPath)) => {}
        (_, Err(Error::UnknownPath)) => assert!(target.len() > longest, "{target} is {path:?}"),
        (None, _) => panic!("{target} is no path: {outcome:?}"),
        (Some(path), _) => {
            let is_allowed = method.eq_ignore_ascii_case(path.method());
            assert_eq!(*outcome == Err(Error::MethodNotAllowed), !is_allowed, "{method} {target}: {outcome:?}");
            if let Ok(request) = outcome {
                let (name, user) = ending(request);
                assert!(path.name == name && path.is_of(user, context), "{target} is {path:?}: {request:?}");
            }
        }
    }
}

/// Checks the outcome of an element, as serde_json reads it: with a method and a URL, each once.
pub fn assert_element_routed(element: Element<'_>, context: &Context<'_>, outcome: &Result<Request<'_>, Error>) {
    let Ok(tree) = Tree::parse(element.value().as_str().as_bytes()) else { return };
    if let (Some(Tree::Text(method)), Some(Tree::Text(url))) = (tree.member("method"), tree.member("url")) {
        assert_routed(method, url, context, outcome, LONGEST);
        assert_ends(tree.member("body").unwrap_or(&Tree::Null), context, outcome);
    }
}
