//! Tests of the clock on the machine's own clocks; `checks/clocks` moves them.

use super::*;

#[test]
fn a_date_is_utc_in_seconds() {
    assert_eq!(date(Instant::from_millis(1_764_090_333_207)), "2025-11-25T17:05:33Z");
    assert_eq!(date(Instant::NEVER), "9999-12-30T22:00:00Z");
}

#[test]
fn no_clock_starts_before_a_stored_instant() {
    let wall = wall_clock();
    let hour = Duration::from_secs(3600);
    for (stored, stood, expected) in [
        (Instant::ZERO, None, wall),
        (wall.saturating_add(hour), None, wall.saturating_add(hour)),
        // An earlier virtual clock, which a wall clock ignores.
        (Instant::from_secs(1), Some(Instant::from_secs(1)), wall),
    ] {
        let stored = StoredClock { newest: stored, virtual_now: stood, shift: Shift::default() };
        let started = Clock::start(stored, false);
        assert!((expected..expected.saturating_add(hour)).contains(&started.now()), "{started:?}");
        let first = started.now();
        std::thread::sleep(std::time::Duration::from_millis(5));
        assert!(started.now() > first, "it advances by itself");
    }
    for (stored, stood, expected) in [(7, 9, 9), (9, 7, 9)] {
        let [stored, stood, expected] = [stored, stood, expected].map(Instant::from_secs);
        let stored = StoredClock { newest: stored, virtual_now: Some(stood), shift: Shift::from_millis(5) };
        let started = Clock::start(stored, true);
        assert_eq!(started.time(), Time { now: expected, shift: stored.shift });
    }
    let began = Clock::start(StoredClock::default(), true);
    assert!(began.is_virtual() && began.now() >= wall);
}

#[test]
fn a_virtual_clock_moves_only_when_it_is_set() {
    let clock = Clock::virtual_at(Instant::from_secs(7));
    assert_eq!(clock.now(), Instant::from_secs(7));
    clock.set(Instant::from_secs(9));
    assert_eq!(clock.now(), Instant::from_secs(9));
    assert!(clock.is_virtual());
}

#[test]
fn an_amount_of_time_is_told_in_seconds_and_in_words() {
    for (seconds, text) in [
        (0, "0 s (0s)"),
        (59, "59 s (59s)"),
        (28_830, "28830 s (8h 30s)"),
        (86_400, "86400 s (1d)"),
        (90_061, "90061 s (1d 1h 1m 1s)"),
        (2_303_683_200, "2303683200 s (26663d)"),
    ] {
        assert_eq!(amount(Duration::from_secs(seconds)), text);
        assert_eq!(amount(Duration::from_millis(seconds * 1000 + 499)), text);
        assert_eq!(amount(Duration::from_millis((seconds * 1000).saturating_sub(500))), text);
    }
}
