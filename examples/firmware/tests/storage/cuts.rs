//! Power cuts after every single byte of a write.

use super::medium::{Byte, Nor, Power, Torn, memory};
use super::{DeviceUser, execute, secs, set};
use firmware::CAPACITY;
use firmware::storage::{Flash, MAX_SNAPSHOT, Retained, RetainedByte, Storage, TooLongError};
use presence_core::{Presence, snapshot};

/// Returns snapshots of a user in the order of its history, some long and some short.
fn snapshots(count: usize) -> Vec<Vec<u8>> {
    let mut user = DeviceUser::new();
    let presences = [Presence::InACall, Presence::Available, Presence::Busy];
    let mut buffer = [0; MAX_SNAPSHOT];
    let story = (0..count).map(|number| {
        let now = secs(number as u64 * 60);
        let application = (number * 5 % CAPACITY) as u8;
        execute(&mut user, now, set(application, presences[number % 3], 20 + number as u64 % 7));
        snapshot::save(user.at(now).unwrap(), &mut buffer).unwrap().to_vec()
    });
    story.collect()
}

type Board<const WORD: usize, const PAGE: usize> = Flash<Nor<WORD, PAGE>>;

/// Restarts on the same flash, with power.
fn restart<const WORD: usize, const PAGE: usize>(flash: &Nor<WORD, PAGE>) -> Board<WORD, PAGE> {
    flash.power.cut_after(None);
    Flash::new(flash.clone(), 0..flash.bytes.len() as u32).unwrap()
}

fn loaded<const WORD: usize, const PAGE: usize>(board: &mut Board<WORD, PAGE>) -> Option<Vec<u8>> {
    board.load().unwrap().map(<[u8]>::to_vec)
}

/// Stores one snapshot after another, and each of them also with the power cut after every byte.
fn survives_every_cut<const WORD: usize, const PAGE: usize>(pages: usize, torn: Torn) {
    let story = snapshots(3 * pages * PAGE / 240 + 4);
    let mut flash = Nor::<WORD, PAGE>::new(pages, torn);
    let mut erased = 0;
    for (number, new) in story.iter().enumerate().take(story.len() - 1) {
        let before = number.checked_sub(1).map(|before| story[before].clone());
        let mut complete = restart(&flash);
        complete.store(new, &[]).unwrap();
        let bytes = complete.flash().power.used.get();
        erased += usize::from(bytes > PAGE);
        for cut in 0..bytes {
            let mut board = restart(&flash);
            board.flash().power.seed.set((number * 10_007 + cut) as u64 * 0x9E37_79B9);
            board.flash().power.cut_after(Some(cut));
            assert!(board.store(new, &[]).is_err(), "no power for this");
            let mut board = restart(board.flash());
            let survived = loaded(&mut board);
            assert!(survived == before || survived.as_ref() == Some(new), "{number}: cut after {cut} of {bytes}");
            // The next write succeeds.
            let next = &story[number + 1];
            board.store(next, &[]).unwrap();
            let mut board = restart(board.flash());
            assert_eq!(loaded(&mut board).as_ref(), Some(next), "{number}: after a cut after {cut} of {bytes}");
        }
        flash = complete.flash().clone();
    }
    assert!(erased >= pages, "every page was erased and used again: {erased}");
}

#[test]
fn flash_of_words_survives_every_cut() {
    survives_every_cut::<4, 1024>(4, Torn::SomeBits);
    survives_every_cut::<4, 512>(6, Torn::SomeBits);
}

#[test]
fn flash_of_single_bytes_survives_every_cut() {
    survives_every_cut::<1, 512>(4, Torn::SomeBits);
}

#[test]
fn flash_with_anything_in_a_torn_word_survives_every_cut() {
    survives_every_cut::<1, 512>(4, Torn::Anything);
    survives_every_cut::<4, 512>(4, Torn::Anything);
    survives_every_cut::<8, 512>(5, Torn::Anything);
}

