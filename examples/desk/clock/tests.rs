use super::*;

/// Returns the instants, in seconds, at readings of the wall clock and the monotonic clock.
fn at(readings: &[(u64, u64)]) -> Vec<u64> {
    let mut readings = readings.iter().map(|&(wall, monotonic)| Reading {
        wall: Duration::from_secs(wall),
        monotonic: Duration::from_secs(monotonic),
    });
    let mut elapsed = Elapsed::new(readings.next().unwrap());
    readings.map(|reading| elapsed.at(reading).as_secs()).collect()
}

#[test]
fn a_sleep_is_counted() {
    assert_eq!(at(&[(1000, 0), (1010, 10), (29_815, 15), (29_820, 20)]), [10, 28_815, 28_820]);
}

#[test]
fn a_step_back_is_not_counted_and_hides_no_sleep() {
    assert_eq!(
        at(&[(1000, 0), (4_000_000_000, 0), (1010, 10), (1020, 20), (4620, 20)]),
        [3_999_999_000, 3_999_999_010, 3_999_999_020, 4_000_002_620]
    );
}

/// Readings are never of exactly one moment, and a clock that is corrected gently is not asleep.
#[test]
fn small_differences_do_not_add_up() {
    let mut elapsed = Elapsed::new(Reading { wall: Duration::from_secs(1000), monotonic: Duration::ZERO });
    let mut now = Instant::ZERO;
    for number in 1..1000 {
        let monotonic = Duration::from_millis(50 * number);
        let wall = Duration::from_secs(1000) + monotonic + Duration::from_millis(number % 7);
        now = elapsed.at(Reading { wall, monotonic });
    }
    assert_eq!(now, Instant::from_millis(50 * 999));
}
