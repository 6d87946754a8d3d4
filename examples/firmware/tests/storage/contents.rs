//! What a medium may hold: sequence numbers that wrap, and items that are no snapshots.

use super::medium::{Byte, Nor, Power, Torn, checksum, memory, seal};
use firmware::storage::{Flash, Retained, RetainedByte, Storage};

const START: [u32; 9] =
    [0, 1, i32::MAX as u32 - 1, i32::MAX as u32, 1 << 31, u32::MAX - 2, u32::MAX - 1, u32::MAX, 0x1234_5678];

fn snapshot(number: u8) -> Vec<u8> {
    seal(vec![number; 200])
}

/// Stores twenty snapshots, with a restart after each, and finds each.
fn keeps_what_is_stored<M: Storage>(mut restart: impl FnMut(Option<M>) -> M) {
    let mut medium = restart(None);
    for number in 100..120 {
        medium.store(&snapshot(number), &[]).unwrap();
        medium = restart(Some(medium));
        assert_eq!(medium.load().unwrap(), Some(snapshot(number).as_slice()), "{number}");
    }
}

fn flash(contents: &Nor<4, 1024>) -> Flash<Nor<4, 1024>> {
    Flash::new(contents.clone(), 0..4096).unwrap()
}

fn restart_from(contents: &Nor<4, 1024>) -> impl FnMut(Option<Flash<Nor<4, 1024>>>) -> Flash<Nor<4, 1024>> {
    |before| flash(before.map(|mut board| board.flash().clone()).as_ref().unwrap_or(contents))
}

#[test]
fn flash_keeps_what_is_stored_when_sequence_numbers_wrap() {
    for start in START {
        for is_second in [false, true] {
            let mut contents = Nor::new(4, Torn::SomeBits);
            contents.store_item(is_second, start, &snapshot(1));
            assert_eq!(flash(&contents).load().unwrap(), Some(snapshot(1).as_slice()), "{start}");
            keeps_what_is_stored(restart_from(&contents));
            // The one that follows is in the other half already.
            contents.store_item(!is_second, start.wrapping_add(1), &snapshot(2));
            assert_eq!(flash(&contents).load().unwrap(), Some(snapshot(2).as_slice()), "{start}");
            keeps_what_is_stored(restart_from(&contents));
        }
    }
}

/// Items of the same form, of another program or of firmware with another user, whatever their sequence number.
#[test]
fn flash_takes_what_is_no_snapshot_for_nothing() {
    let mut damaged = snapshot(9);
    damaged[7] ^= 1;
    for content in [vec![], vec![0; 20], vec![0xFF; 20], damaged, snapshot(9)[..150].to_vec(), b"settings".to_vec()] {
        for (number, is_second) in [0, 8, u32::MAX].into_iter().flat_map(|number| [(number, false), (number, true)]) {
            let mut contents = Nor::new(4, Torn::SomeBits);
            contents.store_item(is_second, number, &content);
            assert_eq!(flash(&contents).load().unwrap(), None, "{content:?}");
            keeps_what_is_stored(restart_from(&contents));
            contents.store_item(!is_second, 7, &snapshot(1));
            let mut board = flash(&contents);
            assert_eq!(board.load().unwrap(), Some(snapshot(1).as_slice()), "{content:?}");
            keeps_what_is_stored(restart_from(&contents));
            // The snapshot stays while the next one is written over what is none.
            board.flash().power.cut_after(Some(30));
            assert!(board.store(&snapshot(2), &[]).is_err());
            board.flash().power.cut_after(None);
            assert_eq!(flash(&board.flash().clone()).load().unwrap(), Some(snapshot(1).as_slice()), "{content:?}");
        }
    }
}

/// Writes a complete slot of retained memory: mark, checksum, sequence number, lengths, content without settings.
fn write_slot(cells: &[Byte], sequence: u32, content: &[u8]) {
    let covered = [&sequence.to_le_bytes()[..], &(content.len() as u16).to_le_bytes(), &[0], content].concat();
    let slot = [&[0xA5][..], &checksum(&covered).to_le_bytes(), &covered].concat();
    cells.iter().zip(slot).for_each(|(cell, byte)| cell.set(byte));
}

#[test]
fn retained_memory_wraps_its_sequence_numbers_and_takes_what_is_no_snapshot_for_nothing() {
    let power = Power::default();
    for (start, is_second) in START.into_iter().flat_map(|start| [(start, false), (start, true)]) {
        let cells = memory((0..Retained::BYTES).map(|_| 0), &power);
        let (first, second) = cells.split_at(Retained::BYTES / 2);
        let (one, other) = if is_second { (second, first) } else { (first, second) };
        write_slot(one, start, &snapshot(1));
        assert_eq!(Retained::new(&cells).load(), Ok(Some(snapshot(1).as_slice())), "{start}");
        write_slot(other, start.wrapping_add(1), b"settings");
        assert_eq!(Retained::new(&cells).load(), Ok(Some(snapshot(1).as_slice())), "{start}");
        write_slot(other, start.wrapping_add(1), &snapshot(2));
        assert_eq!(Retained::new(&cells).load(), Ok(Some(snapshot(2).as_slice())), "{start}");
        keeps_what_is_stored(|_| Retained::new(&cells));
        write_slot(one, start, b"settings");
        write_slot(other, start.wrapping_add(1), b"settings");
        assert_eq!(Retained::new(&cells).load(), Ok(None));
        keeps_what_is_stored(|_| Retained::new(&cells));
    }
}

/// Of two snapshots with the same sequence number, which no firmware writes, the first is taken, and the other one is replaced.
#[test]
fn of_two_with_the_same_number_the_first_is_taken() {
    for number in START {
        let mut contents = Nor::new(4, Torn::SomeBits);
        contents.store_item(false, number, &snapshot(1));
        contents.store_item(true, number, &snapshot(2));
        let mut board = flash(&contents);
        assert_eq!(board.load().unwrap(), Some(snapshot(1).as_slice()));
        board.flash().power.cut_after(Some(20));
        assert!(board.store(&snapshot(3), &[]).is_err());
        board.flash().power.cut_after(None);
        assert_eq!(flash(&board.flash().clone()).load().unwrap(), Some(snapshot(1).as_slice()), "{number}");

        let cells = memory((0..Retained::BYTES).map(|_| 0), &Power::default());
        let (first, second) = cells.split_at(Retained::BYTES / 2);
        write_slot(first, number, &snapshot(1));
        write_slot(second, number, &snapshot(2));
        assert_eq!(Retained::new(&cells).load(), Ok(Some(snapshot(1).as_slice())));
        Retained::new(&cells).store(&snapshot(3), &[]).unwrap();
        first[0].set(0);
        assert_eq!(Retained::new(&cells).load(), Ok(Some(snapshot(3).as_slice())), "the second was replaced");
    }
}
