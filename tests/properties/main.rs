//! Properties of random histories, held against an independent model, and of what goes out and comes back: serde, arbitrary.

mod arbitrary;
mod histories;
#[cfg(feature = "serde")]
mod serde;
mod whatever_happens;
