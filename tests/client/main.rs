//! The other side of the wire: what a client sends, reads and makes of it. Tests are named after the rules that they hold.

#[cfg(all(feature = "batch", feature = "details"))]
mod answers;
#[cfg(all(feature = "batch", feature = "details"))]
mod calls;
mod feed;
mod follow_feed;
mod follower;
#[cfg(all(feature = "batch", feature = "details"))]
mod received;
#[cfg(all(feature = "batch", feature = "details"))]
mod requests;
mod retry_after;
mod sign_in;
mod simulation;
mod tokens;
