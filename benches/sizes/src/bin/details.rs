//! What a user tells beside its presence, alone.
#![no_std]
#![no_main]

#[cfg(not(feature = "every"))]
use presence_core_figures::details;
#[cfg(feature = "every")]
use presence_core_figures::every::details;

presence_core_figures::image!(details::drive());
