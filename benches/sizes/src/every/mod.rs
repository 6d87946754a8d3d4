//! All inputs of small size: the most that any of them costs is the worst case.

#[cfg(feature = "details")]
pub mod details;
pub mod directory;
mod hostile;
#[cfg(all(feature = "batch", feature = "details"))]
mod hostile_whole;
pub mod machine;
mod spelling;
pub mod stored;
#[cfg(all(feature = "batch", feature = "details"))]
pub mod whole;
pub mod wire;
