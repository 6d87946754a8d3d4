//! Rejected bytes and their errors: damage, newer format versions, and content that no user can have.

use super::{IDS, NOON, applications, busy_user, command, saved, saved_at_the_end, with_checksum};
use presence_core::snapshot::{self, RestoreError, StoredId};
use presence_core::{Command, Duration, Instant, Policy, Presence, SessionId, User};
use proptest::prelude::*;
use support::model::life::{Life, life};
use support::model::{self, cases};

const ZERO: Option<Duration> = Some(Duration::ZERO);

fn read<const SESSIONS: usize>(bytes: &[u8]) -> Result<User<u8, SESSIONS>, RestoreError> {
    snapshot::restore(bytes, NOON, ZERO)
}

/// The error of restoring bytes, with ids of some type.
type RestoreErrorOf = fn(&[u8]) -> Option<RestoreError>;

/// Snapshots of different lengths: an empty user, four small ids, four GUIDs.
fn examples() -> [(Vec<u8>, RestoreErrorOf); 3] {
    fn error<S: StoredId + Copy + Ord>(bytes: &[u8]) -> Option<RestoreError> {
        snapshot::restore::<S, 4>(bytes, NOON, ZERO).err()
    }
    [
        (saved(&User::<u8, 4>::new(), NOON), error::<u8>),
        (saved(&busy_user(IDS), NOON), error::<u8>),
        (saved(&busy_user(applications()), NOON), error::<SessionId>),
    ]
}

#[test]
fn every_flipped_bit_and_every_pair_is_detected() {
    for (bytes, error) in examples() {
        assert_eq!(error(&bytes), None);
        let flip = |bytes: &mut [u8], bit: usize| bytes[bit / 8] ^= 1 << (bit % 8);
        for first in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            flip(&mut damaged, first);
            assert_eq!(error(&damaged), Some(RestoreError::Checksum), "bit {first}");
            // Pairs only in the shorter ones: it would take too long.
            for second in 0..if bytes.len() < 100 { first } else { 0 } {
                flip(&mut damaged, second);
                assert_eq!(error(&damaged), Some(RestoreError::Checksum), "bits {first} and {second}");
                flip(&mut damaged, second);
            }
        }
    }
}

/// Each of eight sessions is checked: its place among the others, its presence, and its fades.
#[test]
fn s3_m2_m3_every_session_is_checked() {
    const SESSIONS: usize = 8;
    let mut user: User<u8, SESSIONS> = User::new();
    for session in 0..SESSIONS as u8 {
        let set = Command::SetPresence { session: session * 2, presence: Presence::InACall, lease: None };
        command(&mut user, NOON, set, &Policy::GRAPH);
    }
    let bytes = saved(&user, NOON);
    let body = &bytes[..bytes.len() - 4];
    // All are alike but for their ids: id, presence, fades, and the times to the end and to the next fade, which is none.
    let length = body.windows(2).rev().position(|pair| pair == [14, Presence::InACall as u8]).unwrap() + 2;
    let start = |session: usize| body.len() - (SESSIONS - session) * length;
    let forged = |at: usize, byte: u8| {
        let mut body = body.to_vec();
        assert_ne!(std::mem::replace(&mut body[at], byte), byte);
        read::<SESSIONS>(&with_checksum(&body)).err()
    };
    for session in 0..SESSIONS {
        let at = start(session);
        let (id, last) = (session as u8 * 2, SESSIONS - 1);
        assert_eq!(body[at..at + 3], [id, Presence::InACall as u8, 0]);
        assert_eq!(forged(at, id + 1), None, "an id in between");
        let out_of_order = Some(RestoreError::SessionIds);
        assert_eq!(forged(at, id + 2), if session < last { out_of_order } else { None }, "the next one's id, or more");
        if session > 0 {
            assert_eq!(forged(at, id - 2), out_of_order, "the id of the one before");
        }
        assert_eq!(forged(at, id + 3), if session < last { out_of_order } else { None });
        assert_eq!(forged(at + 1, 15), Some(RestoreError::Presence));
        assert_eq!(forged(at + 2, 1), Some(RestoreError::Fades), "a call has faded");
        assert_eq!(forged(at + length - 1, 1), Some(RestoreError::Fades), "a call fades");
    }
}

#[test]
fn every_truncation_and_every_addition_is_rejected() {
    for (bytes, error) in examples() {
        for length in 0..bytes.len() {
            assert!(matches!(error(&bytes[..length]), Some(RestoreError::Length | RestoreError::Checksum)), "{length}");
            // A matching checksum does not help.
            let cut = with_checksum(&bytes[..length.min(bytes.len() - 5)]);
            assert_eq!(error(&cut), Some(RestoreError::Length), "{length}");
        }
        for more in [0, 1, 0xFF] {
            assert_eq!(error(&[&bytes, [more].as_slice()].concat()), Some(RestoreError::Checksum));
            let longer = with_checksum(&[&bytes[..bytes.len() - 4], &[more]].concat());
            assert_eq!(error(&longer), Some(RestoreError::Length));
        }
    }
}

