//! The version of the format, and the gap that restoring leaves in a user's versions.

/// The format version that [`save`](super::save) writes.
pub(super) const FORMAT_VERSION: u8 = 1;

/// The amount by which revision and version grow over a gap of unknown length.
///
/// More happened after the newest snapshot, perhaps: the amount allows for a change per minute during six weeks.
pub(super) const VERSION_GAP: u64 = 1 << 16;

const _: () = assert!(VERSION_GAP > 6 * 7 * 24 * 60);
