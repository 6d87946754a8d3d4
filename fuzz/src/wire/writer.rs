//! Responses, written naively: text put together piece by piece.

use super::rules::{code, names};
use super::users::EPOCH;
use presence_core::details::DetailsView;
use presence_core::graph::json::Value;
use presence_core::graph::{Error, Select, Trace};
use presence_core::{Cause, Instant, Presence, SessionId, Transition, UserId};

/// Returns an error body. Rule H1.
pub fn error(error: Error, trace: &Trace<'_>) -> String {
    let code = code(error);
    // Rule H9: an id that the client did not send is that of the request.
    let client_id = if trace.client_request_id.is_some() { trace.client_request_id } else { trace.request_id };
    let [date, id, client_id] = [trace.date, trace.request_id, client_id].map(text_or_null);
    format!(
        r#"{{"error":{{"code":"{code}","message":"{error}","innerError":{{"date":{date},"request-id":{id},"client-request-id":{client_id}}}}}}}"#
    )
}

/// Returns the response to an element of a batch, with headers, or to a line, without. Rule H5.
pub fn response(id: Value<'_>, status: u16, body: &str, has_headers: bool) -> String {
    let headers = if has_headers { r#","headers":{"Content-Type":"application/json"}"# } else { "" };
    let body = if body.is_empty() { String::new() } else { format!(r#"{headers},"body":{body}"#) };
    // What is written as JSON already has its quotation marks.
    let id: String = id
        .as_str()
        .chars()
        .map(|character| if is_unsafe(character) { escape(character) } else { character.into() })
        .collect();
    format!(r#"{{"id":{id},"status":{status}{body}}}"#)
}

/// The contents of a presence object.
pub struct Presences<'a> {
    pub user: UserId,
    pub presence: Presence,
    pub version: u64,
    pub details: Option<DetailsView<'a>>,
    pub is_own: bool,
    pub knows_the_time: bool,
}

impl Presences<'_> {
    /// Returns the presence object, with the selected members. Rules H3, V1, T1, O1, W1.
    pub fn write(&self, select: Select) -> String {
        let details = self.details.unwrap_or_default();
        let out_of_office = details.out_of_office;
        let (availability, activity) = names(self.presence);
        let members = [
            ("id", format!("\"{}\"", self.user)),
            ("availability", format!("\"{availability}\"")),
            ("activity", format!("\"{activity}\"")),
            (
                "outOfOfficeSettings",
                self.or_null(format!(
                    r#"{{"message":{},"isOutOfOffice":{}}}"#,
                    text_or_null(out_of_office.message),
                    out_of_office.is_out_of_office
                )),
            ),
            ("statusMessage", self.status_message()),
            ("sequenceNumber", sequence_number(self.version + details.version)),
            ("workLocation", self.or_null(self.work_location())),
        ];
        let selected = members.iter().filter(|(name, _)| select.contains(name));
        let texts: Vec<_> = selected.map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", texts.join(","))
    }

    fn or_null(&self, value: String) -> String {
        if self.details.is_some() { value } else { "null".to_owned() }
    }

    fn status_message(&self) -> String {
        let Some(message) = self.details.and_then(|details| details.status_message) else { return "null".to_owned() };
        let content = text_or_null(Some(message.text));
        let mut times = String::new();
        if self.is_own {
            let [published, expires] = [message.published_at, message.expires_at].map(|at| self.date_time(at));
            let expiry = match expires.filter(|_| message.expires_at != Instant::NEVER) {
                Some(expires) => format!(r#"{{"dateTime":"{expires}","timeZone":"UTC"}}"#),
                None => "null".to_owned(),
            };
            times = format!(
                r#","publishedDateTime":{},"expiryDateTime":{expiry}"#,
                published.map_or("null".to_owned(), |published| format!("\"{published}Z\""))
            );
        }
        format!(r#"{{"message":{{"content":{content},"contentType":"text"}}{times}}}"#)
    }

    fn work_location(&self) -> String {
        match self.details.and_then(|details| details.work_location) {
            None => r#"{"workLocationType":"unspecified","placeId":null,"source":"none"}"#.to_owned(),
            Some(location) => format!(
                r#"{{"workLocationType":"{}","placeId":{},"source":"{}"}}"#,
                location.place.kind.name(),
                text_or_null(location.place.id),
                location.source.name()
            ),
        }
    }

    /// Returns a moment in UTC, with seven fraction digits, as jiff computes it.
    fn date_time(&self, at: Instant) -> Option<String> {
        if !self.knows_the_time {
            return None;
        }
        let last = jiff::civil::date(9999, 12, 31).at(23, 59, 59, 999_000_000);
        let seconds = i64::try_from(EPOCH.saturating_add(at.as_millis()) / 1000).ok();
        let first = jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0);
        let whole = seconds.and_then(|seconds| first.checked_add(jiff::SignedDuration::from_secs(seconds)).ok());
        let (moment, millis) = match whole {
            Some(whole) => (whole, EPOCH.saturating_add(at.as_millis()) % 1000),
            None => (last, 999),
        };
        let (date, time) = (moment.date(), moment.time());
        Some(format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{millis:03}0000",
            date.year(),
            date.month(),
            date.day(),
            time.hour(),
            time.minute(),
            time.second()
        ))
    }
}

/// Returns a user object, with the selected members: the names are those of [`World`](super::users::World). Section 7.
pub fn user(user: UserId, knows_names: bool, select: Select) -> String {
    let [name, display_name] = if knows_names { super::users::names(user) } else { [None, None] };
    let members = [
        ("id", format!("\"{user}\"")),
        ("userPrincipalName", text_or_null(name)),
        ("displayName", text_or_null(display_name)),
    ];
    let selected = members.iter().filter(|(name, _)| select.contains(name));
    let texts: Vec<_> = selected.map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", texts.join(","))
}

/// Returns the event of a change: seconds since `start`, without trailing zeros.
pub fn change(start: Instant, user: UserId, transition: &Transition<SessionId>) -> String {
    let millis = transition.at().as_millis().saturating_sub(start.as_millis());
    let seconds = format!("{}.{:03}", millis / 1000, millis % 1000);
    let seconds = seconds.trim_end_matches('0').trim_end_matches('.');
    let [from, to] = [transition.before(), transition.after()].map(|presence| {
        let (availability, activity) = names(presence);
        format!(r#"{{"availability":"{availability}","activity":"{activity}"}}"#)
    });
    let cause = match transition.cause() {
        Cause::Set => "set",
        Cause::Cleared => "cleared",
        Cause::Faded => "faded",
        Cause::Expired => "expired",
        Cause::PreferredSet => "preferredSet",
        Cause::PreferredCleared => "preferredCleared",
        Cause::PreferredExpired => "preferredExpired",
    };
    format!(r#"{{"at":{seconds},"user":"{user}","from":{from},"to":{to},"cause":"{cause}"}}"#)
}

/// Returns the `sequenceNumber`. Rule V1.
fn sequence_number(version: u64) -> String {
    const LETTER: u64 = 10_000_000_000;
    let letter = char::from(b'A' + (version / LETTER).min(25) as u8);
    if version == 0 { "null".to_owned() } else { format!("\"{letter}{:010}\"", version % LETTER) }
}

fn text_or_null(text: Option<&str>) -> String {
    let Some(text) = text else { return "null".to_owned() };
    let escaped = text.chars().map(|character| match character {
        '"' | '\\' => format!("\\{character}"),
        _ if is_unsafe(character) => escape(character),
        _ => character.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

/// Reports whether a reader may take a character for the end of a line, or a terminal for a command.
fn is_unsafe(character: char) -> bool {
    character.is_control() || "\u{2028}\u{2029}".contains(character)
}

fn escape(character: char) -> String {
    format!("\\u{:04x}", u32::from(character))
}
