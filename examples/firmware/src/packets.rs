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

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::vec::Vec;

    #[test]
    fn an_empty_packet_follows_a_full_last_one_and_no_other() {
        let bytes = [7; 200];
        for (len, expected) in [
            (0, &[][..]),
            (1, &[1]),
            (63, &[63]),
            (64, &[64, 0]),
            (65, &[64, 1]),
            (127, &[64, 63]),
            (128, &[64, 64, 0]),
            (129, &[64, 64, 1]),
            (192, &[64, 64, 64, 0]),
        ] {
            let lengths: Vec<_> = packets(&bytes[..len], 64).map(<[u8]>::len).collect();
            assert_eq!(lengths, expected, "{len} bytes");
        }
        assert_eq!(packets(b"abcde", 2).collect::<Vec<_>>(), [&b"ab"[..], b"cd", b"e"]);
    }
}
