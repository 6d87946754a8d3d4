//! Many users in fixed memory, with a queue of their deadlines.
//!
//! A [`Directory`] reads users, decides commands and applies them; [`Directory::advance`] applies due transitions, one a call.
//! [`InlineDirectory`] is one of a fixed size, for a `static`; `BoxedDirectory`, with feature `alloc`, is sized at run time.

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
mod slot;
mod slot_index;
mod state;
mod table;
mod timers;

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
