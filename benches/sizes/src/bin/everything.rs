//! Every public function of the library: nothing is called, and nothing may be left out.
#![no_std]
#![no_main]

presence_core_figures::image!(presence_core_figures::everything::drive());
