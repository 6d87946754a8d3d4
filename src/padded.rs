//! Texts of values, padded as a format string asks.

use core::fmt::{Arguments, Formatter, Result, Write};

/// Writes a text of at most `N` bytes with the width, the fill and the alignment of the formatter.
pub(crate) fn pad<const N: usize>(f: &mut Formatter<'_>, text: Arguments<'_>) -> Result {
    let mut whole = heapless::String::<N>::new();
    whole.write_fmt(text)?;
    f.pad(&whole)
}
