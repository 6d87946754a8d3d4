//! Rules A1 to A3, exhaustively: every combination of up to four sessions in any presence, under every preferred presence
//! and none. What is published follows from the table alone, and the order of arrival makes no difference.

use presence_core::Presence::{self, *};
use presence_core::{
    Duration, DurationRange, Instant, Layer, Policy, PresenceSet, User, set_preferred_presence, set_presence,
};

/// The table of rule M3, weakest first.
const TABLE: [Presence; 15] = [
    Unknown,
    Offline,
    OffWork,
    Away,
    BeRightBack,
    AvailableInactive,
    Available,
    Busy,
    InAMeeting,
    InACall,
    InAConferenceCall,
    DoNotDisturb,
    Focusing,
    UrgentInterruptionsOnly,
    Presenting,
];

const ANYTHING: Policy = Policy {
    sessions: PresenceSet::of(&TABLE),
    preferred: PresenceSet::of(&TABLE),
    leases: DurationRange { shortest: Duration::ZERO, longest: Duration::MAX },
    ..Policy::GRAPH
};

const NOW: Instant = Instant::from_secs(1000);

fn set(user: &mut User<u8, 4>, session: u8, presence: Presence) {
    let transition = set_presence(user.at(NOW).unwrap(), session, presence, None, &ANYTHING).unwrap();
    let (before, after) = (user.presence(), transition.after());
    assert_eq!(transition.before(), before);
    user.apply(&transition).unwrap();
    assert_eq!(user.presence(), after);
}

fn prefer(user: &mut User<u8, 4>, presence: Presence) {
    let transition = set_preferred_presence(user.at(NOW).unwrap(), presence, None, &ANYTHING).unwrap();
    user.apply(&transition).unwrap();
    assert_eq!(user.presence(), transition.after());
}

/// Place in the table.
fn strength(presence: Presence) -> usize {
    TABLE.iter().position(|entry| *entry == presence).unwrap()
}

fn expected(sessions: &[Presence], preferred: Option<Presence>) -> Presence {
    match (sessions, preferred) {
        ([], _) => Offline,
        (_, Some(preferred)) => preferred,
        (sessions, None) => TABLE[sessions.iter().map(|presence| strength(*presence)).max().unwrap()],
    }
}

fn assert_published(sessions: &[Presence]) {
    let mut user = User::new();
    for (id, presence) in sessions.iter().enumerate() {
        set(&mut user, id as u8, *presence);
    }
    assert_eq!(user.presence(), expected(sessions, None), "{sessions:?}");
    for preferred in TABLE {
        let mut user = user.clone();
        prefer(&mut user, preferred);
        assert_eq!(user.presence(), expected(sessions, Some(preferred)), "{sessions:?}, preferred {preferred}");
    }
}

/// Every multiset of so many presences, as a list from the weakest up.
fn multisets(size: usize, visit: &mut impl FnMut(&[Presence])) {
    fn extend(chosen: &mut Vec<Presence>, from: usize, left: usize, visit: &mut impl FnMut(&[Presence])) {
        if left == 0 {
            return visit(chosen);
        }
        for (next, presence) in TABLE.into_iter().enumerate().skip(from) {
            chosen.push(presence);
            extend(chosen, next, left - 1, visit);
            chosen.pop();
        }
    }
    extend(&mut Vec::new(), 0, size, visit);
}

#[test]
fn a1_without_a_session_whatever_is_preferred_is_offline() {
    assert_published(&[]);
    for preferred in TABLE {
        let mut user = User::new();
        prefer(&mut user, preferred);
        assert_eq!(user.presence(), Offline);
    }
}

#[test]
fn a2_a3_the_strongest_session_or_the_preferred_presence_is_published() {
    let mut seen = 0;
    for size in 0..=4 {
        multisets(size, &mut |sessions| {
            seen += 1;
            assert_published(sessions);
        });
    }
    // 15 presences, up to four at a time, with repetition.
    assert_eq!(seen, 1 + 15 + 120 + 680 + 3060);
}

/// The four groups in the words of rule A3.
#[test]
fn a3_do_not_disturb_over_busy_over_available_over_away() {
    let groups = [
        &[Away][..],
        &[AvailableInactive, Available],
        &[Busy, InAMeeting, InACall, InAConferenceCall],
        &[DoNotDisturb, Focusing, UrgentInterruptionsOnly, Presenting],
    ];
    for pair in groups.windows(2) {
        for (weaker, stronger) in
            pair[0].iter().flat_map(|weaker| pair[1].iter().map(move |stronger| (weaker, stronger)))
        {
            let mut user = User::new();
            set(&mut user, 1, *stronger);
            set(&mut user, 2, *weaker);
            assert_eq!(user.presence(), *stronger);
            assert_eq!(user.explain(&ANYTHING).layer, Layer::Session(1));
        }
    }
}