/// A second power cut interrupts the repair after the first.
#[test]
fn flash_survives_a_second_cut_in_the_repair() {
    let story = snapshots(32);
    let mut flash = Nor::<4, 512>::new(4, Torn::SomeBits);
    for window in story.windows(3) {
        let [before, new, next] = window else { unreachable!() };
        let mut complete = restart(&flash);
        complete.store(before, &[]).unwrap();
        flash = complete.flash().clone();
        complete.store(new, &[]).unwrap();
        let bytes = complete.flash().power.used.get();
        for cut in (0..bytes).step_by(11) {
            for again in (0..1_000).step_by(67) {
                let mut board = restart(&flash);
                board.flash().power.seed.set((cut * 7919 + again) as u64);
                board.flash().power.cut_after(Some(cut));
                let _ = board.store(new, &[]);
                let mut board = restart(board.flash());
                board.flash().power.cut_after(Some(again));
                let stored = board.load().is_ok() && board.store(next, &[]).is_ok();
                assert!(stored || board.flash().power.ran_out());
                let survived = loaded(&mut restart(board.flash()));
                let allowed = [before, new, next].into_iter().any(|one| Some(one) == survived.as_ref());
                assert!(allowed && (!stored || survived.as_ref() == Some(next)), "cuts after {cut} and {again}");
            }
        }
    }
}

/// The device ran another program before.
#[test]
fn flash_with_foreign_contents_is_reused() {
    let story = snapshots(30);
    for seed in 0..300 {
        let mut flash = Nor::<4, 512>::new(4, Torn::SomeBits);
        flash.power.seed.set(seed << 32 | 0x9E37_79B9);
        for byte in &mut flash.bytes {
            *byte = if seed == 0 { 0 } else { flash.power.random() };
        }
        let mut board = restart(&flash);
        assert_eq!(loaded(&mut board), None, "no snapshot is found in it");
        for snapshot in &story {
            board.store(snapshot, &[]).unwrap();
            assert_eq!(loaded(&mut board).as_ref(), Some(snapshot));
        }
    }
}

#[test]
fn flash_must_be_at_least_four_whole_pages() {
    let flash = || Nor::<4, 1024>::new(8, Torn::SomeBits);
    assert!(Flash::new(flash(), 0..4096).is_ok());
    for range in [0..0, 0..1024, 0..3072, 4..4096, 4..4100, 1024..4096, 0..4092] {
        assert!(Flash::new(flash(), range).is_err());
    }
    assert_eq!(loaded(&mut Flash::new(flash(), 4096..8192).unwrap()), None);
}

/// Of five pages the last stays unused, and so does the flash before and behind them.
#[test]
fn flash_outside_the_range_is_not_touched() {
    let mut flash = Nor::<4, 512>::new(9, Torn::SomeBits);
    flash.bytes.fill(0x5A);
    let mut board = Flash::new(flash, 1024..1024 + 5 * 512).unwrap();
    for snapshot in snapshots(40) {
        board.store(&snapshot, &[]).unwrap();
        assert_eq!(loaded(&mut board).as_ref(), Some(&snapshot));
    }
    let bytes = &board.flash().bytes;
    assert!(bytes[..1024].iter().chain(&bytes[1024 + 4 * 512..]).all(|byte| *byte == 0x5A));
}

#[test]
fn retained_memory_survives_every_cut() {
    let power = Power::default();
    let bytes = memory((0..Retained::BYTES).map(|_| 0xFF), &power);
    let contents = || bytes.iter().map(RetainedByte::get).collect::<Vec<_>>();
    let mut before: Option<Vec<u8>> = None;
    for new in snapshots(12) {
        let start = contents();
        let put_back = |power: &Power| {
            power.cut_after(None);
            bytes.iter().zip(&start).for_each(|(byte, old)| byte.value.set(*old));
        };
        power.cut_after(None);
        Retained::new(&bytes).store(&new, &[]).unwrap();
        let written = power.used.get();
        assert_eq!(written, new.len() + 13, "a mark twice, checksum, sequence number, lengths");
        for cut in 0..=written {
            put_back(&power);
            power.cut_after(Some(cut));
            Retained::new(&bytes).store(&new, &[]).unwrap();
            power.cut_after(None);
            let mut retained = Retained::new(&bytes);
            let survived = retained.load().unwrap().map(<[u8]>::to_vec);
            assert_eq!(survived.as_ref(), if cut == written { Some(&new) } else { before.as_ref() }, "{cut}");
            retained.store(&new, &[]).unwrap();
            assert_eq!(Retained::new(&bytes).load(), Ok(Some(new.as_slice())));
        }
        put_back(&power);
        Retained::new(&bytes).store(&new, &[]).unwrap();
        before = Some(new);
    }
}

