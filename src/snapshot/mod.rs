//! Snapshots: users as bytes, for a lamp's flash, a server's journal or a replicated store.
//!
//! [`save`] writes a user as a few bytes, [`restore`] reads them back. Times are stored relative to the moment of saving, so a
//! snapshot stays valid on a clock that starts again at zero. The encoding is canonical: users that differ in nothing but the
//! reading of their clock have the same bytes.
//!
//! A lamp, whose clock starts at zero, and which does not know how long its power was off:
//!
//! ```
//! use presence_core::{Absence, Instant, Layer, Policy, Presence, User, set_preferred_presence, set_presence, snapshot};
//!
//! let now = Instant::from_secs(86_400);
//! let mut user: User<u8, 4> = User::new();
//! let set = set_presence(user.at(now)?, 1, Presence::InACall, None, &Policy::GRAPH)?;
//! user.apply(&set)?;
//! let preferred = set_preferred_presence(user.at(now)?, Presence::DoNotDisturb, None, &Policy::GRAPH)?;
//! user.apply(&preferred)?;
//! let mut flash = [0; snapshot::max_len::<u8, 4>()];
//! let stored = snapshot::save(user.at(now)?, &mut flash)?;
//!
//! let restored: User<u8, 4> = snapshot::restore(stored, Instant::ZERO, None)?;
//! assert_eq!(restored.presence(), Presence::Offline); // the call may have ended meanwhile
//! assert_eq!(restored.absence(), Some(Absence::Lost)); // stale, which differs from signed out
//! assert_eq!(restored.preferred().map(|preferred| preferred.presence()), Some(Presence::DoNotDisturb));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! A server, whose instants are Unix time and so go on after a restart, stores the instant beside the bytes:
//!
//! ```
//! use presence_core::directory::InlineDirectory;
//! use presence_core::{Instant, Policy, Presence, SessionId, UserId, snapshot};
//!
//! type Users = InlineDirectory<UserId, SessionId, 4, 100>;
//! let adele: UserId = "fa8bf3dc-eca7-46b7-bad1-db199b62afc3".parse()?;
//! let phone: SessionId = "22553876-f5ab-4529-bffb-cfe50aa89f87".parse()?;
//! let mut store = std::collections::HashMap::<UserId, (Instant, Vec<u8>)>::new();
//!
//! let noon = Instant::from_secs(43_200);
//! let mut directory = Users::with_policy(Policy::GRAPH);
//! directory.set_presence(noon, adele, phone, Presence::Available, None, |_, _| {})?;
//! let mut buffer = [0; snapshot::max_len::<SessionId, 4>()];
//! let user = directory.get(adele).ok_or("no such user")?;
//! store.insert(adele, (noon, snapshot::save(user.at(noon)?, &mut buffer)?.to_vec()));
//!
//! // Four minutes later, another process.
//! let now = Instant::from_secs(43_440);
//! let mut directory = Users::with_policy(Policy::GRAPH);
//! for (id, (saved_at, bytes)) in &store {
//!     let elapsed = now.saturating_duration_since(*saved_at);
//!     directory.insert(*id, snapshot::restore(bytes, now, Some(elapsed))?)?;
//! }
//! assert_eq!(directory.presence(now, adele), Presence::Available);
//! let ends = (Instant::from_secs(43_500), Presence::Offline); // five minutes after noon, as before
//! assert_eq!(directory.explain(now, adele).next, Some(ends));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # Format
//!
//! A user, in format version 1:
//!
//! | member | bytes | |
//! | --- | --- | --- |
//! | format version | 1 | 1 |
//! | length of a session id | 1 | |
//! | flags | 1 | bits 0 and 1: how the latest session ended; 2: “since” lies before the moment of saving; 3: after it; 4: there is a preferred presence |
//! | revision, version | 1 to 10 each | |
//! | since | 0 to 10 | distance from the moment of saving, if flagged |
//! | preferred presence | 0, 2 to 11 | presence, end |
//! | number of sessions | 1 to 3 | |
//! | each session | length of id + 4 to 22 | id, presence, number of past fades, end, next fade |
//! | checksum | 4 | CRC-32C of all bytes before, little-endian |
//!
//! A user's details (feature `details`), in format version 1:
//!
//! | member | bytes | |
//! | --- | --- | --- |
//! | format version | 1 | 1 |
//! | length of an id | 1 | 0 |
//! | flags | 1 | bit 0: there is a status message; 1: it was published after the moment of saving; 2: out of office; 3 to 5: there is a scheduled, automatic, manual location; 7: always set |
//! | revision, version | 1 to 10 each | |
//! | status message | 0, or text + 2 to 20 | text, distance of publication, end |
//! | out-of-office message | text | |
//! | each location | 3 to 22 + id | work location type, id as a text, end |
//! | checksum | 4 | CRC-32C of all bytes before, little-endian |
//!
//! Numbers are in LEB128 (little-endian base 128), in as few bytes as possible. A text is its length and that many bytes of
//! UTF-8. Ends and fades are milliseconds after the moment of saving, or 0 for never.
//!
//! Every format version begins with its number and ends with this checksum. A later version may add members, and can read
//! the earlier ones. A version newer than the reader is rejected, not read in part: otherwise saving the user again would
//! lose members.

mod bytes;
#[cfg(feature = "details")]
mod details;
mod error;
mod id;
mod restore;
mod save;
mod version;

#[cfg(feature = "details")]
pub use details::{max_details_len, restore_details, save_details};
pub use error::RestoreError;
pub use id::StoredId;
pub use restore::restore;
pub use save::save;

use bytes::NUMBER_LEN;
use version::{FORMAT_VERSION, VERSION_GAP};

/// The length of the checksum at the end of every snapshot.
const CHECKSUM_LEN: usize = size_of::<u32>();

// The flags: two bits for the absence, and one each for what follows.
const ABSENCE: u8 = 0b11;
const SINCE_BEFORE: u8 = 1 << 2;
const SINCE_AFTER: u8 = 1 << 3;
const PREFERRED: u8 = 1 << 4;

/// Returns the length of the largest snapshot of a user with up to `SESSIONS` sessions.
///
/// For four sessions, 143 bytes with one-byte ids and 203 with GUIDs. Most snapshots are less than half as long.
#[must_use]
pub const fn max_len<S: StoredId, const SESSIONS: usize>() -> usize {
    let session = (id_len::<S>() as usize).saturating_add(2 + 2 * NUMBER_LEN);
    let fixed = 3 + 3 * NUMBER_LEN + 1 + NUMBER_LEN + 3 + CHECKSUM_LEN;
    fixed.saturating_add(session.saturating_mul(SESSIONS))
}

/// Returns the length of an encoded id. An id of more than 255 bytes does not compile.
const fn id_len<S: StoredId>() -> u8 {
    const {
        let length = size_of::<S::Bytes>();
        assert!(length <= u8::MAX as usize, "ids are stored in at most 255 bytes");
        length as u8
    }
}

/// Reads the format version, which must be [`FORMAT_VERSION`].
fn read_format_version(reader: &mut bytes::Reader<'_>) {
    match reader.byte() {
        FORMAT_VERSION => {}
        // So that memory of all zeros or all ones is not a snapshot, whatever its checksum.
        0 | u8::MAX => reader.fail(RestoreError::FormatVersion),
        newer => reader.fail(RestoreError::NewerVersion(newer)),
    }
}