/// Plays every order in which these are heard, the beginnings that orders share only once, and visits the user at the end of
/// each. One without a presence for its session is the preferred presence.
fn hear_in_every_order(user: &User<u8, 4>, left: &[(Option<u8>, Presence)], visit: &mut impl FnMut(&User<u8, 4>)) {
    if left.is_empty() {
        return visit(user);
    }
    for place in 0..left.len() {
        let mut user = user.clone();
        let mut left = left.to_vec();
        match left.remove(place) {
            (Some(session), presence) => set(&mut user, session, presence),
            (None, presence) => prefer(&mut user, presence),
        }
        hear_in_every_order(&user, &left, visit);
    }
}

/// What is left of a user once its order of arrival is taken away: all but version, revision and since.
fn without_history(user: &User<u8, 4>) -> impl PartialEq + std::fmt::Debug + use<> {
    let why = user.explain(&ANYTHING);
    (user.sessions().to_vec(), user.preferred(), user.presence(), user.next_deadline(), why.layer, why.next)
}

/// Rule M4: four sessions and a preferred presence, heard in every order: of every multiset of presences.
#[test]
fn m4_every_order_of_arrival_makes_the_same_user() {
    let mut heard = 0_usize;
    for size in 1..=if cfg!(miri) { 2 } else { 4 } {
        multisets(size, &mut |sessions| {
            // Some preferred presence for each, and every one for some.
            let preferred = TABLE[sessions.iter().map(|presence| strength(*presence)).sum::<usize>() % TABLE.len()];
            let said = sessions.iter().enumerate().map(|(id, presence)| (Some(id as u8), *presence));
            let said: Vec<_> = said.chain([(None, preferred)]).collect();
            let mut first = None;
            hear_in_every_order(&User::new(), &said, &mut |user| {
                heard += 1;
                assert_eq!(user.presence(), preferred);
                let other = without_history(user);
                assert_eq!(*first.get_or_insert_with(|| without_history(user)), other, "{sessions:?}, {preferred}");
            });
        });
    }
    // Each multiset, in the orders of one thing more.
    assert!(cfg!(miri) || heard == 15 * 2 + 120 * 6 + 680 * 24 + 3060 * 120, "{heard}");
}

/// Rules A2, A4, M4: four sessions, each with any presence, heard in every order. What they show and which of them decides
/// follows from the table alone: of those that show the strongest presence, all of which last equally long, the smallest id.
#[test]
fn m4_whichever_session_says_what_and_in_which_order() {
    let mut heard = 0_usize;
    let sizes: &[u32] = if cfg!(miri) { &[1] } else { &[1, 2, 3, 4] };
    for &size in sizes {
        for number in 0..15_usize.pow(size) {
            let presences: Vec<_> = (0..size).map(|id| TABLE[number / 15_usize.pow(id) % 15]).collect();
            let shown = expected(&presences, None);
            let deciding = presences.iter().position(|presence| *presence == shown).unwrap() as u8;
            let said: Vec<_> = presences.iter().enumerate().map(|(id, one)| (Some(id as u8), *one)).collect();
            hear_in_every_order(&User::new(), &said, &mut |user| {
                heard += 1;
                assert_eq!(user.presence(), shown, "{presences:?}");
                assert_eq!(user.explain(&ANYTHING).layer, Layer::Session(deciding), "{presences:?}");
                let sessions = user.sessions().iter().map(|session| (Some(session.id()), session.presence()));
                assert!(sessions.eq(said.iter().copied()), "{presences:?}");
            });
        }
    }
    assert!(cfg!(miri) || heard == 15 + 225 * 2 + 3375 * 6 + 50_625 * 24, "{heard}");
}

/// Two applications that refresh in turn never make the result flap.
#[test]
fn a3_refreshing_in_turn_changes_nothing() {
    for one in TABLE {
        for other in TABLE {
            let mut user = User::new();
            set(&mut user, 1, one);
            set(&mut user, 2, other);
            let version = user.version();
            for _ in 0..3 {
                set(&mut user, 1, one);
                set(&mut user, 2, other);
            }
            assert_eq!(user.version(), version, "{one} and {other}");
        }
    }
}
