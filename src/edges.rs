//! The sizes at which tests try a constant that divides work into pieces.

/// Returns one less than a constant, the constant, one more, twice as much, and one more than that.
pub(crate) const fn edges(constant: usize) -> [usize; 5] {
    [constant - 1, constant, constant + 1, 2 * constant, 2 * constant + 1]
}
