//! The other side of the wire: what a client sends, reads and makes of it. Tests are named after the rules that they hold.

mod feed;
mod follow_feed;
mod follower;
mod sign_in;
mod simulation;
