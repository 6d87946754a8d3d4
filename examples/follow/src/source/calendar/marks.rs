//! What an event says about its owner: busy, tentative, out of office, declined, as calendars mark it.

use super::agenda::Shown;
use calcard::icalendar::{
    ICalendarComponent, ICalendarEntry, ICalendarParameterName, ICalendarParameterValue, ICalendarParticipationStatus,
    ICalendarProperty, ICalendarStatus, ICalendarTransparency, ICalendarValue,
};
use presence_core::Presence;

/// Whose calendar it is, and what counts.
#[derive(Clone, Debug, Default)]
pub struct Owner {
    /// The owner's addresses: what they declined does not count.
    pub addresses: Vec<String>,
    /// Whether tentative events count as well.
    pub tentative: bool,
}

/// How an event marks its time. Outlook's names (`X-MICROSOFT-CDO-BUSYSTATUS`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Marked {
    Free,
    Tentative,
    Busy,
    OutOfOffice,
    WorkingElsewhere,
}

/// Returns what an event shows while it lasts; `None` if its time counts as free.
pub fn shown(event: &ICalendarComponent, date_only: bool, owner: &Owner) -> Option<Shown> {
    let cancelled = event.status() == Some(&ICalendarStatus::Cancelled);
    let answer = answer(event, owner);
    if cancelled || answer == Some(&ICalendarParticipationStatus::Declined) {
        return None;
    }
    let all_day =
        date_only || mark(event, "X-MICROSOFT-CDO-ALLDAYEVENT").is_some_and(|mark| mark.eq_ignore_ascii_case("TRUE"));
    let tentative =
        event.status() == Some(&ICalendarStatus::Tentative) || answer == Some(&ICalendarParticipationStatus::Tentative);
    match marked(event, date_only) {
        Marked::Free | Marked::WorkingElsewhere => None,
        Marked::OutOfOffice => Some(Shown::OUT_OF_OFFICE),
        Marked::Tentative if !owner.tentative => None,
        Marked::Busy if tentative && !owner.tentative => None,
        // A day is not a meeting.
        Marked::Tentative | Marked::Busy if all_day => Some(Shown::presence(Presence::Busy)),
        Marked::Tentative | Marked::Busy => Some(Shown::presence(Presence::InAMeeting)),
    }
}

fn marked(event: &ICalendarComponent, date_only: bool) -> Marked {
    let status = mark(event, "X-MICROSOFT-CDO-BUSYSTATUS").map(str::to_ascii_uppercase);
    match (status.as_deref(), event.transparency()) {
        (Some("FREE"), _) => Marked::Free,
        (Some("TENTATIVE"), _) => Marked::Tentative,
        (Some("BUSY"), _) => Marked::Busy,
        (Some("OOF"), _) => Marked::OutOfOffice,
        (Some("WORKINGELSEWHERE"), _) => Marked::WorkingElsewhere,
        (_, Some(ICalendarTransparency::Transparent)) => Marked::Free,
        (_, Some(ICalendarTransparency::Opaque)) => Marked::Busy,
        // An anniversary or a reminder (RFC 5545, 3.6.1).
        (_, None) if date_only => Marked::Free,
        (_, None) => Marked::Busy,
    }
}

/// Returns the value of a property that no standard names.
fn mark<'a>(event: &'a ICalendarComponent, name: &str) -> Option<&'a str> {
    let named = |entry: &&ICalendarEntry| matches!(&entry.name, ICalendarProperty::Other(other) if other.eq_ignore_ascii_case(name));
    event.entries.iter().find(named)?.values.first()?.as_text().map(str::trim)
}

/// Returns what the owner answered to the invitation.
fn answer<'a>(event: &'a ICalendarComponent, owner: &Owner) -> Option<&'a ICalendarParticipationStatus> {
    let attendees = event.entries.iter().filter(|entry| entry.name == ICalendarProperty::Attendee);
    let own = |entry: &&ICalendarEntry| {
        let address = entry.values.first().and_then(ICalendarValue::as_text).map(address);
        address.is_some_and(|address| owner.addresses.iter().any(|own| own.eq_ignore_ascii_case(address)))
    };
    match attendees.into_iter().find(own)?.parameter(&ICalendarParameterName::Partstat)? {
        ICalendarParameterValue::Partstat(answer) => Some(answer),
        _ => None,
    }
}

fn address(uri: &str) -> &str {
    let scheme = uri.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"));
    scheme.map_or(uri, |scheme| uri.trim_start_matches(scheme)).trim()
}
