//! The hash that a directory finds its users with, unless it is given another: the same on every machine and in every
//! version, so that measurements with it stay true.

use core::hash::Hasher;
use presence_core::directory::{DefaultHasher, InlineDirectory};
use presence_core::{Instant, Policy, Presence};

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
