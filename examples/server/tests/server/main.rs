//! Tests of the real program over HTTP, as its clients use it.

mod admin;
mod applications;
mod backup;
mod capacity;
mod changes;
mod clients;
mod configuration;
mod damage;
mod details;
mod door;
mod durability;
mod erasure;
mod errors;
mod explain;
mod files;
mod formats;
mod health;
mod limits;
mod listen;
mod logs;
mod memory;
mod operations;
mod options;
mod pages;
mod passed;
mod policies;
mod shares;
mod signals;
mod supervisor;
mod support;
#[cfg(feature = "otlp")]
mod traces;
