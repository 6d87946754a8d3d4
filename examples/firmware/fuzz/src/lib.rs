//! Fuzz target for the firmware's storage: a function of bytes that panics when a promise does not hold. The firmware's
//! tests replay its corpus without a fuzzer.

// The linker needs the critical section that it implements.
use critical_section as _;

mod cut;
// Simulated flash and memory, as in the firmware's tests.
#[path = "../../tests/storage/medium.rs"]
mod medium;

/// Runs the target `cut`: the power fails while a snapshot is stored.
pub fn cut(data: &[u8]) {
    cut::run(data);
}
