//! Properties of random histories, compared with an independent model, and of values written and read: serde, arbitrary.

mod arbitrary;
mod capacities;
mod histories;
#[cfg(feature = "serde")]
mod serde;
mod whatever_happens;
