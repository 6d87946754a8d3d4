//! The image without the library: what is subtracted from the others.
#![no_std]
#![no_main]

use presence_core_figures as _;

presence_core_figures::image!(core::hint::black_box(true));
