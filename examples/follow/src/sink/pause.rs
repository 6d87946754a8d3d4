//! Pauses after failures, where nothing says how long.

use presence_core::Duration;

/// Returns the pause after so many failures: `first`, twice as long after each further one, and `longest` at most.
pub(crate) fn after(failures: u32, first: Duration, longest: Duration) -> Duration {
    let times = 1_u64 << failures.saturating_sub(1).min(32);
    Duration::from_millis(first.as_millis().saturating_mul(times)).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let seconds = |failures| after(failures, Duration::from_secs(1), Duration::from_mins(1)).as_secs();
        assert_eq!([0, 1, 2, 3, 6, 7, 8, 40, u32::MAX].map(seconds), [1, 1, 2, 4, 32, 60, 60, 60, 60]);
    }
}
