//! Repeated power cuts on flash with unknown contents: the latest complete snapshot or a newer one is always loaded.

use super::medium::{Nor, Torn, seal};
use firmware::storage::{Flash, MAX_SNAPSHOT, Storage};

type Board<const WORD: usize, const PAGE: usize> = Flash<Nor<WORD, PAGE>>;

/// Stores one snapshot after another, most of them with too little power.
fn store_with_cuts<const WORD: usize, const PAGE: usize>(pages: usize, torn: Torn, seed: u64) {
    let mut flash = Nor::<WORD, PAGE>::new(pages, torn);
    flash.power.seed.set(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let power = flash.power.clone();
    let random = || usize::from(power.random()) << 8 | usize::from(power.random());
    if !seed.is_multiple_of(4) {
        // The device ran another program before.
        flash.bytes.iter_mut().for_each(|byte| *byte = power.random());
    }
    let start = |flash: &Nor<WORD, PAGE>| -> Board<WORD, PAGE> {
        Flash::new(flash.clone(), 0..flash.bytes.len() as u32).unwrap()
    };
    let mut newest = None;
    for number in 0..30_u8 {
        // Two of the longest do not fit into a page of 512 bytes.
        let length = if random() % 2 == 0 { MAX_SNAPSHOT } else { 1 + random() % MAX_SNAPSHOT };
        let mut snapshot = vec![power.random(); length];
        snapshot[0] = number;
        let snapshot = seal(snapshot);
        let has_power = random() % 3 == 0;
        power.cut_after((!has_power).then(|| random() % (PAGE * pages / 2 + length)));
        let mut board = start(&flash);
        let is_stored = board.store(&snapshot, &[]).is_ok();
        assert!(is_stored || power.ran_out());
        flash = board.flash().clone();
        let mut allowed = if is_stored { vec![Some(snapshot)] } else { vec![newest.take(), Some(snapshot)] };
        // Loads with too little power for a repair, and then with enough.
        for power_for in [Some(random() % (2 * PAGE)), None] {
            power.cut_after(power_for);
            let mut board = start(&flash);
            match board.load().map(|found| found.map(<[u8]>::to_vec)) {
                Ok(found) => {
                    assert!(allowed.contains(&found), "{torn:?}, {seed}: {found:?} is none of {allowed:?}");
                    // From now on only this one may be loaded.
                    allowed = vec![found];
                }
                Err(_) => assert!(power.ran_out(), "{torn:?}, {seed}: nothing is loaded although there is power"),
            }
            flash = board.flash().clone();
        }
        newest = allowed.remove(0);
    }
}

fn survives_many_cuts<const WORD: usize, const PAGE: usize>(pages: usize) {
    for seed in 0..120 {
        store_with_cuts::<WORD, PAGE>(pages, Torn::SomeBits, seed);
        store_with_cuts::<WORD, PAGE>(pages, Torn::Anything, seed);
    }
}

#[test]
fn flash_of_words_survives_many_cuts() {
    survives_many_cuts::<4, 1024>(4);
    survives_many_cuts::<4, 512>(6);
    survives_many_cuts::<8, 512>(4);
}

/// Flash like the Pico's: the first byte of the next item completes one of 256 torn headers.
#[test]
fn flash_of_single_bytes_survives_many_cuts() {
    survives_many_cuts::<1, 512>(4);
    survives_many_cuts::<1, 1024>(8);
}
