//! Rival 7, the floor: what memory itself costs.

use crate::clock::Stretch;
use crate::engines::inline::Key;
use crate::random::{Random, scrambled};
use crate::trace::user_id;
use hashbrown::HashMap;
use std::hint::black_box;

/// One cache line.
#[derive(Clone)]
#[repr(align(64))]
struct Line(u64, [u64; 7]);

/// Nanoseconds for one random read-modify-write of a cache line in so many bytes. Each address depends on the value just
/// read, so that no two overlap: the true latency.
pub fn read_modify_write(bytes: usize, count: usize) -> f64 {
    let mut random = Random::new(7);
    let mut lines: Vec<Line> = (0..(bytes / 64).max(1)).map(|_| Line(random.next(), [0; 7])).collect();
    let length = lines.len() as u128;
    let mut walk = |count: usize| {
        let mut value = 1u64;
        for turn in 0..count as u64 {
            let place = (u128::from(value) * length) >> 64;
            let line = &mut lines[place as usize];
            value = line.0;
            // Something else next time, so that the walk does not run into a short circle.
            line.0 = (value ^ turn).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            line.1[0] = turn;
        }
        black_box(value);
    };
    walk(count / 4);
    let start = Stretch::start();
    walk(count);
    start.nanoseconds() / count as f64
}

/// Nanoseconds for one bare probe of a map from user ids to values of so many bytes, of which one word is read.
pub fn bare_probe(users: u32, order: &[u32], bytes: usize) -> f64 {
    match bytes.div_ceil(8) {
        0..14 => probe::<13>(users, order),
        14..19 => probe::<18>(users, order),
        19..23 => probe::<22>(users, order),
        23..28 => probe::<27>(users, order),
        _ => probe::<32>(users, order),
    }
}

fn probe<const WORDS: usize>(users: u32, order: &[u32]) -> f64 {
    let mut map: HashMap<Key, [u64; WORDS]> = HashMap::with_capacity(users as usize);
    for user in 0..users {
        map.insert(user_id(user).into(), [scrambled(user.into()); WORDS]);
    }
    let walk = || {
        let start = Stretch::start();
        let sum = order
            .iter()
            .fold(0u64, |sum, &user| sum.wrapping_add(map.get(&Key::from(user_id(user))).map_or(0, |value| value[0])));
        black_box(sum);
        start.nanoseconds() / order.len() as f64
    };
    (0..3).map(|_| walk()).fold(f64::INFINITY, f64::min)
}
