//! An independent, naive reader of the format of snapshots.

use presence_core::snapshot::StoredId;
use presence_core::{Absence, Duration, Instant, Presence, User};

/// The content of a snapshot. Times are distances from the moment of saving, in milliseconds.
#[derive(Debug)]
pub struct Decoded {
    absence: u8,
    revision: u64,
    version: u64,
    /// Negative: before that moment.
    since: Option<i128>,
    preferred: Option<(u8, u64)>,
    sessions: Vec<Session>,
}

#[derive(Debug)]
struct Session {
    id: Vec<u8>,
    presence: u8,
    faded: u8,
    ends: u64,
    fades: u64,
}

/// Returns a body with its checksum, a CRC-32C.
pub fn with_checksum(body: &[u8]) -> Vec<u8> {
    [body, &checksum(body).to_le_bytes()].concat()
}

fn checksum(bytes: &[u8]) -> u32 {
    crc::Crc::<u32>::new(&crc::CRC_32_ISCSI).checksum(bytes)
}

/// Returns the body before a checksum, if that matches.
pub fn verified(bytes: &[u8]) -> Option<&[u8]> {
    let (body, expected) = bytes.split_last_chunk()?;
    (u32::from_le_bytes(*expected) == checksum(body)).then_some(body)
}

/// Reads a number in LEB128, in as few bytes as possible.
pub fn number(bytes: &mut &[u8]) -> Option<u64> {
    let length = bytes.iter().position(|byte| byte & 0x80 == 0)? + 1;
    let (digits, rest) = bytes.split_at(length);
    *bytes = rest;
    let is_short = length == 1 || digits[length - 1] != 0;
    let value = digits.iter().rev().try_fold(0_u128, |value, byte| {
        Some(value.checked_mul(128)? + u128::from(byte & 0x7F)).filter(|value| *value <= u64::MAX.into())
    });
    value.filter(|_| is_short)?.try_into().ok()
}

pub fn byte(bytes: &mut &[u8]) -> Option<u8> {
    bytes.split_off_first().copied()
}

fn presence(bytes: &mut &[u8]) -> Option<u8> {
    byte(bytes).filter(|byte| usize::from(*byte) < Presence::ALL.len())
}

impl Decoded {
    /// Reads a snapshot of a user with ids of this length and at most so many sessions.
    pub fn read(bytes: &[u8], id_length: usize, most_sessions: usize) -> Option<Self> {
        let mut rest = verified(bytes)?;
        if rest.split_off(..2)? != [1, u8::try_from(id_length).ok()?] {
            return None;
        }
        let rest = &mut rest;
        let flags = byte(rest)?;
        let (revision, version) = (number(rest)?, number(rest)?);
        let since = match flags >> 2 & 3 {
            0 => None,
            1 => Some(-i128::from(number(rest)?)),
            2 => Some(number(rest).filter(|ahead| *ahead > 0)?.into()),
            _ => return None,
        };
        let preferred = if flags >> 4 & 1 == 1 { Some((presence(rest)?, number(rest)?)) } else { None };
        let count = number(rest).filter(|count| *count <= most_sessions as u64)?;
        let mut sessions: Vec<Session> = Vec::new();
        for _ in 0..count {
            let id = rest.split_off(..id_length)?.to_vec();
            let (presence, faded) = (presence(rest)?, byte(rest)?);
            sessions.push(Session { id, presence, faded, ends: number(rest)?, fades: number(rest)? });
        }
        if flags >> 5 != 0 || !rest.is_empty() || version > revision {
            return None;
        }
        // One-byte ids and GUIDs are ordered like their bytes.
        let is_in_order = sessions.is_sorted_by(|one, next| one.id < next.id);
        // A faded session is weaker than Available, and one that will fade first was set to Available (rule S3).
        let has_faded_wrongly = |session: &Session| session.faded > 0 && session.presence > Presence::Available as u8;
        let will_fade_wrongly = |session: &Session| {
            session.faded == 0 && session.fades > 0 && session.presence != Presence::Available as u8
        };
        if !is_in_order || sessions.iter().any(has_faded_wrongly) || sessions.iter().any(will_fade_wrongly) {
            return None;
        }
        Some(Self { absence: flags & 3, revision, version, since, preferred, sessions })
    }

    fn deadlines(&self) -> impl Iterator<Item = u64> {
        let sessions = self.sessions.iter().flat_map(|session| [session.ends, session.fades]);
        sessions.chain(self.preferred.map(|(_, ends)| ends)).filter(|left| *left > 0)
    }

    /// Reports whether no deadline fell before instant 0 of a clock.
    pub fn has_begun(&self, now: Instant, elapsed: Option<Duration>) -> bool {
        let elapsed = elapsed.unwrap_or(Duration::ZERO);
        let then = i128::from(now.as_millis()) - i128::from(elapsed.as_millis());
        self.deadlines().all(|left| then + i128::from(left) >= 0)
    }

    /// Returns an instant at which a clock can express every distance exactly, if there is one (rule C3).
    pub fn ordinary_clock(&self) -> Option<Instant> {
        let behind = self.since.map_or(0, |since| (-since).max(0));
        let ahead = self.deadlines().map(i128::from).chain(self.since).max().unwrap_or(0);
        let moment = Instant::from_millis(u64::try_from(behind).ok()?);
        (behind + ahead < u64::MAX.into()).then_some(moment)
    }

    /// Asserts that the content is this user, on this clock.
    pub fn assert_is<S: StoredId + Copy + Ord, const SESSIONS: usize>(
        &self,
        user: &User<S, SESSIONS>,
        now: Instant,
        elapsed: Duration,
    ) {
        let then = i128::from(now.as_millis()) - i128::from(elapsed.as_millis());
        let on_the_clock = |at: i128| Instant::from_millis((then + at).clamp(0, u64::MAX.into()) as u64);
        let deadline = |left: u64| if left == 0 { Instant::NEVER } else { on_the_clock(left.into()) };
        assert_eq!((user.revision(), user.version()), (self.revision, self.version));
        let preferred = user.preferred().map(|preferred| (preferred.presence() as u8, preferred.expires_at()));
        assert_eq!(preferred, self.preferred.map(|(presence, ends)| (presence, deadline(ends))));
        assert_eq!(user.sessions().len(), self.sessions.len());
        for (real, session) in user.sessions().iter().zip(&self.sessions) {
            assert_eq!(real.id().to_stored().as_ref(), session.id);
            assert_eq!((real.presence() as u8, real.expires_at()), (session.presence, deadline(session.ends)));
            let fades = deadline(session.fades);
            assert_eq!(real.fades_at(), (fades < deadline(session.ends)).then_some(fades));
        }
        let absences = [Absence::NeverSeen, Absence::Cleared, Absence::Expired, Absence::Lost];
        let absence = self.sessions.is_empty().then_some(absences[usize::from(self.absence)]);
        assert_eq!(user.absence(), absence, "absence (A5)");
        if let Some(since) = self.since {
            let since = on_the_clock(since);
            assert_eq!(user.since(), (since != Instant::NEVER).then_some(since), "since (A4)");
        } else {
            assert_eq!(user.since(), None);
        }
    }
}
