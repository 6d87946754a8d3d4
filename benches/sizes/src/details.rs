//! Details alone: status message, out of office, work location, with messages of 280 bytes.

use core::hint::black_box;
use presence_core::details::{Details, DetailsCommand, decide_details, next_due_details};
use presence_core::{Duration, Instant, snapshot};

/// The length of Graph's messages, in letters of one byte.
pub(crate) const MESSAGE: usize = 280;

pub(crate) type LongDetails = Details<MESSAGE>;

#[inline(never)]
pub(crate) fn probe_update(details: &mut LongDetails, now: Instant, command: &DetailsCommand<'_>) -> bool {
    let Ok(at) = details.at(now) else { return false };
    let Ok(Some(ref transition)) = decide_details(at, *command) else { return false };
    details.apply(transition).is_ok()
}

#[inline(never)]
pub(crate) fn probe_advance(details: &mut LongDetails, now: Instant) -> bool {
    match next_due_details(details, now) {
        None => false,
        Some(ref transition) => details.apply(transition).is_ok(),
    }
}

#[inline(never)]
pub(crate) fn probe_view(details: &LongDetails, now: Instant) -> u64 {
    let view = details.view_at(now);
    black_box(&view);
    view.version
}

#[inline(never)]
pub(crate) fn probe_next_deadline(details: &LongDetails) -> u64 {
    details.next_deadline().map_or(0, Instant::as_millis)
}

#[inline(never)]
pub(crate) fn probe_save(details: &LongDetails, now: Instant, buffer: &mut [u8]) -> usize {
    let Ok(at) = details.at(now) else { return 0 };
    snapshot::save_details(at, buffer).map_or(0, |stored| stored.len())
}

#[inline(never)]
pub(crate) fn probe_restore(bytes: &[u8], now: Instant, elapsed: Option<Duration>, details: &mut LongDetails) -> bool {
    match snapshot::restore_details(bytes, now, elapsed) {
        Ok(restored) => {
            *details = restored;
            true
        }
        Err(_) => false,
    }
}

/// A static as large as details: the image tells its size.
#[cfg(feature = "scenario")]
#[used]
static DETAILS_OF_280: [u8; size_of::<LongDetails>()] = [0; size_of::<LongDetails>()];

type Probes = (
    fn(&mut LongDetails, Instant, &DetailsCommand<'_>) -> bool,
    fn(&mut LongDetails, Instant) -> bool,
    fn(&LongDetails, Instant) -> u64,
    fn(&LongDetails) -> u64,
    fn(&LongDetails, Instant, &mut [u8]) -> usize,
    fn(&[u8], Instant, Option<Duration>, &mut LongDetails) -> bool,
);

/// Links every probe: the compiler cannot tell whether any is called, nor with which arguments.
#[inline(always)]
pub fn drive() -> bool {
    let probes: &Probes = &(probe_update, probe_advance, probe_view, probe_next_deadline, probe_save, probe_restore);
    black_box(probes);
    true
}
