//! Every call of a client, written.
#![no_std]
#![no_main]

presence_core_sizes::image!(presence_core_sizes::calls::drive());
