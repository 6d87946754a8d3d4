//! Section 7, written down independently: the request of each method and path.

use super::ME;
use super::expiry::assert_ends;
use super::filter::assert_filtered;
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

/// The user principal names that are known, for [`ME`].
const NAMES: [&str; 2] = ["adele@x.com", "o'brien@x.com"];

/// The longest URL of an element that is decoded, in bytes.
const LONGEST: usize = 256;

/// The user that a path names.
#[derive(Debug)]
enum UserRef {
    Me,
    Named(String),
}

/// The meaning of a path: an action, `presence`, `user`, `presences`, `getPresencesByUserId` or `$batch`.
#[derive(Debug)]
struct Path {
    owner: Option<UserRef>,
    name: String,
}

/// Returns a segment, percent-decoded; a malformed escape stands for itself.
pub fn decoded(segment: &str) -> String {
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

/// Splits `users('id')` into the name and the id, in which a quotation mark is written twice.
fn with_key(segment: &str) -> Option<(String, Option<String>)> {
    let (name, key) = segment.split_at_checked(segment.find('(')?)?;
    let key = key.strip_prefix("('")?.strip_suffix("')")?;
    let has_keys = ["users", "presences"].contains(&name.to_ascii_lowercase().as_str());
    has_keys.then(|| (name.to_owned(), Some(key.replace("''", "'"))))
}

/// Returns the name of an action, in lower case, without its namespace.
fn unqualified(name: &str) -> &str {
    name.strip_prefix("microsoft.graph.").unwrap_or(name)
}

impl Path {
    /// Reads a path or a whole URL; the query is ignored. Rule H7.
    fn read(target: &str) -> Option<Self> {
        let path = target.split(['?', '#']).next()?;
        let is_url = ["http://", "https://"].iter().any(|scheme| path.to_ascii_lowercase().starts_with(scheme));
        let path = if is_url { path.splitn(4, '/').nth(3)? } else { path.strip_prefix('/').unwrap_or(path) };
        let path = path.strip_suffix('/').unwrap_or(path);
        let mut segments: Vec<_> = path.split('/').map(decoded).collect();
        if ["v1.0", "beta"].contains(&segments[0].to_ascii_lowercase().as_str()) {
            segments.remove(0);
        }
        // The segments in lower case, without the id behind `users` or `communications/presences`.
        let (mut names, mut id) = (Vec::<String>::new(), None);
        for segment in segments {
            let is_collection =
                [["users"].as_slice(), &["communications", "presences"]].iter().any(|names_of| names == *names_of);
            if is_collection && id.is_none() {
                id = Some(segment);
                continue;
            }
            let (name, key) = with_key(&segment).unwrap_or((segment, None));
            names.push(name.to_ascii_lowercase());
            id = key.or(id);
        }
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let (owner, rest) = match (&names[..], id) {
            (["$batch"], None) => return Some(Self { owner: None, name: "$batch".to_owned() }),
            (["communications", "presences"], None) => return Some(Self { owner: None, name: "presences".to_owned() }),
            (["communications", name], None) if unqualified(name) == "getpresencesbyuserid" => {
                return Some(Self { owner: None, name: "getPresencesByUserId".to_owned() });
            }
            (["me"], None) => return Some(Self { owner: Some(UserRef::Me), name: "user".to_owned() }),
            (["users"], Some(id)) if !id.is_empty() => {
                return Some(Self { owner: Some(UserRef::Named(id)), name: "user".to_owned() });
            }
            (["me", "presence", rest @ ..], None) => (UserRef::Me, rest),
            (["users", "presence", rest @ ..] | ["communications", "presences", rest @ ..], Some(id))
                if !id.is_empty() =>
            {
                (UserRef::Named(id), rest)
            }
            _ => return None,
        };
        let name = match rest {
            [] => "presence",
            [name] => ACTIONS.iter().find(|action| action.to_ascii_lowercase() == unqualified(name))?,
            _ => return None,
        };
        Some(Self { owner: Some(owner), name: name.to_owned() })
    }

    fn method(&self) -> &'static str {
        if ["presence", "presences", "user"].contains(&self.name.as_str()) { "GET" } else { "POST" }
    }

    /// Returns the error if the user is not known: `/me` may stand for no user, and so may a user principal name.
    fn fault(&self, context: &Context<'_>) -> Option<Error> {
        let knows_names = context.environment.is_some();
        match &self.owner {
            Some(UserRef::Me) if context.caller.me().is_none() => Some(Error::NoSignedInUser),
            Some(UserRef::Named(name)) if name.contains('@') && !(NAMES.contains(&name.as_str()) && knows_names) => {
                Some(Error::UnknownPath)
            }
            _ => None,
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
        Request::GetUser { user, .. } => ("user", Some(*user)),
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
    let path = Path::read(target);
    let fault = path.as_ref().map_or(Some(Error::UnknownPath), |path| path.fault(context));
    match (&path, outcome) {
        (_, Err(Error::TooLarge)) => {}
        (_, Err(Error::UnknownPath)) if target.len() > longest => {}
        _ if fault.is_some() => assert_eq!(outcome.as_ref().err(), fault.as_ref(), "{target}: {outcome:?}"),
        (None, _) | (_, Err(Error::UnknownPath | Error::NoSignedInUser)) => panic!("{target} is {path:?}: {outcome:?}"),
        (Some(path), _) => {
            let is_allowed = method.eq_ignore_ascii_case(path.method());
            assert_eq!(*outcome == Err(Error::MethodNotAllowed), !is_allowed, "{method} {target}: {outcome:?}");
            if is_allowed && path.name == "presences" {
                assert_filtered(target, outcome);
            } else if let Ok(request) = outcome {
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
