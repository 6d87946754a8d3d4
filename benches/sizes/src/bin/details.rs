//! Details alone, without a presence.
#![no_std]
#![no_main]

#[cfg(not(feature = "every"))]
use presence_core_sizes::details;
#[cfg(feature = "every")]
use presence_core_sizes::every::details;

presence_core_sizes::image!(details::drive());
