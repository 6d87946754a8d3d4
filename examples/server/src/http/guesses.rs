//! Guesses: a connection whose requests keep coming without a known token waits for its responses.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The requests of a connection that are rejected at once.
const AT_ONCE: u32 = 10;
/// The wait of the next one. Each further one waits twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// The requests of a connection without a known token, since the last one with a known token.
#[derive(Debug, Default)]
pub struct Guesses(AtomicU32);

impl Guesses {
    /// Waits before a response with 401 to a request without a known token is sent. Its request holds nothing any more.
    pub async fn slow(&self, is_known: bool, status: http::StatusCode) {
        if is_known {
            self.0.store(0, Ordering::Relaxed);
        } else if status == http::StatusCode::UNAUTHORIZED {
            // A connection has one request at a time.
            let count = self.0.load(Ordering::Relaxed).saturating_add(1);
            self.0.store(count, Ordering::Relaxed);
            tokio::time::sleep(wait(count)).await;
        }
    }
}

/// Returns the wait of a response, the so manyth.
fn wait(count: u32) -> Duration {
    let Some(doublings) = count.checked_sub(AT_ONCE + 1) else { return Duration::ZERO };
    FIRST_WAIT.saturating_mul(1u32.checked_shl(doublings).unwrap_or(u32::MAX)).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_the_longest() {
        assert!((0..=AT_ONCE).all(|count| wait(count).is_zero()));
        let millis = [100, 200, 400, 800, 1000, 1000];
        for (count, expected) in (AT_ONCE + 1..).zip(millis) {
            assert_eq!(wait(count), Duration::from_millis(expected), "{count}");
        }
        for count in [43, 44, 1000, u32::MAX] {
            assert_eq!(wait(count), LONGEST_WAIT, "{count}");
        }
    }
}
