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
