//! Many users in fixed memory, with a queue of their deadlines.
//!
//! A [`Directory`] reads users, decides commands and applies them; [`Directory::advance`] applies due transitions, one a call.
//! [`InlineDirectory`] is one of a fixed size, for a `static`; `BoxedDirectory`, with feature `alloc`, is sized at run time.
//!
//! A server's loop:
//!
//! ```
//! use presence_core::directory::{InlineDirectory, Progress};
//! use presence_core::{Duration, Instant, Policy, Presence};
//!
//! let mut directory = InlineDirectory::<u32, u32, 4, 100>::with_policy(Policy::GRAPH);
//! let mut now = Instant::ZERO;
//! directory.set_presence(now, 7, 1, Presence::Away, None, |user, change| println!("{user}: {}", change.after()))?;
//!
//! // Whenever a command or the timer wakes it:
//! let mut expired = Vec::new();
//! while let Some(deadline) = directory.next_deadline() {
//!     now = now.max(deadline); // a server sleeps until then, or until a command
//!     loop {
//!         match directory.advance(now) {
//!             Progress::Changed { user, transition } => expired.push((user, transition.at())),
//!             Progress::Working => {} // a bounded piece of work was done; commands may be served here
//!             Progress::Idle { .. } => break,
//!         }
//!     }
//! }
//! assert_eq!(expired, [(7, Instant::ZERO + Duration::from_mins(5))]);
//! # Ok::<(), presence_core::CommandError>(())
//! ```

mod advance;
mod apply;
mod batch;
mod cells;
mod change_list;
mod changes;
mod decide;
mod execute;
mod handle;
mod lookup;
mod memory;
mod occupy;
mod persist;
mod read;
mod rebase;
mod retain;
mod schedule;
mod set;
mod slot;
mod slot_index;
mod state;
mod table;
mod timers;
mod tuning;

pub use advance::Progress;
pub use changes::{ChangedUser, Cursor, CursorError};
pub use decide::DecideError;
pub use handle::UserHandle;
#[cfg(feature = "alloc")]
pub use memory::BoxedMemory;
pub use memory::{InlineMemory, Memory};
#[cfg(feature = "alloc")]
pub use state::BoxedDirectory;
pub use state::{Directory, InlineDirectory};
pub use table::hash::DefaultHasher;
