//! What a newcomer sees first: the README and the examples.

#[cfg(all(feature = "graph", feature = "indicator"))]
mod desk;
mod embed;
#[cfg(feature = "indicator")]
mod lamp;
mod messages;
mod readme;
mod sizes;
