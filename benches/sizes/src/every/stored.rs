//! One user in every shape: saved, and restored after no time, an hour, years, or an unknown time; and bytes as long as a
//! line that are no user but have the right checksum, which is worst for the decoder.

use super::machine::{KINDS, NOW, Order, PREFERRED, drive_into_shape};
use super::spelling::write_checksum;
use crate::label::label_hostile;
use crate::stored::{StoredUser, probe_rebase, probe_restore, probe_save};
use core::hint::black_box;
use presence_core::{Duration, Instant};

/// The time that may have passed.
const ELAPSED: [Option<Duration>; 4] =
    [Some(Duration::ZERO), Some(Duration::from_hours(1)), Some(Duration::from_hours(100_000)), None];

/// Plays every shape, and reports whether every user was restored.
#[inline(always)]
pub fn drive() -> bool {
    let mut bytes = [0; 256];
    let mut good = true;
    for count in 0..=4_u8 {
        for shape in 0..KINDS.len().pow(count.into()) {
            for preferred in PREFERRED {
                let mut user = StoredUser::new();
                good &= drive_into_shape(&mut user, count, shape, Order::AtOnce, preferred);
                good &= drive_stored(&user, &mut bytes);
            }
        }
    }
    good & drive_hostile()
}

#[inline(never)]
fn drive_stored(user: &StoredUser, bytes: &mut [u8]) -> bool {
    let later = Instant::from_secs(1_000_000_000);
    let length = probe_save(user, black_box(NOW), bytes);
    let stored = bytes.get(..length).unwrap_or_default();
    let mut good = length > 0;
    for elapsed in ELAPSED {
        let mut restored = StoredUser::new();
        good &= probe_restore(stored, black_box(later), black_box(elapsed), &mut restored);
        good &= restored.version() >= user.version();
    }
    let mut same = StoredUser::new();
    good &= probe_restore(stored, black_box(NOW), Some(Duration::ZERO), &mut same) && same == *user;
    good & probe_rebase(&mut same, NOW, later)
}

/// The beginning of a snapshot: ids of sixteen bytes, and every field that a user may have.
const BEGINNING: [u8; 3] = [1, 16, 0x14];

#[inline(never)]
fn drive_hostile() -> bool {
    label_hostile();
    let mut bytes = [0; 4096];
    let mut good = true;
    // Zeros, unterminated numbers, numbers of one byte, bits.
    for filling in [0, 0x80, 1, 0xFF] {
        // As a whole, and in front of numbers or of a session.
        for beginning in [&[][..], &BEGINNING, &[1, 16, 0, 9, 9, 4]] {
            bytes.fill(filling);
            for (to, from) in bytes.iter_mut().zip(beginning) {
                *to = *from;
            }
            write_checksum(&mut bytes);
            good &= !probe_restore(black_box(&bytes), NOW, None, &mut StoredUser::new());
        }
    }
    // Its checksum is wrong as well.
    good & !probe_restore(black_box(&[0x5A; 4096]), NOW, None, &mut StoredUser::new())
}
