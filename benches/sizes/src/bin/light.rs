//! One user behind a light's serial line.
#![no_std]
#![no_main]

presence_core_sizes::image!(presence_core_sizes::light::drive());
