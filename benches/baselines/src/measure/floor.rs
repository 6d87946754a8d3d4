//! Baseline 7, the floor: the cost of memory itself.

use crate::clock::Stretch;
use crate::random::Random;
use std::hint::black_box;

/// One cache line.
#[derive(Clone)]
#[repr(align(64))]
struct Line(u64, [u64; 7]);

/// Measures the nanoseconds for one random read-modify-write of a cache line in so many bytes. Each address depends on the value just
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
