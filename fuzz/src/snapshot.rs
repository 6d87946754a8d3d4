//! Snapshots: any bytes are rejected, or restored as exactly the user that they encode.

pub mod format;

use crate::life::{clock, command};
use arbitrary::{Result, Unstructured};
use format::{Decoded, with_checksum};
use presence_core::snapshot::{RestoreError, StoredId, max_len, restore, save};
use presence_core::{Absence, Command, Duration, Instant, Presence, SessionId, User, decide, next_due};
use support::model::ANYTHING;

/// The amount by which revision and version grow over a gap of unknown length.
const VERSION_GAP: u64 = 65_536;

const SESSIONS: usize = 3;
const ZERO: Option<Duration> = Some(Duration::ZERO);

/// Checks bytes as a snapshot. The first ones are the clock, and what the others are.
///
/// They are a snapshot, one without its checksum, or the life of a user to save.
pub fn snapshot(data: &[u8]) {
    // An error is the end of the bytes.
    let _ = play(Unstructured::new(data));
}

fn play(mut bytes: Unstructured<'_>) -> Result<()> {
    let (now, elapsed) = (bytes.arbitrary()?, bytes.arbitrary()?);
    match bytes.int_in_range(0..=4)? {
        0 => check::<u8>(bytes.take_rest(), now, elapsed),
        1 => check::<u8>(&with_checksum(bytes.take_rest()), now, elapsed),
        2 => check::<SessionId>(&with_checksum(bytes.take_rest()), now, elapsed),
        3 => check::<u8>(&with_checksum(&[&[1, 1], bytes.take_rest()].concat()), now, elapsed),
        _ => {
            let (user, at) = live(&mut bytes)?;
            let mut buffer = [0; max_len::<u8, SESSIONS>()];
            let stored = save(user.at(at).expect("up to date"), &mut buffer).expect("the most there is");
            let restored = restore(stored, at, ZERO);
            assert_eq!(restored.as_ref(), Ok(&user), "the same user on the same clock");
            check::<u8>(stored, now, elapsed);
            damage(stored, &mut bytes)?;
        }
    }
    Ok(())
}

/// Reads the life of a user, and returns the user at an instant at which nothing is overdue.
fn live(bytes: &mut Unstructured<'_>) -> Result<(User<u8, SESSIONS>, Instant)> {
    let mut user = User::with_version(bytes.arbitrary::<u32>()?.into());
    let mut now = Instant::from_secs(1_000_000);
    for _ in 0..bytes.int_in_range(0..=8)? {
        now = Instant::from_millis(clock(bytes)?.read(now.as_millis(), user.next_deadline().map(Instant::as_millis)));
        bring_up_to_date(&mut user, now);
        let decided = decide(user.at(now).expect("up to date"), command(bytes, SESSIONS as u8)?, &ANYTHING);
        if let Ok(Some(transition)) = decided {
            user.apply(&transition).expect("just decided");
        }
        bring_up_to_date(&mut user, now);
    }
    Ok((user, now))
}

fn bring_up_to_date<S: Copy + Ord>(user: &mut User<S, SESSIONS>, now: Instant) {
    while let Some(due) = next_due(user, now, &ANYTHING) {
        user.apply(&due).expect("just decided");
    }
}

/// Checks that bytes are restored exactly if the naive reader accepts them, on any clock, and that the user is valid.
fn check<S: StoredId + Copy + Ord + core::fmt::Debug>(bytes: &[u8], now: Instant, elapsed: Option<Duration>) {
    let decoded = Decoded::read(bytes, size_of::<S::Bytes>(), SESSIONS);
    let restored = restore::<S, SESSIONS>(bytes, now, elapsed);
    match &decoded {
        None => assert!(restored.is_err(), "{restored:?}"),
        Some(decoded) if !decoded.has_begun(now, elapsed) => assert_eq!(restored, Err(RestoreError::BeforeEpoch)),
        Some(decoded) => assert!(restored.is_ok(), "{restored:?}, {decoded:?}"),
    }
    let (Some(decoded), Ok(user)) = (decoded, restored) else { return };
    match elapsed {
        Some(elapsed) => {
            decoded.assert_is(&user, now, elapsed);
            lives_on(&user);
            // Restoring at the moment of saving, after which time passes, is the same.
            if let Some(then) = now.as_millis().checked_sub(elapsed.as_millis()) {
                assert_eq!(restore(bytes, Instant::from_millis(then), ZERO).as_ref(), Ok(&user));
            }
        }
        None => {
            let exact: User<S, SESSIONS> = restore(bytes, now, ZERO).expect("nothing fell due");
            let absence = if exact.sessions().is_empty() { exact.absence() } else { Some(Absence::Lost) };
            assert_eq!((user.sessions().len(), user.absence()), (0, absence), "stale (A5)");
            assert_eq!(user.preferred(), exact.preferred(), "the preferred presence is kept");
            assert_eq!(user.version(), exact.version().saturating_add(VERSION_GAP), "version (V1)");
            assert_eq!(user.revision(), exact.revision().saturating_add(VERSION_GAP), "revision (V2)");
            lives_on(&user);
        }
    }
    // On a clock on which nothing saturates, the user is saved as the same bytes.
    if let Some(ordinary) = decoded.ordinary_clock() {
        let user: User<S, SESSIONS> = restore(bytes, ordinary, ZERO).expect("on any clock");
        let mut buffer = vec![0; max_len::<S, SESSIONS>()];
        let at = user.at(ordinary).expect("every saved deadline is in the future (S8)");
        assert_eq!(save(at, &mut buffer), Ok(bytes), "one user, one encoding");
    }
}

