//! Packets of USB, and the host that reads them.

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

/// A serial port over USB, seen from the device: whether a host has opened it, and whether its last line was cut.
///
/// A host that leaves takes no more packets, and the controller still holds the last one. So a line that was begun and not sent
/// to its end is ended before anything else is sent: the next host loses at most the rest of that line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Port {
    is_open: bool,
    is_cut: bool,
}

impl Port {
    /// Creates a port that no host has opened.
    #[must_use]
    pub const fn new() -> Self {
        Self { is_open: false, is_cut: false }
    }

    /// Notes the state of DTR after the host has set it, or anything else that it sets when it opens the port.
    ///
    /// Returns whether the port was opened anew: then a line that was begun has to be dropped, for example by
    /// [`Device::reopen`](crate::Device::reopen).
    pub const fn on_control(&mut self, dtr: bool) -> bool {
        self.is_open = dtr;
        dtr
    }

    /// Notes that bytes arrived: the host that sent them has opened the port, also if it leaves DTR alone.
    pub const fn on_received(&mut self) {
        self.is_open = true;
    }

    /// Sends bytes in packets of `size` bytes at most, unless no host has opened the port. `write` writes a packet, and reports
    /// whether the host has taken it; after one that it has not, the others are dropped.
    ///
    /// The future may be dropped at any time, and with it what is left.
    ///
    /// # Panics
    ///
    /// If `size` is zero.
    pub async fn send(&mut self, bytes: &[u8], size: usize, mut write: impl AsyncFnMut(&[u8]) -> bool) {
        if !self.is_open || bytes.is_empty() {
            return;
        }
        let end = self.is_cut.then_some(&b"\n"[..]);
        for packet in end.into_iter().chain(packets(bytes, size)) {
            // Until it is written, nobody knows how much of it the host has.
            let was_cut = core::mem::replace(&mut self.is_cut, true);
            if !write(packet).await {
                return;
            }
            self.is_cut = packet.last().map_or(was_cut, |last| *last != b'\n');
        }
    }
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
