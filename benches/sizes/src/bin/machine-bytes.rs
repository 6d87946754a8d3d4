//! One user of four sessions with ids of one byte.
#![no_std]
#![no_main]

#[cfg(feature = "every")]
use presence_core_figures::every::machine;
#[cfg(not(feature = "every"))]
use presence_core_figures::machine;

presence_core_figures::image!(machine::drive::<u8>());
