//! A lamp that follows a user of Graph.
#![no_std]
#![no_main]

presence_core_sizes::image!(presence_core_sizes::follow::drive());
