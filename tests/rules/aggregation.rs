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

/// Every order of the first so many numbers.
fn orders(size: usize) -> Vec<Vec<usize>> {
    if size == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(size - 1);
    let insert = |order: &Vec<usize>, index: usize| {
        let mut order = order.clone();
        order.insert(index, size - 1);
        order
    };
    shorter.iter().flat_map(|order| (0..size).map(move |index| insert(order, index))).collect()
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

/// Rule M4: three sessions and a preferred presence, heard in every order.
#[test]
fn m4_every_order_of_arrival_makes_the_same_user() {
    for size in 1..=if cfg!(miri) { 2 } else { 3 } {
        let orders = orders(size + 1);
        assert_eq!(orders.len(), (1..=size + 1).product::<usize>());
        multisets(size, &mut |sessions| {
            // Some preferred presence for each, and every one for some.
            let preferred = TABLE[sessions.iter().map(|presence| strength(*presence)).sum::<usize>() % TABLE.len()];
            let users = orders.iter().map(|order| {
                let mut user = User::new();
                for &speaker in order {
                    match sessions.get(speaker) {
                        Some(presence) => set(&mut user, speaker as u8, *presence),
                        None => prefer(&mut user, preferred),
                    }
                }
                user
            });
            let mut users = users.map(|user| {
                let why = user.explain(&ANYTHING);
                (user.sessions().to_vec(), user.preferred(), user.presence(), user.next_deadline(), why.layer, why.next)
            });
            let first = users.next().unwrap();
            for other in users {
                assert_eq!(first, other, "{sessions:?}, preferred {preferred}");
            }
        });
    }
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
