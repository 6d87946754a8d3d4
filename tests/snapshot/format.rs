//! The format: one encoding for one user, small, and always the same.

use super::{HOUR, IDS, NOON, applications, busy_user, command, is_ordinary, saved, saved_at_the_end, secs};
use presence_core::BufferFull;
use presence_core::snapshot::{self, RestoreError, StoredId};
use presence_core::{Absence, Command, Duration, Instant, Policy, Presence, SessionId, User, UserId};
use proptest::prelude::*;
use support::model::cases;
use support::model::life::{full_life, life};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn set<S>(session: S, presence: Presence, minutes: u64) -> Command<S> {
    Command::SetPresence { session, presence, lease: Some(Duration::from_mins(minutes)) }
}

/// Users of every kind with one-byte ids, each at a moment.
fn users() -> Vec<(&'static str, User<u8, 4>, Instant)> {
    let mut cleared = User::new();
    command(&mut cleared, secs(0), set(1, Presence::InACall, 60), &Policy::GRAPH);
    command(&mut cleared, secs(60), Command::ClearPresence { session: 1 }, &Policy::GRAPH);

    let mut expired = User::new();
    command(&mut expired, secs(0), set(1, Presence::InACall, 5), &Policy::GRAPH);
    command(&mut expired, secs(300), Command::ClearPreferredPresence, &Policy::GRAPH);

    let mut called = User::new();
    command(&mut called, secs(0), set(7, Presence::InACall, 60), &Policy::GRAPH);

    let mut preferring = User::with_version(65_536);
    let off_work = Command::SetPreferredPresence { presence: Presence::OffWork, duration: None };
    command(&mut preferring, secs(0), off_work, &Policy::GRAPH);

    let mut endless = User::new();
    let endless_lease = Command::SetPresence { session: 255, presence: Presence::Busy, lease: Some(Duration::MAX) };
    command(&mut endless, Instant::from_millis(u64::MAX - 1), endless_lease, &support::model::ANYTHING);

    vec![
        ("new", User::new(), secs(0)),
        ("after-restart", User::after_restart(300), secs(0)),
        ("cleared", cleared, secs(90)),
        ("expired", expired, secs(301)),
        ("called", called.clone(), secs(1)),
        (
            "called-clock-set-back",
            {
                command(&mut called, secs(50), set(8, Presence::Presenting, 60), &Policy::GRAPH);
                called
            },
            secs(10),
        ),
        ("preferring", preferring, secs(HOUR)),
        ("endless", endless, secs(0)),
        ("busy", busy_user(IDS), NOON),
    ]
}

/// Snapshots of format version 1, written when it was new. They must remain readable, so these lines never change: a new
/// version adds lines of its own.
const VERSION_1: &str = include_str!("../vectors/snapshots.txt");

#[test]
fn format_version_1_is_written_and_read_as_before() {
    let mut lines = VERSION_1.lines().filter(|line| !line.starts_with('#'));
    let mut check = |name: &str, written: Vec<u8>| {
        let line = lines.next().unwrap_or_default();
        assert_eq!(format!("{name} {}", hex(&written)), line);
    };
    for (name, user, at) in users() {
        let bytes = saved(&user, at);
        check(name, bytes.clone());
        assert_eq!(snapshot::restore(&bytes, at, Some(Duration::ZERO)), Ok(user), "{name}");
    }
    let user = busy_user(applications());
    let bytes = saved(&user, NOON);
    check("busy-guid", bytes.clone());
    assert_eq!(snapshot::restore(&bytes, NOON, Some(Duration::ZERO)), Ok(user));
    assert_eq!(lines.next(), None);
}

/// Most members, to compare with the table in the documentation by hand.
#[test]
fn the_format_is_as_documented() {
    let bytes = saved(&busy_user(IDS), NOON);
    assert_eq!(
        bytes[..3],
        [1, 1, 0b1_0100],
        "format version, ids of one byte; never absent, since before, a preferred presence"
    );
    assert_eq!(bytes[3..6], [7, 3, 0], "revision, version, since now");
    assert_eq!(bytes[6], Presence::BeRightBack.as_byte());
    assert_eq!(bytes[7..12], [0x80, 0x88, 0xB2, 0xA0, 0x02], "604,800,000 ms: seven days");
    assert_eq!(bytes[12..16], [4, 1, Presence::Away.as_byte(), 2], "four sessions; session 1 has faded twice");
    assert_eq!(bytes[16..21], [0xC0, 0xA4, 0xCA, 0x06, 0], "13,800,000 ms: 3 h 50 min; and it fades no more");
}

#[test]
fn a_snapshot_is_small() {
    assert_eq!(snapshot::max_len::<u8, 4>(), 143);
    assert_eq!(snapshot::max_len::<SessionId, 4>(), 203);
    assert_eq!(saved(&busy_user(IDS), NOON).len(), 51);
    assert_eq!(saved(&busy_user(applications()), NOON).len(), 111);
    assert_eq!(saved(&User::<SessionId, 4>::new(), Instant::ZERO).len(), 10);
}

#[test]
fn c3_the_largest_user_fits_and_is_never_written_beyond_a_buffer() {
    let mut user: User<u8, 4> = User::with_version(u64::MAX - 10);
    let year = 400 * 24 * 60;
    for (session, presence) in [(1, Presence::Available), (2, Presence::Busy), (3, Presence::Away), (4, Presence::Busy)]
    {
        command(&mut user, Instant::ZERO, set(session, presence, year), &support::model::ANYTHING);
    }
    let long = Command::SetPreferredPresence { presence: Presence::Busy, duration: Some(Duration::MAX) };
    command(&mut user, Instant::ZERO, long, &support::model::ANYTHING);
    let whole = saved(&user, Instant::ZERO);
    for length in 0..whole.len() {
        let mut buffer = vec![0xA5; whole.len() + 1];
        assert_eq!(snapshot::save(user.at(Instant::ZERO).unwrap(), &mut buffer[..length]), Err(BufferFull));
        assert!(buffer[length..].iter().all(|byte| *byte == 0xA5));
    }
    let mut exact = vec![0; whole.len()];
    assert_eq!(snapshot::save(user.at(Instant::ZERO).unwrap(), &mut exact), Ok(whole.as_slice()));
}

