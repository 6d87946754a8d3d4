//! One user of four sessions with ids of sixteen bytes.
#![no_std]
#![no_main]

#[cfg(feature = "every")]
use presence_core_sizes::every::machine;
#[cfg(not(feature = "every"))]
use presence_core_sizes::machine;

presence_core_sizes::image!(machine::drive::<presence_core::SessionId>());
