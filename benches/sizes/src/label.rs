//! Labels that a scenario puts in front of calls, so that those of one kind can be told from those of another.

use core::hint::black_box;

/// Nothing is due.
#[inline(never)]
pub fn label_idle() {
    black_box("idle");
}

/// Something is due.
#[inline(never)]
pub fn label_due() {
    black_box("due");
}

/// The longest spelling of a request.
#[inline(never)]
pub fn label_longest() {
    black_box("longest");
}

/// What is no request, or one made to cost as much as can be.
#[inline(never)]
pub fn label_hostile() {
    black_box("hostile");
}

/// Many requests in one.
#[inline(never)]
pub fn label_batch() {
    black_box("batch");
}
