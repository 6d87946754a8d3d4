//! A directory of eight users.
#![no_std]
#![no_main]

#[cfg(not(feature = "every"))]
use presence_core_sizes::directory;
#[cfg(feature = "every")]
use presence_core_sizes::every::directory;

presence_core_sizes::image!(directory::drive());
