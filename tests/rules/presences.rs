//! The table of presences (rules M3, P1, P2), the names on the wire (rule P3), and the ids (rule M2).

use support::model;

use presence_core::Presence::{self, *};
use presence_core::{Activity, Availability, Duration, Policy, PresenceSet, SessionId, UserId};
use proptest::prelude::*;

/// One line of the table: its number, itself, its names, whether a session may be set to it through Graph, whether it may
/// be preferred.
type Line = (u8, Presence, &'static str, &'static str, bool, bool);

#[rustfmt::skip]
const TABLE: [Line; 15] = [
    (0,  Unknown,                 "PresenceUnknown", "PresenceUnknown",         false, false),
    (1,  Offline,                 "Offline",         "Offline",                 false, false),
    (2,  OffWork,                 "Offline",         "OffWork",                 false, true),
    (3,  Away,                    "Away",            "Away",                    true,  true),
    (4,  BeRightBack,             "BeRightBack",     "BeRightBack",             false, true),
    (5,  AvailableInactive,       "Available",       "AvailableInactive",       false, false),
    (6,  Available,               "Available",       "Available",               true,  true),
    (7,  Busy,                    "Busy",            "Busy",                    false, true),
    (8,  InAMeeting,              "Busy",            "InAMeeting",              false, false),
    (9,  InACall,                 "Busy",            "InACall",                 true,  false),
    (10, InAConferenceCall,       "Busy",            "InAConferenceCall",       true,  false),
    (11, DoNotDisturb,            "DoNotDisturb",    "DoNotDisturb",            false, true),
    (12, Focusing,                "DoNotDisturb",    "Focusing",                false, false),
    (13, UrgentInterruptionsOnly, "DoNotDisturb",    "UrgentInterruptionsOnly", false, false),
    (14, Presenting,              "DoNotDisturb",    "Presenting",              true,  false),
];

#[test]
fn m3_the_table() {
    for (number, presence, availability, activity, _, _) in TABLE {
        assert_eq!(presence.availability().name(), availability);
        assert_eq!(presence.activity().name(), activity);
        assert_eq!(presence.to_string(), format!("{availability}/{activity}"));
        assert_eq!((presence.as_byte(), u8::from(presence)), (number, number));
        assert_eq!((Presence::from_byte(number), Presence::try_from(number)), (Some(presence), Ok(presence)));
        assert_eq!(Presence::ALL[usize::from(number)], presence);
        assert_eq!(Presence::from_names(availability, activity), Ok(presence));
        assert_eq!(Presence::read(availability, activity), presence);
    }
    for byte in TABLE.len() as u8..=u8::MAX {
        assert_eq!(Presence::from_byte(byte), None);
        assert!(Presence::try_from(byte).is_err());
    }
    assert_eq!(Presence::default(), Offline);
    assert_eq!(size_of::<Option<Presence>>(), 1);
}

/// Strength is the index in the table: a total order, without ties.
#[test]
fn m3_the_order_is_that_of_the_table() {
    for (one, presence, ..) in TABLE {
        for (other, another, ..) in TABLE {
            assert_eq!(presence.cmp(&another), one.cmp(&other), "{presence} and {another}");
        }
    }
}

/// Only the pairs of the table exist.
#[test]
fn m3_no_other_pair_exists() {
    for &availability in Availability::ALL {
        for &activity in Activity::ALL {
            let line = TABLE.iter().find(|line| (line.2, line.3) == (availability.name(), activity.name()));
            assert_eq!(Presence::from_pair(availability, activity), line.map(|line| line.1));
            assert_eq!(Presence::from_names(availability.name(), activity.name()).ok(), line.map(|line| line.1));
        }
    }
    assert_eq!((Availability::ALL.len(), Activity::ALL.len()), (7, 15));
}

#[test]
fn p1_what_graph_lets_a_session_take_and_a_user_prefer() {
    for (_, presence, _, _, session, preferred) in TABLE {
        assert_eq!(Policy::GRAPH.sessions.contains(presence), session, "{presence} for a session");
        assert_eq!(Policy::GRAPH.preferred.contains(presence), preferred, "{presence} preferred");
        assert_eq!(Policy::GRAPH.check_session(presence, None).is_ok(), session);
        assert_eq!(Policy::GRAPH.check_preferred(presence, None).is_ok(), preferred);
    }
    assert_eq!((Policy::GRAPH.sessions.iter().count(), Policy::GRAPH.preferred.iter().count()), (5, 6));
}

