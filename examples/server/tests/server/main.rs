//! The server as its clients see it: the real program, over HTTP.

mod changes;
mod damage;
mod details;
mod durability;
mod limits;
mod options;
mod refusals;
mod support;
mod table;
