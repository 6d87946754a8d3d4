//! Details in every shape, and every command in each.
//!
//! A shape is: no status message, one that ends first, or one that never ends; out of office or not; and on each of the three
//! layers no work location, one that ends early, or one that ends late. Texts are as long as they may be. In every shape every
//! command is decided and applied, and the whole is saved and restored; then all due transitions are applied. At last come
//! bytes that are no details but have the right checksum.

use super::spelling::write_checksum;
use crate::details::{
    LongDetails, MESSAGE, probe_advance, probe_next_deadline, probe_restore, probe_save, probe_update, probe_view,
};
use crate::label::{label_due, label_hostile, label_idle};
use core::hint::black_box;
use presence_core::details::{DetailsCommand, LocationLayer, LocationLayers, OutOfOffice, WorkLocationType, WorkPlace};
use presence_core::{Duration, Instant};

const NOW: Instant = Instant::from_secs(5);
const EARLY: Instant = Instant::from_secs(600);
const LATE: Instant = Instant::from_secs(3600);
const FAR: Instant = Instant::from_secs(1_000_000);

/// A text of full length.
const TEXT: &str = letters(&[b'x'; MESSAGE]);
const PLACE: &str = letters(&[b'y'; WorkPlace::MAX_ID_LEN]);

const fn letters(bytes: &'static [u8]) -> &'static str {
    match core::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => "",
    }
}

const OUT_OF_OFFICE: [OutOfOffice<'_>; 2] = [
    OutOfOffice { is_out_of_office: false, message: None },
    OutOfOffice { is_out_of_office: true, message: Some(TEXT) },
];

const fn message(expires_at: Instant) -> DetailsCommand<'static> {
    DetailsCommand::SetStatusMessage { text: TEXT, expires_at }
}

const fn location(layer: LocationLayer, until: Instant) -> DetailsCommand<'static> {
    let place = WorkPlace { kind: WorkLocationType::Office, id: Some(PLACE) };
    DetailsCommand::SetLocation { layer, place, until }
}

/// Plays every shape, and reports whether every call did what it should.
#[inline(always)]
pub fn drive() -> bool {
    let mut good = true;
    for shape in 0..3 * 2 * 27_u32 {
        good &= drive_shape(shape);
    }
    good & drive_hostile()
}

#[inline(never)]
fn drive_shape(shape: u32) -> bool {
    let mut details = LongDetails::new();
    let mut good = true;
    label_idle();
    if let Some(expires_at) = [None, Some(EARLY), Some(Instant::NEVER)].get(shape as usize % 3).copied().flatten() {
        good &= probe_update(&mut details, NOW, black_box(&message(expires_at)));
    }
    if shape / 3 % 2 == 1 {
        good &= probe_update(&mut details, NOW, black_box(&DetailsCommand::SetOutOfOffice(OUT_OF_OFFICE[1])));
    }
    let mut rest = shape / 6;
    for layer in LocationLayer::ALL {
        if let Some(until) = [None, Some(EARLY), Some(LATE)].get(rest as usize % 3).copied().flatten() {
            good &= probe_update(&mut details, NOW, black_box(&location(layer, until)));
        }
        rest /= 3;
    }
    good &= drive_commands(&details);
    good &= drive_stored(&details);
    good & drive_time(&mut details)
}

/// Plays every command, each on the same details.
#[inline(never)]
fn drive_commands(details: &LongDetails) -> bool {
    black_box((probe_view(details, black_box(NOW)), probe_view(details, black_box(FAR)), probe_next_deadline(details)));
    let mut good = !probe_advance(&mut details.clone(), black_box(NOW));
    for expires_at in [EARLY, Instant::NEVER] {
        good &= probe_update(&mut details.clone(), NOW, black_box(&message(expires_at)));
    }
    let remove = DetailsCommand::SetStatusMessage { text: "", expires_at: Instant::NEVER };
    let removed = probe_update(&mut details.clone(), NOW, black_box(&remove));
    good &= removed == details.status_message().is_some();
    for out_of_office in OUT_OF_OFFICE {
        good &= probe_update(&mut details.clone(), NOW, black_box(&DetailsCommand::SetOutOfOffice(out_of_office)));
    }
    for layer in LocationLayer::ALL {
        good &= probe_update(&mut details.clone(), NOW, black_box(&location(layer, LATE)));
    }
    for layers in [LocationLayers::MANUAL_AND_AUTOMATIC, LocationLayers::AUTOMATIC, LocationLayers::SCHEDULED] {
        let any = LocationLayer::ALL.iter().any(|layer| layers.contains(*layer) && details.place(*layer).is_some());
        good &= probe_update(&mut details.clone(), NOW, black_box(&DetailsCommand::ClearLocations(layers))) == any;
    }
    good
}

#[inline(never)]
fn drive_stored(details: &LongDetails) -> bool {
    let mut bytes = [0; 1024];
    let length = probe_save(details, black_box(NOW), &mut bytes);
    let stored = bytes.get(..length).unwrap_or_default();
    let mut restored = LongDetails::new();
    let mut good = length > 0 && probe_restore(stored, black_box(NOW), Some(Duration::ZERO), &mut restored);
    good &= restored == *details;
    good & probe_restore(stored, black_box(FAR), black_box(None), &mut restored)
}

/// Applies all due transitions.
#[inline(never)]
fn drive_time(details: &mut LongDetails) -> bool {
    label_due();
    let mut good = true;
    while details.next_deadline().is_some() {
        good &= probe_advance(details, black_box(FAR));
    }
    good & !probe_advance(details, FAR)
}

#[inline(never)]
fn drive_hostile() -> bool {
    label_hostile();
    let mut bytes = [0; 4096];
    let mut good = true;
    // Zeros, unterminated numbers, numbers of one byte, bits.
    for filling in [0, 0x80, 1, 0xFF] {
        // As a whole, and behind a beginning that announces every field.
        for beginning in [&[][..], &[1, 0, 0xBF], &[1, 0, 0xBF, 9, 9, 0xA0, 0x1F]] {
            bytes.fill(filling);
            for (to, from) in bytes.iter_mut().zip(beginning) {
                *to = *from;
            }
            write_checksum(&mut bytes);
            good &= !probe_restore(black_box(&bytes), NOW, None, &mut LongDetails::new());
        }
    }
    good
}