/// The accepted pairs as data: these, by these names, and no others.
#[test]
fn p1_the_accepted_pairs() {
    let pairs: serde_json::Value = serde_json::from_str(include_str!("../vectors/pairs.json")).unwrap();
    let (mut sessions, mut preferred) = (PresenceSet::EMPTY, PresenceSet::EMPTY);
    for pair in pairs.as_array().unwrap() {
        let text = |name: &str| pair[name].as_str().unwrap();
        let presence = Presence::from_names(text("availability"), text("activity")).unwrap();
        match text("operation") {
            "setPresence" => sessions = sessions.with(presence),
            "setUserPreferredPresence" => preferred = preferred.with(presence),
            other => panic!("unknown operation {other}"),
        }
    }
    assert_eq!((sessions, preferred), (Policy::GRAPH.sessions, Policy::GRAPH.preferred));
}

/// A set: to say a presence twice changes nothing.
#[test]
fn p2_a_presence_is_in_a_set_or_not() {
    let once = PresenceSet::of(&[Busy, Away]);
    assert_eq!(PresenceSet::of(&[Busy, Away, Busy]), once);
    assert_eq!(once.with(Away), once);
    assert_eq!([Away, Away, Busy].into_iter().collect::<PresenceSet>(), once);
    assert_eq!(format!("{once:?}"), "{Away, Busy}");
}

#[test]
fn p2_a_desk_takes_everything_from_away_up() {
    for (number, presence, ..) in TABLE {
        assert_eq!(Policy::DESK.sessions.contains(presence), number >= Away.as_byte(), "{presence}");
    }
    assert_eq!(Policy::DESK.preferred, Policy::GRAPH.preferred);
    for (lease, is_accepted) in [(999, false), (1000, true), (86_400_000, true), (86_400_001, false)] {
        let result = Policy::DESK.check_session(Focusing, Some(Duration::from_millis(lease)));
        assert_eq!(result.is_ok(), is_accepted, "{lease} ms");
    }
    assert_eq!(Policy::DESK.fades, Policy::GRAPH.fades);
}

#[test]
fn p4_a_mirror_takes_everything_but_unknown_and_offline_and_nothing_fades() {
    for (number, presence, ..) in TABLE {
        assert_eq!(Policy::MIRROR.sessions.contains(presence), number > Offline.as_byte(), "{presence}");
    }
    for (lease, is_accepted) in [(999, false), (1000, true), (86_400_000, true), (86_400_001, false)] {
        let result = Policy::MIRROR.check_session(OffWork, Some(Duration::from_millis(lease)));
        assert_eq!(result.is_ok(), is_accepted, "{lease} ms");
    }
    assert!(Policy::MIRROR.leases.contains(Policy::MIRROR.default_lease));
    assert_eq!(Policy::MIRROR.fades.as_slice(), []);
}

/// The model counts in numbers of its own, taken from the text; the policies say the same.
#[test]
fn p2_the_policies_are_what_the_rules_say() {
    let policies = [(Policy::GRAPH, model::graph()), (Policy::DESK, model::desk()), (Policy::MIRROR, model::mirror())];
    for (policy, rules) in policies {
        let millis = |duration: Duration| model::Millis::from(duration.as_millis());
        assert_eq!(policy.sessions.iter().collect::<Vec<_>>(), sorted(rules.sessions));
        assert_eq!(policy.preferred.iter().collect::<Vec<_>>(), sorted(rules.preferred.clone()));
        assert_eq!([policy.leases.shortest, policy.leases.longest].map(millis), rules.leases);
        assert_eq!(millis(policy.default_lease), rules.default_lease);
        let durations = policy.preferred_durations;
        assert_eq!([durations.shortest, durations.longest].map(millis), rules.preferred_durations);
        for presence in rules.preferred {
            let brief = rules.brief.contains(&presence);
            let expected = if brief { rules.brief_duration } else { rules.preferred_duration };
            assert_eq!(millis(policy.default_preferred_duration(presence)), expected);
        }
        let fades = policy.fades.as_slice().iter().map(|fade| (millis(fade.after), fade.becomes));
        assert_eq!(fades.collect::<Vec<_>>(), rules.fades);
    }
}

