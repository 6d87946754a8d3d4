//! What a user tells beside its presence, alone: messages of 280 bytes.

use core::hint::black_box;
use presence_core::details::{Details, DetailsCommand, decide_details, next_due_details};
use presence_core::{Duration, Instant, snapshot};

/// As long as Graph's messages are, in letters of one byte.
pub(crate) const MESSAGE: usize = 280;

pub(crate) type Told = Details<MESSAGE>;

#[inline(never)]
pub(crate) fn probe_tell(details: &mut Told, now: Instant, command: &DetailsCommand<'_>) -> bool {
    let Ok(at) = details.at(now) else { return false };
    let Ok(Some(ref transition)) = decide_details(at, *command) else { return false };
    details.apply(transition).is_ok()
}

#[inline(never)]
pub(crate) fn probe_advance(details: &mut Told, now: Instant) -> bool {
    match next_due_details(details, now) {
        None => false,
        Some(ref transition) => details.apply(transition).is_ok(),
    }
}

#[inline(never)]
pub(crate) fn probe_shown(details: &Told, now: Instant) -> u64 {
    let shown = details.view_at(now);
    black_box(&shown);
    shown.version
}

#[inline(never)]
pub(crate) fn probe_next_deadline(details: &Told) -> u64 {
    details.next_deadline().map_or(0, Instant::as_millis)
}

#[inline(never)]
pub(crate) fn probe_take(details: &Told, now: Instant, buffer: &mut [u8]) -> usize {
    let Ok(at) = details.at(now) else { return 0 };
    snapshot::save_details(at, buffer).map_or(0, |stored| stored.len())
}

#[inline(never)]
pub(crate) fn probe_restore(bytes: &[u8], now: Instant, elapsed: Option<Duration>, details: &mut Told) -> bool {
    match snapshot::restore_details(bytes, now, elapsed) {
        Ok(restored) => {
            *details = restored;
            true
        }
        Err(_) => false,
    }
}

/// As large as details are: their size can be read from the image.
#[cfg(feature = "scenario")]
#[used]
static DETAILS_OF_280: [u8; size_of::<Told>()] = [0; size_of::<Told>()];

type Probes = (
    fn(&mut Told, Instant, &DetailsCommand<'_>) -> bool,
    fn(&mut Told, Instant) -> bool,
    fn(&Told, Instant) -> u64,
    fn(&Told) -> u64,
    fn(&Told, Instant, &mut [u8]) -> usize,
    fn(&[u8], Instant, Option<Duration>, &mut Told) -> bool,
);

/// Keeps every probe, for nobody can tell whether it is called, nor with what.
#[inline(always)]
pub fn drive() -> bool {
    let probes: &Probes = &(probe_tell, probe_advance, probe_shown, probe_next_deadline, probe_take, probe_restore);
    black_box(probes);
    true
}
