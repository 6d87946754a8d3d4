//! The server as its clients see it: the real program, over HTTP.

mod changes;
mod damage;
mod details;
mod durability;
mod errors;
mod limits;
mod operations;
mod options;
mod support;
