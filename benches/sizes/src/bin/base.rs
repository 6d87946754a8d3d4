//! The image without the library, which is subtracted from the others.
#![no_std]
#![no_main]

use presence_core_sizes as _;

presence_core_sizes::image!(core::hint::black_box(true));
