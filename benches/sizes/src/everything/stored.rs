//! Snapshots, with every kind of id that comes with the library.

use super::{keep, values};
use presence_core::snapshot::{
    RestoreError, StoredId, max_details_len, max_len, restore, restore_details, save, save_details,
};
use presence_core::{SessionId, UserId};

macro_rules! ids {
    ($($id:ty),*) => { $(
        keep!($id as StoredId => from_stored, to_stored);
        keep!(fn => max_len::<$id, 4>, save::<$id, 4>, restore::<$id, 4>);
    )* };
}

#[inline(always)]
pub fn keep() {
    ids!(u8, u16, u32, u64, u128, [u8; 6], UserId, SessionId);
    keep!(fn => max_details_len::<64>, save_details::<64>, restore_details::<64>);
    values!(RestoreError, presence_core::BufferFull);
}