#[test]
fn m2_ids_of_any_small_kind() {
    fn round_trip<S: StoredId + Copy + Ord + std::fmt::Debug>(ids: [S; 4]) -> usize {
        let user = busy_user(ids);
        let bytes = saved(&user, NOON);
        assert_eq!(snapshot::restore(&bytes, NOON, Some(Duration::ZERO)), Ok(user));
        bytes.len()
    }
    assert_eq!(round_trip([0_u8, 1, 2, 255]), 51);
    assert_eq!(round_trip([0_u16, 1, 256, u16::MAX]), 51 + 4);
    assert_eq!(round_trip([0_u32, 1, 256, u32::MAX]), 51 + 4 * 3);
    assert_eq!(round_trip([0_u64, 1, 256, u64::MAX]), 51 + 4 * 7);
    assert_eq!(round_trip([0_u128, 1, 256, u128::MAX]), 51 + 4 * 15);
    assert_eq!(round_trip([*b"abc", *b"abd", *b"bbc", *b"xyz"]), 51 + 4 * 2);
    assert_eq!(round_trip(applications()), 51 + 4 * 15);
    assert_eq!(round_trip(applications().map(|id| UserId::from_bytes(id.to_bytes()))), 51 + 4 * 15);
    let user: User<[u8; 0], 1> = User::new();
    assert_eq!(snapshot::restore(&saved(&user, NOON), NOON, Some(Duration::ZERO)), Ok(user));
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Even(u8);

impl StoredId for Even {
    type Bytes = [u8; 1];

    fn to_stored(self) -> [u8; 1] {
        [self.0]
    }

    fn from_stored([byte]: [u8; 1]) -> Option<Self> {
        (byte % 2 == 0).then_some(Self(byte))
    }
}

#[test]
fn m2_an_id_that_does_not_exist_is_rejected() {
    let read = |ids: [u8; 4]| snapshot::restore::<Even, 4>(&saved(&busy_user(ids), NOON), NOON, Some(Duration::ZERO));
    assert_eq!(read([2, 4, 6, 8]), Ok(busy_user([2, 4, 6, 8].map(Even))));
    assert_eq!(read([2, 4, 7, 8]), Err(RestoreError::SessionIds));
}

proptest! {
    #![proptest_config(cases(1024))]

    /// Every reachable user is restored exactly, at any moment: revision, version, deadlines that never come.
    #[test]
    fn v1_v2_c3_every_reachable_user_is_restored_exactly(life in life()) {
        let restored = snapshot::restore(&saved_at_the_end(&life), life.now, Some(Duration::ZERO));
        prop_assert_eq!(restored, Ok(life.user));
    }

    /// So is one with as many sessions as a small device has room for.
    #[test]
    fn s9_a_full_user_is_restored_exactly(life in full_life()) {
        let bytes = saved(&life.user, life.now);
        prop_assert!(bytes.len() <= snapshot::max_len::<u8, 8>());
        prop_assert_eq!(snapshot::restore(&bytes, life.now, Some(Duration::ZERO)), Ok(life.user.clone()));
        // In one with less room it does not fit, and in one with more it does.
        let less = snapshot::restore::<u8, 7>(&bytes, life.now, Some(Duration::ZERO));
        prop_assert_eq!(less.is_err(), life.user.sessions().len() > 7);
        let more: User<u8, 9> = snapshot::restore(&bytes, life.now, Some(Duration::ZERO)).unwrap();
        prop_assert_eq!(more.sessions(), life.user.sessions());
    }

    /// Equal distances are equal bytes, whatever the clock reads. Rule C2.
    #[test]
    fn c2_one_user_has_one_encoding(life in life(), to in 1_000_000_000_000_u64..2_000_000_000_000) {
        let to = Instant::from_millis(to);
        let bytes = saved_at_the_end(&life);
        let restored: User<u8, 3> = snapshot::restore(&bytes, to, Some(Duration::ZERO)).unwrap();
        prop_assume!(is_ordinary(&life, to));
        prop_assert_eq!(hex(&saved(&restored, to)), hex(&bytes));
        let mut rebased = life.user.clone();
        rebased.rebase(life.now, to).unwrap();
        prop_assert_eq!(rebased.revision(), restored.revision().wrapping_add(1), "rebasing counts, restoring does not");
        prop_assert_eq!(rebased.sessions(), restored.sessions());
        prop_assert_eq!(rebased.preferred(), restored.preferred());
        prop_assert_eq!((rebased.since(), rebased.absence()), (restored.since(), restored.absence()));
    }
}

#[test]
fn a5_the_end_of_the_last_session_is_saved() {
    for (name, user, at) in users() {
        let restored: User<u8, 4> = snapshot::restore(&saved(&user, at), at, Some(Duration::ZERO)).unwrap();
        assert_eq!(restored.absence(), user.absence(), "{name}");
    }
    let absences: Vec<_> = users().iter().filter_map(|(_, user, _)| user.absence()).collect();
    for absence in [Absence::NeverSeen, Absence::Cleared, Absence::Expired, Absence::Lost] {
        assert!(absences.contains(&absence), "{absence:?}");
    }
}
