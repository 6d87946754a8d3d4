//! Labels that a scenario puts in front of calls, to distinguish their kinds.

use core::hint::black_box;

/// Marks calls with nothing due.
#[inline(never)]
pub fn label_idle() {
    black_box("idle");
}

/// Marks calls with something due.
#[inline(never)]
pub fn label_due() {
    black_box("due");
}

/// Marks requests in the longest spelling.
#[inline(never)]
pub fn label_longest() {
    black_box("longest");
}

/// Marks input that is no request, or one made to be expensive.
#[inline(never)]
pub fn label_hostile() {
    black_box("hostile");
}

/// Marks batches and bulk reads.
#[inline(never)]
pub fn label_batch() {
    black_box("batch");
}
