//! One user of four sessions with ids of one byte.
#![no_std]
#![no_main]

presence_core_figures::image!(presence_core_figures::machine::drive::<u8>());