fn sorted(mut presences: Vec<Presence>) -> Vec<Presence> {
    presences.sort();
    presences
}

#[test]
fn p3_ascii_case_does_not_matter() {
    for (_, presence, availability, activity, _, _) in TABLE {
        for change in [str::to_lowercase, str::to_uppercase] {
            assert_eq!(Presence::from_names(&change(availability), &change(activity)), Ok(presence));
            assert_eq!(Presence::read(&change(availability), &change(activity)), presence);
        }
    }
    // Only ASCII: a Kelvin sign is no K.
    assert!(Presence::from_names("Bu\u{17f}y", "Busy").is_err());
    assert_eq!(Presence::read("Away", "BeRightBac\u{212a}"), Away);
}

/// Older documented forms: read, but no command may use them.
#[test]
fn p3_older_forms_are_read_but_rejected_in_commands() {
    for (availability, activity, presence) in [
        ("AvailableIdle", "Inactive", AvailableInactive),
        ("availableidle", "INACTIVE", AvailableInactive),
        ("BusyIdle", "Busy", Busy),
        ("BusyIdle", "Inactive", Busy),
        ("Away", "BeRightBack", BeRightBack),
        ("AWAY", "berightback", BeRightBack),
    ] {
        assert_eq!(Presence::read(availability, activity), presence, "{availability}/{activity}");
        assert!(Presence::from_names(availability, activity).is_err(), "{availability}/{activity}");
    }
}

#[test]
fn p3_reading_data_from_elsewhere_never_fails() {
    for (availability, plain) in [
        ("PresenceUnknown", Unknown),
        ("Offline", Offline),
        ("Away", Away),
        ("BeRightBack", BeRightBack),
        ("Available", Available),
        ("Busy", Busy),
        ("DoNotDisturb", DoNotDisturb),
    ] {
        for activity in ["", "Juggling", "OutOfOffice", "InAMeeting ", "\u{1F3B2}"] {
            assert_eq!(Presence::read(availability, activity), plain, "{availability}/{activity}");
            assert!(Presence::from_names(availability, activity).is_err());
        }
    }
    for availability in ["", "Levitating", " Busy", "Busy\0"] {
        for activity in ["Busy", "InACall", ""] {
            assert_eq!(Presence::read(availability, activity), Unknown, "{availability}/{activity}");
        }
    }
}

/// Activities that Graph's page of the resource lists among the availabilities.
pub(crate) const LISTED: [(&str, Presence); 4] =
    [("Focusing", Focusing), ("InACall", InACall), ("InAMeeting", InAMeeting), ("Presenting", Presenting)];

#[test]
fn p3_four_activities_are_read_as_availabilities_whatever_stands_beside_them() {
    for (availability, presence) in LISTED {
        let beside = TABLE.iter().map(|line| line.3).chain(["", "OutOfOffice", "Juggling"]);
        for activity in beside {
            for spelling in [availability.to_owned(), availability.to_lowercase(), availability.to_uppercase()] {
                assert_eq!(Presence::read(&spelling, activity), presence, "{spelling}/{activity}");
                assert!(Presence::from_names(&spelling, activity).is_err(), "no command may use {spelling}");
            }
        }
    }
    // No other activity is an availability.
    for (_, _, _, activity, _, _) in TABLE {
        let is_availability = TABLE.iter().any(|line| line.2 == activity);
        if !is_availability && LISTED.iter().all(|(name, _)| *name != activity) {
            assert_eq!(Presence::read(activity, activity), Unknown, "{activity}");
        }
    }
}

#[test]
fn p4_out_of_office_is_told_beside_the_presence_of_the_availability() {
    for (_, _, availability, activity, _, _) in TABLE {
        assert!(!Activity::is_out_of_office(activity), "{activity}");
        assert_eq!(Presence::read(availability, "outofOFFICE"), Presence::read(availability, availability));
    }
    assert!(["OutOfOffice", "OUTOFOFFICE", "outofoffice"].into_iter().all(Activity::is_out_of_office));
    assert!(!["", "OutOfOffice ", "OutOf", "Out of office"].into_iter().any(Activity::is_out_of_office));
}

