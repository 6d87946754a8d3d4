//! A directory of eight users.
#![no_std]
#![no_main]

#[cfg(not(feature = "every"))]
use presence_core_figures::directory;
#[cfg(feature = "every")]
use presence_core_figures::every::directory;

presence_core_figures::image!(directory::drive());
