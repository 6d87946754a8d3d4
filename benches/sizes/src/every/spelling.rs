//! Longer spellings of requests, and texts of full length.

use core::hint::black_box;
use presence_core::graph::{Buffer, Writer};

/// Writes text with every letter of its strings escaped.
#[inline(never)]
pub fn escape(text: &[u8], to: &mut Buffer<'_>) -> bool {
    let mut is_string = false;
    text.iter().fold(true, |good, byte| {
        if *byte == b'"' {
            is_string = !is_string;
        }
        let written = if is_string && *byte != b'"' {
            to.write(b"\\u00").is_ok() && hex(*byte, to)
        } else {
            to.write(&[*byte]).is_ok()
        };
        good & written
    })
}

/// Writes a path with every letter escaped.
#[inline(never)]
pub fn percent(path: &[u8], to: &mut Buffer<'_>) -> bool {
    path.iter().fold(true, |good, byte| {
        good & if *byte == b'/' { to.write(b"/").is_ok() } else { to.write(b"%").is_ok() && hex(*byte, to) }
    })
}

fn hex(byte: u8, to: &mut Buffer<'_>) -> bool {
    let digit = |half: u8| if half < 10 { b'0' + half } else { b'a' + half - 10 };
    to.write(&[digit(byte >> 4), digit(byte & 15)]).is_ok()
}

/// Fills a buffer: a beginning, a part as often as fits, spaces, an end.
#[inline(never)]
pub fn fill<'b>((beginning, again, end): (&str, &str, &str), bytes: &'b mut [u8]) -> &'b [u8] {
    let mut to = Buffer::new(bytes);
    let mut good = to.write(beginning.as_bytes()).is_ok();
    while to.remaining() >= again.len() + end.len() {
        good &= to.write(again.as_bytes()).is_ok();
    }
    // No comma follows the last one.
    if again.ends_with(',') {
        to.discard_last(1);
    }
    while to.remaining() > end.len() {
        good &= to.write(b" ").is_ok();
    }
    good &= to.write(end.as_bytes()).is_ok();
    black_box(good);
    let length = to.written().len();
    bytes.get(..length).unwrap_or_default()
}

/// Replaces the last four bytes by the checksum of a snapshot, CRC-32C.
#[inline(never)]
pub fn write_checksum(bytes: &mut [u8]) {
    let Some((rest, end)) = bytes.split_last_chunk_mut::<4>() else { return };
    let remainder = rest.iter().fold(u32::MAX, |remainder, byte| {
        (0..8).fold(remainder ^ u32::from(*byte), |remainder, _| {
            if remainder & 1 == 0 { remainder >> 1 } else { remainder >> 1 ^ 0x82F6_3B78 }
        })
    });
    *end = (!remainder).to_le_bytes();
}
