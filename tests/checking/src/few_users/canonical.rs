//! A directory's whole state, its timers and its tables included, in the form of its `Debug` output: with instants as
//! distances from now, and without the numbers that only grow. So two directories are one state exactly when nothing that
//! they will ever do can differ, and nothing hidden is overlooked: a member that is added makes states differ.

use std::fmt::{self, Debug, Write};

/// The members that only grow. How they grow is checked at every step; the order of two is a part of the state elsewhere.
const COUNTERS: [&str; 8] =
    ["revision", "version", "generation", "count", "evicted", "number", "version_floor", "evictable_floor"];

/// Further ahead than any deadline: never.
const NEVER: i64 = 1000;

/// The member that says how an earlier session ended, which matters only while there is none (rule A5): a part of the
/// state elsewhere.
const ABSENCE: &str = "absence";

/// Returns the canonical form of a value at a moment. Everything further back than so many ticks is over, and equal.
pub fn bytes(what: &impl Debug, now: u64, long_ago: u64) -> Vec<u8> {
    let mut canonical = Canonical { bytes: Vec::with_capacity(2048), now, long_ago, word: String::new(), number: None };
    write!(canonical, "{what:?}.").expect("a vector grows");
    canonical.bytes
}

struct Canonical {
    bytes: Vec<u8>,
    now: u64,
    long_ago: u64,
    /// The latest word: the name of a number behind it.
    word: String,
    /// The number that is being read.
    number: Option<u64>,
}

impl Canonical {
    fn number(&mut self, number: u64) {
        if self.word == "Instant" {
            let distance = i64::try_from(number).map_or(NEVER, |at| at - self.now as i64);
            self.bytes.extend(distance.clamp(-(self.long_ago as i64), NEVER).to_le_bytes());
        } else if !COUNTERS.contains(&self.word.as_str()) {
            self.bytes.extend(number.to_le_bytes());
        }
    }
}

impl Write for Canonical {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let (mut is_in_word, mut is_left_out) = (false, false);
        for byte in text.bytes() {
            if byte.is_ascii_digit() && !is_in_word {
                self.number = Some(self.number.unwrap_or(0) * 10 + u64::from(byte - b'0'));
                continue;
            }
            if let Some(number) = self.number.take() {
                self.number(number);
            }
            if byte.is_ascii_alphanumeric() || byte == b'_' {
                if !is_in_word {
                    is_left_out = self.word == ABSENCE;
                    self.word.clear();
                }
                is_in_word = true;
                self.word.push(byte.into());
            } else {
                (is_in_word, is_left_out) = (false, false);
            }
            if !is_left_out {
                self.bytes.push(byte);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use presence_core::directory::InlineDirectory;
    use presence_core::{Duration, Instant, Presence};

    /// One user, set at a moment for so long, after so many keep-alives.
    fn directory(at: u64, lease: u64, presence: Presence, keep_alives: usize) -> impl Debug {
        let mut directory = InlineDirectory::<u8, u8, 1, 2>::with_policy(crate::policies::GRAPH);
        for _ in 0..=keep_alives {
            let (now, lease) = (Instant::from_millis(at), Some(Duration::from_millis(lease)));
            directory.set_presence(now, 0, 0, presence, lease, |_, _| {}).unwrap();
        }
        directory
    }

    #[test]
    fn what_differs_by_time_and_counters_alone_is_one_state() {
        let one = bytes(&directory(100, 3, Presence::InACall, 0), 101, 3);
        assert_eq!(one, bytes(&directory(205, 3, Presence::InACall, 2), 206, 3));
    }

    #[test]
    fn anything_else_is_another_state() {
        let one = bytes(&directory(100, 3, Presence::InACall, 0), 101, 3);
        for other in [
            bytes(&directory(100, 2, Presence::InACall, 0), 101, 3),
            bytes(&directory(100, 3, Presence::Away, 0), 101, 3),
            bytes(&directory(100, 3, Presence::InACall, 0), 102, 3),
        ] {
            assert_ne!(one, other);
        }
    }
}
