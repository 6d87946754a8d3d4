//! What tests share, here and in packages that are built on the engine.

/// Returns the numbers about the edges of pieces of this size.
pub fn edges(size: usize) -> [usize; 5] {
    [size - 1, size, size + 1, 2 * size, 2 * size + 1]
}
