//! What a newcomer sees first: the README and the example it starts.

#[cfg(all(feature = "graph", feature = "indicator"))]
mod desk;
#[cfg(feature = "indicator")]
mod lamp;
mod messages;
mod readme;
mod sizes;
