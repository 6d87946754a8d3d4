//! Packets of USB.

/// Divides bytes into packets of `size` bytes.
///
/// A host expects another packet after a full one. So an empty one follows if the last one is full.
///
/// ```
/// use firmware::packets;
///
/// assert_eq!(packets(b"abcde", 4).collect::<Vec<_>>(), [&b"abcd"[..], b"e"]);
/// assert_eq!(packets(b"abcd", 4).collect::<Vec<_>>(), [&b"abcd"[..], b""]);
/// assert_eq!(packets(b"", 4).count(), 0);
/// ```
///
/// # Panics
///
/// If `size` is zero.
pub fn packets(bytes: &[u8], size: usize) -> impl Iterator<Item = &[u8]> {
    let is_last_full = !bytes.is_empty() && bytes.len().is_multiple_of(size);
    bytes.chunks(size).chain(is_last_full.then_some(&[][..]))
}
