//! The hash that a directory finds its users with, unless it is given another: the same on every machine and in every
//! version, so that measurements with it stay true.

use core::cell::Cell;
use core::hash::{BuildHasher, Hasher};
use presence_core::directory::{DefaultHasher, Directory, InlineDirectory, InlineMemory};
use presence_core::{Command, Instant, Policy, Presence};
use std::rc::Rc;

fn hash(feed: impl FnOnce(&mut DefaultHasher)) -> u64 {
    let mut hasher = DefaultHasher::default();
    feed(&mut hasher);
    hasher.finish()
}

/// Worked out by hand from its definition: rotate by 26, exclusive or, multiply; fold and multiply once more.
#[test]
fn its_values_never_change() {
    assert_eq!(hash(|_| ()), 0);
    assert_eq!(hash(|hasher| hasher.write_u64(1)), 0xAB16_9EB8_05B8_C71C);
    assert_eq!(hash(|hasher| hasher.write_u64(u64::MAX)), 0x2A0A_6C02_8503_4331);
    let two = hash(|hasher| {
        hasher.write_u64(1);
        hasher.write_u64(2);
    });
    assert_eq!(two, 0xC1AC_350B_CA7B_A379);
    assert_eq!(hash(|hasher| hasher.write(b"adele@contoso")), 0x2F30_7B77_40D8_33A8);
}

/// A number hashes as what it is, however wide; a wide one and a text as the words that they are made of.
#[test]
fn a_number_hashes_the_same_in_every_width() {
    let one = hash(|hasher| hasher.write_u64(1));
    assert_eq!(hash(|hasher| hasher.write_u8(1)), one);
    assert_eq!(hash(|hasher| hasher.write_u16(1)), one);
    assert_eq!(hash(|hasher| hasher.write_u32(1)), one);
    assert_eq!(hash(|hasher| hasher.write_usize(1)), one);
    assert_eq!(hash(|hasher| hasher.write(&[1])), one, "filled up with zeros");
    let words = hash(|hasher| {
        hasher.write_u64(0x0F0E_0D0C_0B0A_0908);
        hasher.write_u64(0x1716_1514_1312_1110);
    });
    assert_eq!(hash(|hasher| hasher.write_u128(0x1716_1514_1312_1110_0F0E_0D0C_0B0A_0908)), words);
    assert_eq!(hash(|hasher| hasher.write(&core::array::from_fn::<u8, 16, _>(|index| index as u8 + 8))), words);
}

/// A text of any length is the words that it is made of, the last one filled up with zeros: around one word, and two.
#[test]
fn a_text_hashes_as_its_words() {
    for length in 0..=4 * 8 + 1 {
        let text: Vec<u8> = (1..=length as u8).map(|byte| byte * 7).collect();
        let words = hash(|hasher| {
            for word in text.chunks(8) {
                let word = word.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
                hasher.write_u64(word);
            }
        });
        assert_eq!(hash(|hasher| hasher.write(&text)), words, "{length} bytes");
    }
}

/// A hasher that counts how often it is asked, and puts all users into one bucket.
struct Counting {
    asked: Rc<Cell<usize>>,
    bucket: u64,
}

/// The hash that such a hasher gives every user.
struct Same(u64);

impl BuildHasher for Counting {
    type Hasher = Same;

    fn build_hasher(&self) -> Same {
        self.asked.set(self.asked.get() + 1);
        // The share of the buckets for each half of a hash.
        Same(self.bucket << 61 | self.bucket << 29)
    }
}

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}
}

/// Rule M2: every user is looked for, and gets its slot, with the hasher that the directory was given, and with no other.
#[test]
fn m2_a_directory_asks_the_hasher_that_it_was_given() {
    const BUCKETS: u64 = 8;
    for bucket in 0..BUCKETS {
        let counted = Rc::new(Cell::new(0));
        let hasher = Counting { asked: counted.clone(), bucket };
        let memory: InlineMemory<u8, u8, 1, 64> = InlineMemory::new();
        let mut directory = Directory::with_hasher(memory, Policy::GRAPH, hasher);
        let now = Instant::ZERO;
        let set = Command::SetPresence { session: 1, presence: Presence::Away, lease: None };
        let asked = |times: usize, what: &str| {
            assert_eq!(counted.replace(0), times, "{what}");
        };
        for user in 0..8 {
            directory.execute(now, user, set, |_, _| {}).unwrap();
            asked(2, "a new user is looked for, and gets a slot");
            // Both halves of the hash are for this bucket, so that all of its slots are taken first.
            let slot = directory.handle(user).unwrap().index() as u64;
            assert_eq!(slot / BUCKETS, bucket);
            asked(1, "handle");
        }
        directory.execute(now, 1, set, |_, _| {}).unwrap();
        asked(1, "execute");
        let decided = directory.decide(now, 1, set).unwrap().unwrap();
        asked(1, "decide");
        directory.apply(1, &decided).unwrap();
        asked(1, "apply");
        let _ = directory.presence(now, 1);
        asked(1, "presence");
        assert_eq!(directory.version(now, 1), 1);
        asked(1, "version");
        let _ = directory.explain(now, 1);
        asked(1, "explain");
        assert!(directory.get(1).is_some());
        asked(1, "get");
        directory.read_batch(now, &[1, 2, 77], |_, _| {});
        asked(3, "read_batch");
        directory.execute_batch(now, &[(1, set), (2, set)], |_, _| {}, |_, _| {});
        asked(2, "execute_batch");
        directory.pin(now, 1, |_, _| {}).unwrap();
        assert!(counted.replace(0) > 0, "pin");
        directory.unpin(1, 0);
        asked(1, "unpin");
        assert!(directory.record_external_change(1));
        asked(1, "record_external_change");
        assert!(directory.erase(now, 1, |_, _| {}));
        asked(1, "erase");
        let user = directory.get(2).unwrap().clone();
        asked(1, "get");
        directory.insert(2, user).unwrap();
        asked(1, "insert");
    }
}

/// Users may be named by texts.
#[test]
fn m2_users_with_names_are_found() {
    let mut directory = InlineDirectory::<&str, u8, 1, 40>::with_policy(Policy::GRAPH);
    let names: Vec<String> = (0..40).map(|number| format!("user-{number}@contoso.com")).collect();
    for name in &names {
        directory.set_presence(Instant::ZERO, name.as_str(), 1, Presence::Away, None, |_, _| {}).unwrap();
    }
    for name in &names {
        assert_eq!(directory.presence(Instant::ZERO, name.as_str()), Presence::Away);
    }
    assert_eq!(directory.presence(Instant::ZERO, "user-40@contoso.com"), Presence::Offline);
}
