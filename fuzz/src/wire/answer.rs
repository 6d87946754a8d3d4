//! Presence objects as a device reads them, against rules P3 and P4 as written down here again.

use super::tree::Tree;
use presence_core::Presence;
use presence_core::graph::Resource;
use presence_core::graph::json::Value;

/// Checks what is read out of any JSON value: a presence exactly if all of it is understood.
pub fn assert_read(value: Value<'_>, tree: &Tree) {
    assert_eq!(Resource::read(value).ok(), expected(tree), "{value:?}");
}

/// Checks that a presence object that was written is read as it was published (F4).
pub fn assert_written_is_read(written: &[u8]) {
    let Ok(tree) = Tree::parse(written) else { return };
    let name = |member| tree.member(member).and_then(Tree::text);
    // Neither an error, nor a response with some members only.
    let (Some(availability), Some(activity)) = (name("availability"), name("activity")) else { return };
    let read = Resource::read(Value::parse(written).expect("JSON")).expect("what is written is read");
    assert_eq!(Ok(read.0), Presence::from_names(availability, activity));
    assert_read(Value::parse(written).expect("JSON"), &tree);
}

fn expected(tree: &Tree) -> Option<(Presence, bool)> {
    let Tree::Object(_) = tree else { return None };
    let (availability, activity) = (tree.member("availability")?.text()?, tree.member("activity")?.text()?);
    let is_out_of_office = is_out_of_office(tree)? || activity.eq_ignore_ascii_case("outofoffice");
    Some((presence(&availability.to_ascii_lowercase(), &activity.to_ascii_lowercase()), is_out_of_office))
}

/// Returns the flag; `None` if it is not understood.
fn is_out_of_office(tree: &Tree) -> Option<bool> {
    let settings = match tree.all("outOfOfficeSettings")[..] {
        [] | [Tree::Null] => return Some(false),
        [settings @ Tree::Object(_)] => settings,
        _ => return None,
    };
    match settings.all("isOutOfOffice")[..] {
        [] | [Tree::Null] => Some(false),
        [Tree::Bool(flag)] => Some(*flag),
        _ => None,
    }
}

/// Reads names in small letters.
fn presence(availability: &str, activity: &str) -> Presence {
    let availability = match availability {
        "availableidle" => return Presence::AvailableInactive,
        "focusing" => return Presence::Focusing,
        "inacall" => return Presence::InACall,
        "inameeting" => return Presence::InAMeeting,
        "presenting" => return Presence::Presenting,
        "busyidle" => "busy",
        "away" if activity == "berightback" => "berightback",
        other => other,
    };
    let pair = |one: &Presence, activity: &str| {
        one.availability().name().eq_ignore_ascii_case(availability)
            && one.activity().name().eq_ignore_ascii_case(activity)
    };
    let find = |activity: &str| Presence::ALL.into_iter().find(|one| pair(one, activity));
    find(activity).or_else(|| find(availability)).unwrap_or(Presence::Unknown)
}
