//! What must not be linked, linked: `measure` must find each of these faults, on every target.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec::Vec;
use core::alloc::{GlobalAlloc, Layout};
use core::fmt::Write;
use core::hint::black_box;

presence_core_sizes::image!(drive_faults());

/// Keeps every fault: the compiler cannot tell whether any is called, nor with which arguments.
#[inline(always)]
fn drive_faults() -> bool {
    black_box(panics as *const ());
    black_box(formats as *const ());
    black_box(allocates as *const ());
    black_box(floats as *const ());
    black_box(divides as *const ());
    black_box(calls_itself as *const ());
    black_box(ping as *const ());
    black_box(moves_its_stack as *const ());
    black_box(probe_that_calls_itself as *const ());
    black_box(probe_that_calls_what_it_is_handed as *const ());
    black_box(probe_that_moves_its_stack as *const ());
    true
}

#[inline(never)]
fn panics(bytes: &[u8], at: usize) -> u8 {
    bytes[at]
}

struct Nowhere;

impl Write for Nowhere {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        black_box(text);
        Ok(())
    }
}

#[inline(never)]
fn formats(number: u32) -> bool {
    write!(Nowhere, "{number}").is_ok()
}

struct Nothing;

// SAFETY: it never has any memory.
unsafe impl GlobalAlloc for Nothing {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static NOTHING: Nothing = Nothing;

#[inline(never)]
fn allocates(bytes: &mut Vec<u8>, byte: u8) {
    bytes.push(byte);
}

#[inline(never)]
fn floats(one: f64, other: f64) -> f64 {
    one * other
}

#[inline(never)]
fn divides(one: u64, other: u64) -> u64 {
    one.checked_div(other).unwrap_or(0)
}

#[inline(never)]
fn calls_itself(number: u32) -> u32 {
    if number == 0 { 1 } else { black_box(calls_itself(number - 1)) ^ number }
}

#[inline(never)]
fn ping(number: u32) -> u32 {
    if number == 0 { 1 } else { black_box(pong(number - 1)) ^ number }
}

#[inline(never)]
fn pong(number: u32) -> u32 {
    if number == 0 { 2 } else { black_box(ping(number - 1)) + number }
}

// By how much is in no instruction: no walk through this function knows the depth of its stack.
#[cfg(target_arch = "arm")]
core::arch::global_asm!(".thumb_func", ".global moves_its_stack", "moves_its_stack:", "mov sp, r0", "bx lr");
#[cfg(target_arch = "riscv32")]
core::arch::global_asm!(".global moves_its_stack", "moves_its_stack:", "add sp, sp, a0", "ret");

unsafe extern "C" {
    fn moves_its_stack(bytes: usize);
}

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn probe_that_calls_itself(number: u32) -> u32 {
    calls_itself(black_box(number)) + 1
}

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn probe_that_calls_what_it_is_handed(handed: extern "C" fn(u32) -> u32, number: u32) -> u32 {
    handed(number) + 1
}

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn probe_that_moves_its_stack(bytes: usize) -> usize {
    // SAFETY: it is linked and not called.
    unsafe { moves_its_stack(bytes) };
    bytes + 1
}
