//! Wear of flash over years: the erasures of each page, counted.

use super::medium::{MIN_SNAPSHOT, Nor, Torn, seal};
use super::{DeviceUser, execute, set};
use firmware::storage::{Flash, MAX_SNAPSHOT, Storage};
use presence_core::{Command, Duration, Instant, Presence, snapshot};

/// The length that the README reckons with.
const LENGTH: usize = 240;

/// The time between two writes of a host that never stops.
const INTERVAL: Duration = Flash::<Nor<4, 1024>>::BUDGET.interval;

/// Returns how many whole years so many writes last.
fn years(writes: u64, interval: Duration) -> u64 {
    writes * interval.as_millis() / (Duration::from_days(1461).as_millis() / 4)
}

/// Stores so many snapshots, each of the length that follows from its number, and returns how often each page was erased.
fn erasures<const WORD: usize, const PAGE: usize>(
    pages: usize,
    writes: usize,
    length: impl Fn(usize) -> usize,
) -> Vec<u32> {
    let flash = Nor::<WORD, PAGE>::new(pages, Torn::SomeBits);
    let mut board = Flash::new(flash, 0..(pages * PAGE) as u32).unwrap();
    for number in 0..writes {
        board.store(&seal(vec![number as u8; length(number)]), &[]).unwrap();
    }
    board.flash().erasures.clone()
}

/// Checks that no page is erased more often than `most`, and that the pages of a half are erased in turn.
fn check(erasures: &[u32], most: usize, what: &str) {
    assert!(erasures.iter().all(|count| *count as usize <= most), "{what}: {erasures:?}, more than {most}");
    for half in erasures.chunks(erasures.len() / 2) {
        let (least, most) = (half.iter().min().unwrap(), half.iter().max().unwrap());
        assert!(most - least <= 1, "{what}: {erasures:?}");
    }
}

/// A write every half hour for 27 years, or every quarter of an hour for 13, because each page bears 20,000 erasures: a tenth of
/// that, nearly three years.
#[test]
fn a_microbit_bears_480_000_writes() {
    let erasures = erasures::<4, 1024>(8, 48_000, |_| LENGTH);
    check(&erasures, 2000, "all of one length");
    assert!(erasures.iter().all(|count| *count >= 1999), "no page is spared: {erasures:?}");
    assert_eq!([years(480_000, Flash::<Nor<4, 1024>>::MAX_STALENESS), years(480_000, INTERVAL)], [27, 13]);
}

/// Fifteen a page, on four pages that bear 100,000 erasures: a four-hundredth of that.
#[test]
fn a_pico_bears_six_million_writes() {
    let erasures = erasures::<1, 4096>(4, 15_000, |_| LENGTH);
    check(&erasures, 250, "all of one length");
    assert!(
        6_000_000 * Flash::<Nor<1, 4096>>::BUDGET.interval.as_millis() / Duration::from_days(366).as_millis() >= 170
    );
}

/// Whatever the lengths: the pages of a half are erased in turn, and none more often than with the longest throughout. Halves
/// may differ, as here, where one of them takes all long snapshots.
#[test]
fn the_pages_of_a_half_wear_alike_whatever_is_stored() {
    type Length = fn(usize) -> usize;
    let lengths: [(&str, Length); 4] = [
        ("long and short in turn", |number| if number % 2 == 0 { LENGTH } else { MIN_SNAPSHOT }),
        ("short and long in turn", |number| if number % 2 == 0 { MIN_SNAPSHOT } else { LENGTH }),
        ("longer and longer", |number| MIN_SNAPSHOT + number % (LENGTH - MIN_SNAPSHOT + 1)),
        ("any", |number| MIN_SNAPSHOT + number.wrapping_mul(0x9E37_79B9) / 7 % (LENGTH - MIN_SNAPSHOT + 1)),
    ];
    for (what, length) in lengths {
        check(&erasures::<4, 1024>(8, 7_200, length), 300, what);
        check(&erasures::<1, 4096>(4, 6_000, length), 100, what);
        check(&erasures::<4, 512>(6, 1_800, length), 300, what);
    }
}

/// Eight sessions of the longest leases, with fades ahead and a preferred presence, throughout three years.
#[test]
fn a_snapshot_of_eight_sessions_is_no_longer_than_reckoned_with() {
    let mut user = DeviceUser::new();
    let mut longest = 0;
    for step in 0..1000_u64 {
        let now = Instant::from_secs(4_294_667 + step * 96_000);
        for number in 0..8 {
            execute(&mut user, now, set(number, Presence::Available, 24 * 60 - u64::from(number)));
        }
        let presence = if step % 2 == 0 { Presence::Busy } else { Presence::DoNotDisturb };
        let duration = Some(Duration::from_days(366));
        execute(&mut user, now, Some(Command::SetPreferredPresence { presence, duration }));
        let later = now.saturating_add(Duration::from_secs(step % 290));
        let mut buffer = [0; MAX_SNAPSHOT];
        longest = longest.max(snapshot::save(user.at(later).unwrap(), &mut buffer).unwrap().len());
    }
    assert!((220..=LENGTH).contains(&longest), "{longest}");
}

/// The power is lost in the middle of a write, day after day: each time costs at most one erasure of a page more.
#[test]
fn a_power_cut_costs_one_erasure() {
    const DAYS: u32 = 200;
    let mut flash = Nor::<4, 1024>::new(8, Torn::SomeBits);
    let mut writes = 0_u32;
    for _ in 0..DAYS {
        let start = |flash: &Nor<4, 1024>| Flash::new(flash.clone(), 0..8192).unwrap();
        flash.power.cut_after(None);
        let mut board = start(&flash);
        for number in 0..97 {
            board.store(&seal(vec![number; LENGTH]), &[]).unwrap();
            writes += 1;
        }
        let power = &board.flash().power;
        power.cut_after(Some(usize::from(power.random()) % LENGTH));
        assert!(board.store(&seal(vec![200; LENGTH]), &[]).is_err());
        flash = board.flash().clone();
    }
    let most = *flash.erasures.iter().max().unwrap();
    assert!(most <= writes / 24 + DAYS, "{:?}", flash.erasures);
}