/// Memory that was never written.
#[test]
fn empty_memory_is_rejected() {
    for length in 0..300 {
        for byte in [0, 0xFF, 0xA5] {
            // The checksum of no bytes is 0, and that of four bytes of ones is four bytes of ones.
            let expected = match (length, byte) {
                (..4, _) | (4, 0) => RestoreError::Length,
                (8, 0xFF) => RestoreError::FormatVersion,
                _ => RestoreError::Checksum,
            };
            assert_eq!(read::<4>(&vec![byte; length]), Err(expected), "{length} × {byte}");
        }
    }
}

/// A newer format version ends with the same checksum, which tells it from damage.
#[test]
fn a_newer_format_version_is_rejected() {
    for version in 2..u8::MAX {
        assert_eq!(read::<4>(&with_checksum(&[version, 1, 2, 3])), Err(RestoreError::NewerVersion(version)));
    }
    for version in [0, u8::MAX] {
        assert_eq!(read::<4>(&with_checksum(&[version, 1, 2, 3])), Err(RestoreError::FormatVersion));
    }
    assert_eq!(read::<4>(&with_checksum(&[])), Err(RestoreError::Length));
}

#[test]
fn s9_more_sessions_than_fit_are_rejected() {
    let bytes = saved(&busy_user(IDS), NOON);
    assert_eq!(read::<3>(&bytes), Err(RestoreError::Full));
    assert_eq!(read::<0>(&bytes), Err(RestoreError::Full));
    assert_eq!(read::<4>(&bytes).unwrap().sessions(), read::<9>(&bytes).unwrap().sessions());
    let many = [1, 1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1];
    assert_eq!(read::<4>(&with_checksum(&many)), Err(RestoreError::Full), "2⁶⁴ − 1 sessions");
}

/// The checksum matches, but no user can have this content.
#[test]
fn impossible_content_is_rejected() {
    const AVAILABLE: u8 = Presence::Available as u8;
    const CALL: u8 = Presence::InACall as u8;
    let cases: &[(&[u8], Result<usize, RestoreError>)] = &[
        // Format version, length of ids, flags, revision, version, sessions: id, presence, faded, end, fade.
        (&[1, 1, 0, 0, 0, 0], Ok(0)),
        (&[1, 16, 0, 0, 0, 0], Err(RestoreError::IdLength)),
        (&[1, 0, 0, 0, 0, 0], Err(RestoreError::IdLength)),
        (&[1, 1, 0b10_0000, 0, 0, 0], Err(RestoreError::Flags)),
        (&[1, 1, 0b1000_0000, 0, 0, 0], Err(RestoreError::Flags)),
        (&[1, 1, 0b1100, 0, 0, 1, 0], Err(RestoreError::Flags)),
        (&[1, 1, 0b100, 0, 0, 0, 0], Ok(0)),
        (&[1, 1, 0b1000, 0, 0, 1, 0], Ok(0)),
        // Zero after the moment is encoded as before it.
        (&[1, 1, 0b1000, 0, 0, 0, 0], Err(RestoreError::Flags)),
        (&[1, 1, 0, 1, 2, 0], Err(RestoreError::VersionAhead)),
        (&[1, 1, 0, 2, 2, 0], Ok(0)),
        // The number one in two bytes.
        (&[1, 1, 0, 0x81, 0, 0, 0], Err(RestoreError::Number)),
        (&[1, 1, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2, 0, 0], Err(RestoreError::Number)),
        (&[1, 1, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 0], Ok(0)),
        (&[1, 1, 0b1_0000, 0, 0, 15, 9, 0], Err(RestoreError::Presence)),
        (&[1, 1, 0b1_0000, 0, 0, 14, 9, 0], Ok(0)),
        (&[1, 1, 0, 0, 0, 1, 7, 15, 0, 9, 0], Err(RestoreError::Presence)),
        (&[1, 1, 0, 0, 0, 1, 7, CALL, 0, 9, 0], Ok(1)),
        (&[1, 1, 0, 0, 0, 1, 7, CALL, 0, 9, 5], Err(RestoreError::Fades)),
        (&[1, 1, 0, 0, 0, 1, 7, CALL, 1, 9, 0], Err(RestoreError::Fades)),
        (&[1, 1, 0, 0, 0, 1, 7, AVAILABLE, 0, 9, 5], Ok(1)),
        (&[1, 1, 0, 0, 0, 1, 7, AVAILABLE, 0, 9, 10], Ok(1)),
        (&[1, 1, 0, 0, 0, 2, 7, CALL, 0, 9, 0, 8, CALL, 0, 9, 0], Ok(2)),
        (&[1, 1, 0, 0, 0, 2, 7, CALL, 0, 9, 0, 7, CALL, 0, 9, 0], Err(RestoreError::SessionIds)),
        (&[1, 1, 0, 0, 0, 2, 7, CALL, 0, 9, 0, 6, CALL, 0, 9, 0], Err(RestoreError::SessionIds)),
    ];
    for (body, expected) in cases {
        let restored = read::<4>(&with_checksum(body)).map(|user| user.sessions().len());
        assert_eq!(restored, *expected, "{body:?}");
        let conservative = snapshot::restore::<u8, 4>(&with_checksum(body), NOON, None).map(|_| ());
        assert_eq!(conservative, expected.map(|_| ()), "{body:?}");
    }
}

