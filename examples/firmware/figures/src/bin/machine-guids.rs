//! One user of four sessions with ids of sixteen bytes.
#![no_std]
#![no_main]

presence_core_figures::image!(presence_core_figures::machine::drive::<presence_core::SessionId>());
