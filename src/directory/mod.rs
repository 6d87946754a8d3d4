//! Many users in fixed memory, with a queue of their deadlines.
//!
//! [`Memory`] is what a [`Directory`] lives in. The directory reads users, decides commands and applies them;
//! [`Directory::advance`] applies what is due, one transition a call.

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
