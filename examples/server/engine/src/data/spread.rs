//! How users are spread over shards: by a hash with a secret key that is stored beside the number of shards.
//!
//! Clients choose the ids of users. With a key that they do not know they cannot choose ids of one shard. The key belongs to the
//! data, because journals are stored by it, and it changes with the number of shards. A single shard needs none.

use presence_core::UserId;
use siphasher::sip::SipHasher13;
use std::path::{Path, PathBuf};

/// The most shards.
pub const MAX_SHARDS: usize = 64;

/// A secret key. Its `Debug` form does not show it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key([u8; 16]);

impl Key {
    /// Creates a key from random bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

/// A number of shards, and the key by which users are spread over them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    shards: usize,
    key: Option<Key>,
}

impl Spread {
    /// Creates a spread over this many shards, with a new key unless there is one shard.
    pub fn keyed<E>(shards: usize, new_key: impl FnOnce() -> Result<Key, E>) -> Result<Self, E> {
        let key = if shards > 1 { Some(new_key()?) } else { None };
        Ok(Self { shards, key })
    }

    /// Creates a spread without a key, as that of data from an earlier version of the server.
    #[cfg(any(test, feature = "benchmark", feature = "testing"))]
    pub const fn unkeyed(shards: usize) -> Self {
        Self { shards, key: None }
    }

    /// Returns the number of shards.
    #[expect(clippy::len_without_is_empty, reason = "there is one at least")]
    pub const fn len(self) -> usize {
        self.shards
    }

    /// Reports whether clients can choose ids of one shard.
    pub const fn is_guessable(self) -> bool {
        self.shards > 1 && self.key.is_none()
    }

    /// Returns the shard that a user belongs to. Never changes for a key, because journals are stored by it.
    pub fn of(self, user: UserId) -> usize {
        let hash = match self.key {
            Some(Key(key)) => SipHasher13::new_with_key(&key).hash(&user.to_bytes()),
            None => unkeyed_hash(user),
        };
        ((u128::from(hash) * self.shards as u128) >> 64) as usize
    }

    /// Parses the text of [`to_text`](Self::to_text), or the number alone that earlier versions of the server have written.
    pub fn parse(text: &str) -> Option<Self> {
        let (shards, key) = match text.trim().split_once(' ') {
            Some((shards, key)) => (shards, Some(Key(parse_hex(key)?))),
            None => (text.trim(), None),
        };
        let shards = shards.parse().ok().filter(|shards| (1..=MAX_SHARDS).contains(shards))?;
        (key.is_none() || shards > 1).then_some(Self { shards, key })
    }

    /// Returns the text to store, which holds the key.
    pub fn to_text(self) -> String {
        match self.key {
            Some(Key(key)) => format!("{} {:032x}\n", self.shards, u128::from_be_bytes(key)),
            None => format!("{}\n", self.shards),
        }
    }

    /// Returns the path of a shard's journal. Two spreads of the same data have different names.
    pub fn journal(self, directory: &Path, shard: usize) -> PathBuf {
        let Self { shards, key } = self;
        directory.join(format!("{}{shards}-{shard}.sqlite", if key.is_some() { KEYED } else { UNKEYED }))
    }

    /// Reports whether this is the name of one of its journals, or of `SQLite`'s files beside one.
    pub fn has_file(self, name: &str) -> bool {
        parse_name(name) == Some((self.shards, self.key.is_some()))
    }
}

/// The beginnings of the names of journals.
const KEYED: &str = "journal-keyed-";
const UNKEYED: &str = "journal-";

/// Reports whether this is the name of a journal of any spread, or of `SQLite`'s files beside one.
pub fn is_journal_file(name: &str) -> bool {
    parse_name(name).is_some()
}

/// Returns the number of shards in the name of a journal or of `SQLite`'s files beside it, and whether they have a key.
fn parse_name(name: &str) -> Option<(usize, bool)> {
    let (numbers, ending) = name.split_once(".sqlite")?;
    let (numbers, is_keyed) = match numbers.strip_prefix(KEYED) {
        Some(numbers) => (numbers, true),
        None => (numbers.strip_prefix(UNKEYED)?, false),
    };
    let (shards, shard) = numbers.split_once('-')?;
    let number = |text: &str| text.parse::<usize>().ok().filter(|number| number.to_string() == text);
    let (shards, shard) = (number(shards)?, number(shard)?);
    let is_known = shard < shards && shards <= MAX_SHARDS && (shards > 1 || !is_keyed);
    (is_known && matches!(ending, "" | "-wal" | "-shm" | "-journal")).then_some((shards, is_keyed))
}

