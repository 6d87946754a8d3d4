//! Every call of a client: its target, its body, and many of them in one request.

use core::hint::black_box;
use presence_core::client::{Call, CallBatch};

#[inline(never)]
fn probe_target(call: &Call<'_>, target: &mut [u8]) -> usize {
    call.write_target(target).map_or(0, str::len)
}

#[inline(never)]
fn probe_body(call: &Call<'_>, body: &mut [u8]) -> usize {
    call.write_body(body).map_or(0, <[u8]>::len)
}

#[inline(never)]
fn probe_batch(batch: &CallBatch<'_>, body: &mut [u8]) -> usize {
    batch.write_body(body).map_or(0, <[u8]>::len)
}

type Probes =
    (fn(&Call<'_>, &mut [u8]) -> usize, fn(&Call<'_>, &mut [u8]) -> usize, fn(&CallBatch<'_>, &mut [u8]) -> usize);

/// Links every probe: the compiler cannot tell whether any is called, nor with which arguments.
#[inline(always)]
pub fn drive() -> bool {
    let probes: &Probes = &(probe_target, probe_body, probe_batch);
    black_box(probes);
    true
}
