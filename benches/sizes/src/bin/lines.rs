//! One user behind the wire: requests one a line.
#![no_std]
#![no_main]

#[cfg(all(feature = "every", feature = "batch", feature = "details"))]
use presence_core_sizes::every::whole as wire;
#[cfg(all(feature = "every", not(all(feature = "batch", feature = "details"))))]
use presence_core_sizes::every::wire;
#[cfg(not(feature = "every"))]
use presence_core_sizes::wire;

presence_core_sizes::image!(wire::drive_lines());