/// The interrupted byte holds anything.
#[test]
fn retained_memory_survives_a_torn_byte() {
    let power = Power::default();
    let story = snapshots(3);
    for cut in 0..story[2].len() + 13 {
        for torn in 0..=u8::MAX {
            let bytes = memory((0..Retained::BYTES).map(|_| 0), &power);
            power.cut_after(None);
            let mut retained = Retained::new(&bytes);
            retained.store(&story[0], &[]).unwrap();
            retained.store(&story[1], &[]).unwrap();
            power.cut_after(Some(cut));
            retained.store(&story[2], &[]).unwrap();
            // In the order of writing: the mark, the rest of the first slot, the mark.
            bytes[if cut > story[2].len() + 11 { 0 } else { cut }].value.set(torn);
            let survived = Retained::new(&bytes).load().unwrap().map(<[u8]>::to_vec);
            let is_new = survived.as_ref() == Some(&story[2]);
            assert!(is_new || survived.as_ref() == Some(&story[1]), "cut after {cut}, {torn}");
        }
    }
}

/// Whichever bit of a slot is damaged, the other slot is loaded.
#[test]
fn retained_memory_detects_every_flipped_bit() {
    let power = Power::default();
    let story = snapshots(2);
    let bytes = memory((0..Retained::BYTES).map(|_| 0), &power);
    let mut retained = Retained::new(&bytes);
    story.iter().for_each(|snapshot| retained.store(snapshot, &[]).unwrap());
    for byte in &bytes[Retained::BYTES / 2..][..story[1].len() + 12] {
        for bit in 0..8 {
            byte.value.set(byte.get() ^ 1 << bit);
            assert_eq!(Retained::new(&bytes).load(), Ok(Some(story[0].as_slice())));
            byte.value.set(byte.get() ^ 1 << bit);
        }
    }
    assert_eq!(Retained::new(&bytes).load(), Ok(Some(story[1].as_slice())));
}

#[test]
fn memory_after_power_on_holds_nothing() {
    let power = Power::default();
    for seed in 0..200 {
        power.seed.set(seed << 32 | 0x9E37_79B9);
        let bytes = memory((0..Retained::BYTES).map(|_| power.random()), &power);
        assert_eq!(Retained::new(&bytes).load(), Ok(None));
    }
    for byte in [0, 0xA5, 0xFF] {
        let bytes = memory((0..Retained::BYTES).map(|_| byte), &power);
        assert_eq!(Retained::new(&bytes).load(), Ok(None));
    }
}

#[test]
fn retained_memory_rejects_a_snapshot_that_is_too_long_and_keeps_the_old_one() {
    let power = Power::default();
    let story = snapshots(9);
    let bytes = memory((0..2 * (story[0].len() + 12)).map(|_| 0), &power);
    let mut retained = Retained::new(&bytes);
    retained.store(&story[0], &[]).unwrap();
    assert_eq!(retained.store(&story[8], &[]), Err(TooLongError));
    assert_eq!(retained.load(), Ok(Some(story[0].as_slice())));
    let nothing: [Byte; 0] = [];
    assert_eq!(Retained::new(&nothing).load(), Ok(None));
    assert_eq!(Retained::new(&nothing).store(&story[0], &[]), Err(TooLongError));
}
