//! The one stored form of a user: for a lamp's flash, a server's journal, a replicated store.
//!
//! [`save`] writes a user at a moment as a few bytes, [`restore`] reads them back. Times are offsets from the moment it was
//! taken, so a snapshot outlives a clock that starts again at zero. The same user at the same distance from its deadlines
//! is always the same bytes.
//!
//! A lamp whose clock starts at zero, and that does not know for how long it had no power:
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
//! assert_eq!(restored.presence(), Presence::Offline); // nobody knows whether the call goes on
//! assert_eq!(restored.absence(), Some(Absence::Lost)); // no news, which is not the same as gone
//! assert_eq!(restored.preferred().map(|preferred| preferred.presence()), Some(Presence::DoNotDisturb));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! A server that keeps the moment beside the bytes, for its clock goes on:
//!
//! ```
//! use presence_core::directory::{Directory, InlineMemory};
//! use presence_core::{Instant, Policy, Presence, SessionId, UserId, snapshot};
//!
//! type Users = Directory<UserId, SessionId, 4, InlineMemory<UserId, SessionId, 4, 100>>;
//! let adele: UserId = "fa8bf3dc-eca7-46b7-bad1-db199b62afc3".parse()?;
//! let phone: SessionId = "22553876-f5ab-4529-bffb-cfe50aa89f87".parse()?;
//! let mut store = std::collections::HashMap::<UserId, (Instant, Vec<u8>)>::new();
//!
//! let noon = Instant::from_secs(43_200);
//! let mut directory = Users::new(InlineMemory::new(), Policy::GRAPH);
//! directory.set_presence(noon, adele, phone, Presence::Available, None, |_, _| {})?;
//! let mut buffer = [0; snapshot::max_len::<SessionId, 4>()];
//! let user = directory.get(adele).ok_or("no such user")?;
//! store.insert(adele, (noon, snapshot::save(user.at(noon)?, &mut buffer)?.to_vec()));
//!
//! // Four minutes later, another process.
//! let now = Instant::from_secs(43_440);
//! let mut directory = Users::new(InlineMemory::new(), Policy::GRAPH);
//! for (id, (taken_at, bytes)) in &store {
//!     let elapsed = now.saturating_duration_since(*taken_at);
//!     directory.insert(*id, snapshot::restore(bytes, now, Some(elapsed))?)?;
//! }
//! assert_eq!(directory.presence(now, adele), Presence::Available);
//! let ends = (Instant::from_secs(43_500), Presence::Offline); // five minutes after noon, as ever
//! assert_eq!(directory.explain(now, adele).next, Some(ends));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # The form
//!
//! | | bytes | |
//! | --- | --- | --- |
//! | version of the form | 1 | 1 |
//! | length of a session id | 1 | |
//! | flags | 1 | bits 0 and 1: how the latest session to go went; 2: since is before the moment, 3: after it; 4: something is preferred |
//! | revision, version | 1 to 10 each | |
//! | since | 0 to 10 | distance from the moment, if known |
//! | preferred | 0, 2 to 11 | presence, end |
//! | number of sessions | 1 to 3 | |
//! | each session | length of id + 4 to 22 | id, presence, number of fades behind it, end, next fade |
//! | checksum | 4 | CRC-32C of all before, little-endian |
//!
//! Numbers are little-endian base 128 (LEB128), as short as they can be; ends and fades are milliseconds from the moment, 0
//! if they never come. What a user tells beside its presence (feature `details`) has a form of its own, told from this by the
//! highest flag: no ids, flags, revision, version, then texts (a length and UTF-8) and times in the same manner. Every version of the form begins with its number and ends with this checksum. A later version may
//! add members; it reads the older ones, and a form newer than the reader is refused rather than read in part, so that
//! nothing is lost when it is written again.

mod bytes;
#[cfg(feature = "details")]
mod details;
mod error;
mod id;
mod restore;
mod save;

#[cfg(feature = "details")]
pub use details::{max_details_len, restore_details, save_details};
pub use error::{Field, RestoreError};
pub use id::StoredId;
pub use restore::restore;
pub use save::save;

use bytes::NUMBER_LEN;

/// The version of the form that [`save`] writes.
const FORM: u8 = 1;

const CHECKSUM_LEN: usize = size_of::<u32>();

// The flags: two bits of an absence, and these.
const ABSENCE: u8 = 0b11;
const SINCE_BEFORE: u8 = 1 << 2;
const SINCE_AFTER: u8 = 1 << 3;
const PREFERRED: u8 = 1 << 4;

/// How far revision and version leap when nobody knows how long the power was gone: more than a change a minute for six
/// weeks, in case the newest snapshot was not the last thing that happened.
pub const VERSION_GAP: u64 = 1 << 16;

/// The most bytes that a snapshot takes of a user with these ids and so many sessions: 143 for four sessions with ids of a
/// byte, 203 with GUIDs. Few take half of that. O(1).
#[must_use]
pub const fn max_len<S: StoredId, const SESSIONS: usize>() -> usize {
    let session = (id_len::<S>() as usize).saturating_add(2 + 2 * NUMBER_LEN);
    let fixed = 3 + 3 * NUMBER_LEN + 1 + NUMBER_LEN + 3 + CHECKSUM_LEN;
    fixed.saturating_add(session.saturating_mul(SESSIONS))
}

/// The length of an id; longer ones do not compile.
const fn id_len<S: StoredId>() -> u8 {
    const {
        let length = size_of::<S::Bytes>();
        assert!(length <= u8::MAX as usize, "ids are stored in at most 255 bytes");
        length as u8
    }
}
