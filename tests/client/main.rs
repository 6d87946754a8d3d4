//! The other side of the wire: what a client sends, reads and makes of it. Tests are named after the rules that they hold.

#[cfg(all(feature = "batch", feature = "details"))]
mod answers;
#[cfg(all(feature = "batch", feature = "details"))]
mod calls;
mod feed;
mod follow_feed;
mod follower;
mod follower_histories;
mod pauses;
#[cfg(all(feature = "batch", feature = "details"))]
mod received;
#[cfg(all(feature = "batch", feature = "details"))]
mod requests;
mod retry_after;
mod sign_in;
mod sign_in_histories;
mod simulation;
mod tokens;
