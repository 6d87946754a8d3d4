//! One user behind the wire: requests over HTTP.
#![no_std]
#![no_main]

presence_core_figures::image!(presence_core_figures::wire::drive_requests());
