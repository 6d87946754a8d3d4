//! Every public function of the library, linked and not called.
#![no_std]
#![no_main]

presence_core_sizes::image!(presence_core_sizes::everything::drive());
