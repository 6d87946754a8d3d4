//! The picture is valid for any history at any time.

use super::*;
use presence_core::{Duration, DurationRange, Policy, User, clear_presence, next_due, set_presence};

const ANY_LEASE: Policy =
    Policy { leases: DurationRange { shortest: Duration::ZERO, longest: Duration::MAX }, ..Policy::DESK };
const SESSION: SessionId = SessionId::from_bytes([1; 16]);

/// A user whose session is set at `at` for a lease, and all that is due afterwards.
fn history(at: u64, lease: u64) -> Vec<(UserId, Transition<SessionId>)> {
    let mut user = User::<SessionId, 16>::new();
    let lease = Some(Duration::from_millis(lease));
    let now = user.at(Instant::from_millis(at)).unwrap();
    let set = set_presence(now, SESSION, Presence::Available, lease, &ANY_LEASE).unwrap();
    let rest = std::iter::successors(Some(set), |last| {
        user.apply(last).unwrap();
        next_due(&user, Instant::NEVER, &ANY_LEASE)
    });
    rest.map(|transition| (UserId::from_bytes([2; 16]), transition)).collect()
}

fn drawn(history: &[(UserId, Transition<SessionId>)], end: u64) -> String {
    let names = BTreeMap::from([(SESSION, "<&\"'\0\u{FFFF}>".to_string())]);
    draw(history, &names, Instant::from_millis(end))
}

#[test]
fn every_length_of_time_has_a_few_ticks() {
    let lengths = (0..64).flat_map(|bit| [1 << bit, (1 << bit) + 1, u64::MAX >> bit]);
    for (start, length) in lengths.flat_map(|length| [(0, length), (u64::MAX - length, length), (1234, length)]) {
        let axis = Axis { start: start.min(u64::MAX - length), end: start.min(u64::MAX - length) + length };
        let mut out = String::new();
        axis.draw(&mut out, 500.0);
        assert!(out.matches("<path").count() <= 12, "{start} {length}");
        assert!(!out.contains("NaN") && !out.contains("inf"));
    }
}

#[test]
fn it_is_valid_at_every_extreme() {
    assert!(drawn(&[], 0).contains("Nothing happened."));
    assert!(drawn(&[], u64::MAX).ends_with("</svg>\n"));
    let moments = [0, 1, 999, 86_400_000, u64::MAX - 1, u64::MAX];
    for (at, lease, end) in moments.into_iter().flat_map(|at| [(at, 0, 0), (at, 1, at), (at, u64::MAX, u64::MAX)]) {
        let svg = drawn(&history(at, lease), end);
        assert!(!svg.contains("NaN") && !svg.contains('\0') && svg.matches("<text").count() < 40, "{at} {lease} {end}");
        assert!(svg.contains("&lt;&amp;&quot;&#39;"));
    }
}

#[test]
fn a_session_that_expires_is_no_news_and_one_that_is_cleared_is_gone() {
    let expired = history(0, 60_000);
    let svg = drawn(&expired, 120_000);
    assert!(svg.contains("<title>no news, 0:01:00 to 0:02:00</title>"));
    let mut user = User::<SessionId, 16>::new();
    user.apply(&expired[0].1).unwrap();
    let cleared = clear_presence(user.at(Instant::from_secs(30)).unwrap(), SESSION).unwrap();
    let svg = drawn(&[expired[0], (expired[0].0, cleared)], 120_000);
    assert!(svg.contains("<title>Offline/Offline, 0:00:30 to 0:02:00</title>"));
}
