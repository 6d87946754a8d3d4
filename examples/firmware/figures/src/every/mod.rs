//! All inputs of small size: the most that any of them costs is the worst case, not the most of a few.

mod hostile;
pub mod machine;
mod spelling;
pub mod wire;
