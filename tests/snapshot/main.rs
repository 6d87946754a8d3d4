//! Snapshots: what is written, how it is restored on another clock, and what is rejected.

mod damage;
#[cfg(feature = "details")]
mod details;
mod format;
mod gap;
mod uninterrupted;

use presence_core::snapshot::{self, StoredId};
use presence_core::{Command, Duration, Instant, Policy, Presence, SessionId, User, decide};
use support::model::life::Life;

/// The snapshot of a user at a moment.
pub fn saved<S: StoredId + Copy + Ord, const SESSIONS: usize>(user: &User<S, SESSIONS>, now: Instant) -> Vec<u8> {
    let mut buffer = vec![0; snapshot::max_len::<S, SESSIONS>()];
    snapshot::save(user.at(now).unwrap(), &mut buffer).unwrap().to_vec()
}

/// The snapshot of a life at its end.
pub fn saved_at_the_end(life: &Life<3>) -> Vec<u8> {
    saved(&life.user, life.now)
}

/// A body with its checksum, so that only its content can be wrong.
///
/// An independent CRC-32C, from its definition as the remainder of a division of polynomials.
pub fn with_checksum(body: &[u8]) -> Vec<u8> {
    let mut dividend: Vec<bool> = body.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1)).collect();
    dividend.extend([false; 32]);
    dividend[..32].iter_mut().for_each(|bit| *bit = !*bit);
    let divisor: Vec<bool> = (0..33).rev().map(|bit| 0x1_1EDC_6F41_u64 >> bit & 1 == 1).collect();
    for index in 0..dividend.len() - 32 {
        if dividend[index] {
            divisor.iter().enumerate().for_each(|(offset, bit)| dividend[index + offset] ^= bit);
        }
    }
    let remainder = dividend[dividend.len() - 32..].iter().enumerate();
    let checksum: u32 = remainder.map(|(index, bit)| u32::from(!bit) << index).sum();
    [body, &checksum.to_le_bytes()].concat()
}

/// Whether no instant of a life is near the end of its clock, where instants saturate (rule C3), and its `since` fits a clock
/// that reads `now`.
pub fn is_ordinary(life: &Life<3>, now: Instant) -> bool {
    let far = Instant::from_millis(u64::MAX / 2);
    let set_at = life.transitions.iter().map(|transition| transition.at());
    let sessions = life.user.sessions().iter().map(|session| session.expires_at());
    let preferred = life.user.preferred().map(|preferred| preferred.expires_at());
    set_at.chain([life.now, now]).all(|at| at < far)
        && sessions.chain(preferred).all(|at| at < far || at == Instant::NEVER)
        && life.user.since().is_none_or(|since| {
            life.now.saturating_duration_since(since) < now.saturating_duration_since(Instant::ZERO)
        })
}

pub const HOUR: u64 = 3600;

pub fn secs(secs: u64) -> Instant {
    Instant::from_secs(secs)
}

/// Applies what is due, and then a command.
pub fn command<S: Copy + Ord, const SESSIONS: usize>(
    user: &mut User<S, SESSIONS>,
    now: Instant,
    command: Command<S>,
    policy: &Policy,
) {
    support::apply_due(user, now, policy);
    if let Some(transition) = decide(user.at(now).unwrap(), command, policy).unwrap() {
        user.apply(&transition).unwrap();
    }
}

/// A user with four sessions at noon: one of them has faded, one will, and another presence is preferred.
pub fn busy_user<S: Copy + Ord>(ids: [S; 4]) -> User<S, 4> {
    let mut user = User::new();
    let presences = [Presence::Available, Presence::InAMeeting, Presence::Away, Presence::Available];
    for ((id, presence), minute) in ids.into_iter().zip(presences).zip([0, 2, 4, 6]) {
        let set = Command::SetPresence { session: id, presence, lease: Some(Duration::from_hours(4)) };
        command(&mut user, secs(11 * HOUR + 50 * 60 + minute * 60), set, &Policy::DESK);
    }
    let preferred = Command::SetPreferredPresence { presence: Presence::BeRightBack, duration: None };
    command(&mut user, secs(12 * HOUR), preferred, &Policy::DESK);
    user
}

pub const NOON: Instant = Instant::from_secs(12 * HOUR);

/// The client ids of four applications.
pub fn applications() -> [SessionId; 4] {
    [
        "22553876-f5ab-4529-bffb-cfe50aa89f87",
        "5e3ce6c0-2b1f-4285-8d4b-75ee78787346",
        "a97dcaa9-3b06-4c5e-b2d2-0a3c0a6f9d11",
        "c0ffee00-1234-5678-9abc-def012345678",
    ]
    .map(|id| id.parse().unwrap())
}

pub const IDS: [u8; 4] = [1, 2, 3, 4];