/// Parses 32 hexadecimal digits.
fn parse_hex(text: &str) -> Option<[u8; 16]> {
    let is_hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u128::from_str_radix(text, 16).ok().filter(|_| is_hex)?;
    Some(number.to_be_bytes())
}

/// Returns the hash by which earlier versions of the server have spread users.
fn unkeyed_hash(user: UserId) -> u64 {
    let number = u128::from_le_bytes(user.to_bytes());
    let folded = (number as u64) ^ (number >> 64) as u64;
    // Fibonacci hashing: the product's upper half mixes all bits; GUIDs of many makers differ in few.
    folded.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = Key::from_bytes([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);

    fn keyed(shards: usize, key: Key) -> Spread {
        Spread::keyed(shards, || Ok::<_, ()>(key)).unwrap()
    }

    #[test]
    fn only_journals_are_recognised() {
        assert_eq!(parse_name("journal-2-1.sqlite"), Some((2, false)));
        assert_eq!(parse_name("journal-1-0.sqlite-wal"), Some((1, false)));
        assert_eq!(parse_name("journal-keyed-3-2.sqlite-shm"), Some((3, true)));
        for name in [
            "journal-of-mine.txt",
            "journal-1-0.sqlite.bak",
            "journal-1-1.sqlite",
            "journal-01-0.sqlite",
            "journal-keyed-1-0.sqlite",
            "journal-keyed-65-0.sqlite",
            "journal-2-",
            "lock",
        ] {
            assert_eq!(parse_name(name), None, "{name}");
        }
        for shards in 1..=MAX_SHARDS {
            for spread in [Spread::unkeyed(shards), keyed(shards, KEY)] {
                let path = spread.journal(Path::new("data"), shards - 1);
                assert!(spread.has_file(path.file_name().unwrap().to_str().unwrap()), "{spread:?}");
            }
        }
        assert!(!keyed(2, KEY).has_file("journal-2-0.sqlite"));
    }

    #[test]
    fn the_stored_text_is_read_back_and_told_to_nobody() {
        assert_eq!(keyed(1, KEY), Spread::unkeyed(1), "a single shard needs no key");
        for spread in [Spread::unkeyed(1), Spread::unkeyed(4), keyed(4, KEY), keyed(64, KEY)] {
            assert_eq!(Spread::parse(&spread.to_text()), Some(spread));
        }
        assert_eq!(keyed(4, KEY).to_text(), "4 000102030405060708090a0b0c0d0e0f\n");
        assert_eq!(format!("{:?}", keyed(4, KEY)), "Spread { shards: 4, key: Some(Key) }");
        for text in ["", "0", "65", "x", "4 00", "1 000102030405060708090a0b0c0d0e0f"] {
            assert_eq!(Spread::parse(text), None, "{text:?}");
        }
        for key in ["+00102030405060708090a0b0c0d0e0f", "000102030405060708090a0b0c0d0e0f0", "4 4"] {
            assert_eq!(Spread::parse(&format!("4 {key}")), None, "{key}");
        }
    }

    /// The reference vectors of SipHash-1-3: data that is stored by it must be found again by every later version.
    #[test]
    fn the_hash_is_that_of_the_reference() {
        let hash = |len: u8| SipHasher13::new_with_key(&KEY.0).hash(&(0..len).collect::<Vec<_>>());
        assert_eq!(hash(0).to_le_bytes(), [0xdc, 0xc4, 0x0f, 0x05, 0x58, 0x01, 0xac, 0xab]);
        assert_eq!(hash(1).to_le_bytes(), [0x93, 0xca, 0x57, 0x7d, 0xf3, 0x9b, 0xf4, 0xc9]);
    }

    #[test]
    fn ids_made_by_hand_are_spread_evenly() {
        for shards in [1, 2, 3, 16] {
            for spread in [Spread::unkeyed(shards), keyed(shards, KEY)] {
                let mut counts = vec![0usize; shards];
                for number in 0..16_000u32 {
                    counts[spread.of(format!("fa8bf3dc-eca7-46b7-bad1-db19{number:08x}").parse().unwrap())] += 1;
                }
                let slots = crate::shard::slots(16_000, shards);
                assert!(counts.iter().all(|count| *count <= slots), "{spread:?}: {counts:?} > {slots}");
            }
        }
    }
}
