//! One user of four sessions and its stored form.
#![no_std]
#![no_main]

#[cfg(feature = "every")]
use presence_core_figures::every::stored;
#[cfg(not(feature = "every"))]
use presence_core_figures::stored;

presence_core_figures::image!(stored::drive());
