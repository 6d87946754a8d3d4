//! One user behind the wire: requests one a line.
#![no_std]
#![no_main]

presence_core_figures::image!(presence_core_figures::wire::drive_lines());
