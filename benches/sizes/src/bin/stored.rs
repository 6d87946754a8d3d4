//! One user of four sessions and its stored form.
#![no_std]
#![no_main]

#[cfg(feature = "every")]
use presence_core_sizes::every::stored;
#[cfg(not(feature = "every"))]
use presence_core_sizes::stored;

presence_core_sizes::image!(stored::drive());