/// Checks that a restored user behaves like any other: it comes to rest, and at each deadline it can be changed, saved and
/// restored.
fn lives_on<S: StoredId + Copy + Ord + core::fmt::Debug>(user: &User<S, SESSIONS>) {
    let sessions = user.sessions();
    assert!(sessions.is_sorted_by(|one, next| one.id() < next.id()), "ids in order, each once (M2)");
    let mut user = user.clone();
    let mut before = Instant::ZERO;
    bring_up_to_date(&mut user, before);
    can_be_saved_again(user.clone(), before);
    while let Some(deadline) = user.next_deadline() {
        assert!(before < deadline, "time goes forwards");
        let (revision, version) = (user.revision(), user.version());
        bring_up_to_date(&mut user, deadline);
        assert!(user.version() >= version && user.revision() > revision.min(u64::MAX - 1), "grows (V1, V2)");
        can_be_saved_again(user.clone(), deadline);
        before = deadline;
    }
    assert_eq!(user.preferred().map_or(Instant::NEVER, |preferred| preferred.expires_at()), Instant::NEVER);
}

/// Clears a session, if there is one, and sets a preferred presence; the user is the same after saving and restoring.
fn can_be_saved_again<S: StoredId + Copy + Ord + core::fmt::Debug>(mut user: User<S, SESSIONS>, now: Instant) {
    let clear = user.sessions().first().map(|session| Command::ClearPresence { session: session.id() });
    let prefer = Command::SetPreferredPresence { presence: Presence::Busy, duration: None };
    for command in clear.into_iter().chain([prefer]) {
        let (revision, version) = (user.revision(), user.version());
        let decided = decide(user.at(now).expect("up to date"), command, &ANYTHING).expect("allowed");
        let transition = decided.expect("something happens");
        assert_eq!(user.apply(&transition), Ok(()));
        // The greatest numbers stay.
        assert_eq!(user.revision(), revision.saturating_add(1), "revision (V2)");
        assert_eq!(user.version(), version.saturating_add(transition.is_visible().into()), "version (V1)");
    }
    let mut buffer = vec![0; max_len::<S, SESSIONS>()];
    let stored = save(user.at(now).expect("up to date"), &mut buffer).expect("the most there is");
    assert_eq!(restore(stored, now, ZERO).as_ref(), Ok(&user), "the same user on the same clock");
}

/// Checks that up to five flipped bits anywhere are detected, and truncation.
fn damage(stored: &[u8], bytes: &mut Unstructured<'_>) -> Result<()> {
    let mut damaged = stored.to_vec();
    for _ in 0..bytes.int_in_range(1..=5)? {
        let bit = bytes.choose_index(stored.len() * 8)?;
        // Never flips a bit back.
        if damaged[bit / 8] >> (bit % 8) & 1 == stored[bit / 8] >> (bit % 8) & 1 {
            damaged[bit / 8] ^= 1 << (bit % 8);
        }
        assert_eq!(restore::<u8, SESSIONS>(&damaged, Instant::ZERO, None), Err(RestoreError::Checksum));
    }
    let length = bytes.choose_index(stored.len())?;
    let cut = restore::<u8, SESSIONS>(&stored[..length], Instant::ZERO, None);
    assert!(matches!(cut, Err(RestoreError::Checksum | RestoreError::Length)), "cut to {length}: {cut:?}");
    Ok(())
}