/// The result depends on the bytes alone, and not on a clock so late that the fade saturates to never.
#[test]
fn s3_c3_a_wrong_fade_is_rejected_on_every_clock() {
    const CALL: u8 = Presence::InACall as u8;
    let forged = with_checksum(&[1, 1, 0, 0, 0, 1, 7, CALL, 0, 0, 8]);
    for before_the_end in 0..20 {
        let now = Instant::from_millis(u64::MAX - before_the_end);
        for elapsed in [None, Some(0), Some(1), Some(8), Some(u64::MAX - before_the_end)] {
            let restored = snapshot::restore::<u8, 4>(&forged, now, elapsed.map(Duration::from_millis));
            assert_eq!(restored, Err(RestoreError::Fades), "{before_the_end}, {elapsed:?}");
        }
        // A session that was set to Available, and one that does not fade, are accepted.
        for session in [[7, Presence::Available as u8, 0, 0, 8], [7, Presence::Away as u8, 2, 0, 8], [7, CALL, 0, 0, 0]]
        {
            let body = [[1, 1, 0, 0, 0, 1].as_slice(), &session].concat();
            let restored = snapshot::restore::<u8, 4>(&with_checksum(&body), now, Some(Duration::ZERO));
            assert_eq!(restored.unwrap().sessions().len(), 1);
        }
    }
}

#[test]
fn errors_say_what_is_wrong() {
    let text = |error: RestoreError| error.to_string();
    assert_eq!(text(RestoreError::NewerVersion(7)), "the snapshot has format version 7, newer than version 1");
    assert_eq!(text(RestoreError::Presence), "a byte is not a presence");
    assert_eq!(size_of::<RestoreError>(), 2, "a small value");
}

/// An accepted user behaves like any other: nothing panics, it comes to rest, and it can be saved again.
fn lives_on(user: User<u8, 3>, bytes: &[u8]) {
    if let Ok(at) = user.at(NOON) {
        let mut buffer = [0; snapshot::max_len::<u8, 3>()];
        let again = snapshot::save(at, &mut buffer).unwrap();
        assert_eq!(read(again), Ok(user.clone()));
        let deadlines = user.sessions().iter().map(|session| session.expires_at());
        let mut instants = deadlines.chain(user.preferred().map(|one| one.expires_at())).chain(user.since());
        let fits_the_clock = instants.all(|at| at != Instant::ZERO && at != Instant::NEVER);
        assert!(
            again == bytes || !fits_the_clock || bytes.windows(9).any(|ten| ten.iter().all(|byte| byte & 0x80 != 0))
        );
    }
    let mut life = Life { user, now: Instant::from_millis(u64::MAX - 1), policy: model::ANYTHING, transitions: vec![] };
    life.advance();
    assert_eq!(life.user.next_deadline(), None);
}

proptest! {
    #![proptest_config(cases(2048))]

    #[test]
    fn random_bytes_are_rejected(bytes in proptest::collection::vec(any::<u8>(), 0..200), now in any::<u64>(), elapsed in any::<Option<u64>>()) {
        let (now, elapsed) = (Instant::from_millis(now), elapsed.map(Duration::from_millis));
        // One in four thousand million has the right checksum.
        prop_assert!(snapshot::restore::<u8, 3>(&bytes, now, elapsed).is_err());
        // With it, the rest must be what this version writes, too.
        let restored = snapshot::restore::<u8, 3>(&with_checksum(&bytes), now, elapsed);
        prop_assert!(restored.is_err() || bytes.starts_with(&[1]), "{bytes:?}");
        let this_version = with_checksum(&[[1, 1].as_slice(), &bytes].concat());
        if let Ok(user) = read(&this_version) {
            lives_on(user, &this_version);
        }
    }

    /// Bytes replaced, inserted and removed, with a matching checksum.
    #[test]
    fn a_forged_snapshot_is_rejected_or_lives_on(
        life in life(),
        changes in proptest::collection::vec((0..3_u8, any::<prop::sample::Index>(), prop_oneof![0..16_u8, any::<u8>()]), 1..4),
    ) {
        let mut body = saved_at_the_end(&life);
        body.truncate(body.len() - 4);
        for (kind, index, byte) in changes {
            let index = index.index(body.len());
            match kind {
                0 => body[index] = byte,
                1 => body.insert(index, byte),
                _ if body.len() > 1 => drop(body.remove(index)),
                _ => {}
            }
        }
        let forged = with_checksum(&body);
        if let Ok(user) = read(&forged) {
            lives_on(user, &forged);
        }
    }
}