/// Some name in some case, or any text.
fn name(column: fn(Line) -> &'static str) -> impl Strategy<Value = String> {
    let known = (proptest::sample::select(&TABLE[..]), any::<u32>()).prop_map(move |(line, cases)| {
        let letters = column(line)
            .chars()
            .zip(0..)
            .map(|(letter, index)| if cases >> index & 1 == 0 { letter } else { (letter as u8 ^ 0x20) as char });
        letters.collect()
    });
    prop_oneof![6 => known, 1 => "\\PC{0,20}"]
}

proptest! {
    #![proptest_config(model::cases(512))]

    #[test]
    fn p3_any_text_is_read(
        availability in prop_oneof![4 => name(|line| line.2), 1 => name(|line| line.3)],
        activity in name(|line| line.3),
    ) {
        let is = |name: &str, text: &str| name.eq_ignore_ascii_case(text);
        let in_table = TABLE.iter().find(|line| is(line.2, &availability) && is(line.3, &activity)).map(|line| line.1);
        prop_assert_eq!(Presence::from_names(&availability, &activity).ok(), in_table);
        let expected = match in_table {
            Some(presence) => presence,
            None if is("Away", &availability) && is("BeRightBack", &activity) => BeRightBack,
            None if LISTED.iter().any(|(name, _)| is(name, &availability)) => {
                LISTED.iter().find(|(name, _)| is(name, &availability)).unwrap().1
            }
            // The first of each availability is not always the plain one: Available is not AvailableInactive.
            None => TABLE
                .iter()
                .find(|line| is(line.2, &availability) && (line.2 == line.3))
                .map_or(Unknown, |line| line.1),
        };
        prop_assert_eq!(Presence::read(&availability, &activity), expected);
    }

    /// Rule M2: GUIDs compare by value.
    #[test]
    fn m2_guids_compare_by_value(bytes in any::<[u8; 16]>(), other in any::<[u8; 16]>()) {
        let id = SessionId::from_bytes(bytes);
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let text = format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
        prop_assert_eq!(id.to_string(), text.as_str());
        prop_assert_eq!(&id.to_text()[..], text.as_bytes());
        for spelling in [text.clone(), text.to_uppercase(), format!("{{{text}}}"), format!("{{{}}}", text.to_uppercase())] {
            prop_assert_eq!(SessionId::parse(&spelling), Ok(id));
            prop_assert_eq!(spelling.parse::<UserId>().map(UserId::to_bytes), Ok(bytes));
        }
        prop_assert_eq!(id.cmp(&SessionId::from_bytes(other)), bytes.cmp(&other));
    }

    /// A GUID with one character replaced, inserted or taken away.
    #[test]
    fn m2_nothing_else_is_a_guid(
        mut text in "[{]?[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}[}]?",
        index in any::<proptest::sample::Index>(),
        instead in "[0-9a-gA-G/:@`{}-]{0,2}",
    ) {
        let index = index.index(text.len());
        text.replace_range(index..=index, &instead);
        let inner = text.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or(&text);
        let groups: Vec<_> = inner.split('-').collect();
        let is_guid = groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
            && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()));
        prop_assert_eq!(SessionId::parse(&text).is_ok(), is_guid);
    }
}

#[test]
fn m2_what_is_almost_a_guid() {
    let guid = "fa8bf3dc-eca7-46b7-bad1-db199b62afc3";
    assert!(UserId::parse(guid).is_ok());
    let rejected = [
        String::new(),
        guid.replace('-', ""),
        format!("{{{guid}"),
        format!("{guid}}}"),
        format!("{{{{{guid}}}}}"),
        format!("({guid})"),
        format!(" {guid}"),
        format!("{guid}0"),
        guid[1..].to_owned(),
        guid.replace('f', "g"),
        guid.replace("3dc-e", "3dce-"),
        guid.replacen('f', "\u{e9}", 1),
        guid.replacen("fa", "\u{e9}", 1),
        format!("{}@", &guid[..35]),
        format!("{}`", &guid[..35]),
    ];
    for text in rejected {
        assert!(UserId::parse(&text).is_err(), "{text}");
    }
}
