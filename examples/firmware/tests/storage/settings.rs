//! Settings beside snapshots: they come and go together, whatever happens to the power.

use super::medium::{Byte, Nor, Power, Torn, memory, seal};
use super::snapshot_store::{CountingStorage, Device};
use super::{execute, secs, set};
use firmware::storage::{Flash, MAX_SNAPSHOT, Retained, RetainedByte, SnapshotStore, Storage};
use firmware::{MAX_SETTINGS, Setting, Settings, SettingsFull};
use presence_core::{Command, Duration, Presence};

type Pair = (Vec<u8>, Vec<u8>);

/// A snapshot and settings: both differ from those of every other number, and some of them are as long as they may be.
fn pair(number: usize) -> Pair {
    let length = if number.is_multiple_of(4) { MAX_SETTINGS } else { number * 7 % 20 };
    (seal(vec![number as u8 + 1; 30 + number * 11 % (MAX_SNAPSHOT - 30)]), vec![number as u8; length])
}

fn loaded<M: Storage>(medium: &mut M) -> Option<Pair> {
    let snapshot = medium.load().unwrap().map(<[u8]>::to_vec)?;
    // None is the same as empty ones.
    Some((snapshot, medium.load_settings().unwrap().unwrap_or_default().to_vec()))
}

fn restart<const WORD: usize>(flash: &Nor<WORD, 1024>) -> Flash<Nor<WORD, 1024>> {
    flash.power.cut_after(None);
    Flash::new(flash.clone(), 0..flash.bytes.len() as u32).unwrap()
}

/// The power is cut after every byte of a write, and after some bytes of the next one.
fn survive_every_cut<const WORD: usize>(torn: Torn) {
    let mut flash = Nor::<WORD, 1024>::new(4, torn);
    for number in 0..24_usize {
        let before = number.checked_sub(1).map(pair);
        let (snapshot, settings) = pair(number);
        let mut complete = restart(&flash);
        complete.store(&snapshot, &settings).unwrap();
        assert_eq!(loaded(&mut restart(complete.flash())), Some(pair(number)));
        for cut in 0..complete.flash().power.used.get() {
            let mut board = restart(&flash);
            board.flash().power.seed.set((number * 10_007 + cut) as u64 * 0x9E37_79B9);
            board.flash().power.cut_after(Some(cut));
            assert!(board.store(&snapshot, &settings).is_err(), "no power for this");
            let mut board = restart(board.flash());
            let survived = loaded(&mut board);
            assert!(survived == before || survived == Some(pair(number)), "{number}: cut after {cut}");
            if cut % 13 == 0 {
                // With settings as before, which the half that is written may not have any more.
                let (_, kept) = survived.unwrap_or_default();
                board.store(&pair(100).0, &kept).unwrap();
                assert_eq!(loaded(&mut restart(board.flash())), Some((pair(100).0, kept)), "{number}: after {cut}");
            }
        }
        flash = complete.flash().clone();
    }
}

#[test]
fn flash_keeps_snapshot_and_settings_together_at_every_cut() {
    survive_every_cut::<4>(Torn::SomeBits);
    survive_every_cut::<1>(Torn::Anything);
}

/// Flash that is worn reports a write that it has not made. Whichever it is: what counts as stored is there, settings included, and
/// otherwise what was there before.
#[test]
fn a_write_that_flash_only_reports_is_noticed() {
    let mut flash = Nor::<4, 1024>::new(4, Torn::SomeBits);
    let mut lost = 0;
    for number in 0..16_usize {
        let before = number.checked_sub(1).map(pair);
        let (snapshot, settings) = pair(number);
        for writes in 0.. {
            let mut board = restart(&flash);
            board.flash().power.loses.set(Some(writes));
            let is_stored = board.store(&snapshot, &settings).is_ok();
            let has_lost = board.flash().power.loses.replace(None).is_none();
            let now = loaded(&mut restart(board.flash()));
            assert!(now == Some(pair(number)) || !is_stored && now == before, "{number}: write {writes}, {is_stored}");
            if !has_lost {
                break;
            }
            lost += 1;
        }
        let mut board = restart(&flash);
        board.store(&snapshot, &settings).unwrap();
        flash = board.flash().clone();
    }
    assert!(lost > 60, "{lost}");
}

#[test]
fn retained_memory_keeps_snapshot_and_settings_together_at_every_cut() {
    let power = Power::default();
    let bytes = memory((0..Retained::BYTES).map(|_| 0xFF), &power);
    for number in 0..40_usize {
        let before = number.checked_sub(1).map(pair);
        let (snapshot, settings) = pair(number);
        let start: Vec<u8> = bytes.iter().map(RetainedByte::get).collect();
        for cut in 0..snapshot.len() + settings.len() + 13 {
            power.cut_after(Some(cut));
            Retained::new(&bytes).store(&snapshot, &settings).unwrap();
            power.cut_after(None);
            assert_eq!(loaded(&mut Retained::new(&bytes)), before, "{number}: cut after {cut}");
            bytes.iter().zip(&start).for_each(|(byte, old)| byte.value.set(*old));
        }
        Retained::new(&bytes).store(&snapshot, &settings).unwrap();
        assert_eq!(loaded(&mut Retained::new(&bytes)), Some(pair(number)));
    }
}

/// Settings that stay the same are not written again, and so wear nothing but a page that is erased anyway.
#[test]
fn settings_cost_nothing_while_they_stay_the_same() {
    let erasures = |settings: &[u8]| {
        let mut board = restart(&Nor::<4, 1024>::new(8, Torn::SomeBits));
        (0..4000_usize).for_each(|number| board.store(&seal(vec![number as u8; 240]), settings).unwrap());
        board.flash().erasures.iter().sum::<u32>()
    };
    let (without, with) = (erasures(&[]), erasures(&[1, 1, 9, 2, 1, 7, 4, 2, 1, 0, 5, 4, 1, 2, 3, 4]));
    assert!(with <= without + without / 100, "{with} instead of {without}");
}

fn bytes_of(settings: &Settings) -> Vec<u8> {
    settings.as_bytes().to_vec()
}

/// Whatever newer firmware stored stays, in its place, when this firmware sets what it knows.
#[test]
fn settings_of_newer_firmware_are_kept() {
    // A setting of no value, one with a long one, one that is known, with a longer value than here.
    let stored = [200, 0, 201, 3, 1, 2, 3, Setting::Palette as u8, 2, 8, 8];
    let mut settings = Settings::read(&stored).unwrap();
    assert_eq!(settings.get::<1>(Setting::Palette), None, "of another length");
    settings.set(Setting::Brightness, &[40]).unwrap();
    assert_eq!(bytes_of(&settings), [&stored[..], &[Setting::Brightness as u8, 1, 40]].concat());
    settings.set(Setting::Palette, &[3]).unwrap();
    settings.set(Setting::Brightness, &[41]).unwrap();
    let palette = Setting::Palette as u8;
    assert_eq!(bytes_of(&settings), [200, 0, 201, 3, 1, 2, 3, palette, 1, 3, Setting::Brightness as u8, 1, 41]);
    assert_eq!((settings.get(Setting::Palette), settings.get(Setting::Brightness)), (Some([3]), Some([41])));
    assert_eq!(settings.get::<2>(Setting::Leds), None);
    // In the storage they stay, too.
    let mut device = Device::start(CountingStorage::default(), secs(0), None);
    device.settings = settings.clone();
    assert!(device.update(secs(1000), None), "a setting is worth a write");
    assert!(!device.update(secs(2000), None), "and not a second one");
    assert_eq!(device.restart(None).settings, settings);
}

/// Every truncation, and every byte replaced by every other: read as settings that are stored again as they are, or not at all.
#[test]
fn bytes_that_are_no_settings_are_none() {
    let stored = [1, 1, 96, 77, 2, 0, 0, 4, 2, 1, 0];
    for end in 0..=stored.len() {
        assert_eq!(Settings::read(&stored[..end]).is_some(), [0, 3, 7, 11].contains(&end), "{end}");
    }
    for at in 0..stored.len() {
        for byte in 0..=u8::MAX {
            let mut bytes = stored;
            bytes[at] = byte;
            if let Some(settings) = Settings::read(&bytes) {
                assert_eq!(settings.as_bytes(), bytes);
            }
        }
    }
    assert!(Settings::read(&[9; MAX_SETTINGS + 1]).is_none());
    let device = |settings| {
        Device::start(CountingStorage { newest: Some(seal(vec![2])), settings, ..<_>::default() }, secs(0), None)
    };
    assert_eq!(device(vec![1, 2, 3]).settings, Settings::new());
    assert_eq!(device(vec![1, 1, 3]).settings.get(Setting::Brightness), Some([3]));
}

#[test]
fn settings_that_do_not_fit_change_nothing() {
    let full = [&[99, MAX_SETTINGS as u8 - 5][..], &[7; MAX_SETTINGS - 5], &[Setting::Brightness as u8, 1, 9]].concat();
    let mut settings = Settings::read(&full).unwrap();
    assert_eq!(settings.set(Setting::Palette, &[1]), Err(SettingsFull));
    assert_eq!(settings.as_bytes(), full);
    settings.set(Setting::Brightness, &[8]).unwrap();
    assert_eq!(settings.get(Setting::Brightness), Some([8]), "in place of the old value");
    assert_eq!(Settings::new().set(Setting::Leds, &[0; 300]), Err(SettingsFull));
}

/// Fills flash of which no page is blank, and erases all of it, whatever it held.
#[test]
fn erasing_leaves_no_byte_of_flash() {
    for stores in [0, 1, 2, 3, 40, 200] {
        let mut board = restart(&Nor::<4, 1024>::new(8, Torn::SomeBits));
        for number in 0..stores {
            board.store(&pair(number).0, &pair(number).1).unwrap();
        }
        let used = board.flash().bytes.chunks(1024).filter(|page| page.iter().any(|byte| *byte != 0xFF)).count();
        let before: u32 = board.flash().erasures.iter().sum();
        assert_eq!(board.erase().unwrap(), stores > 0);
        assert!(board.flash().bytes.iter().all(|byte| *byte == 0xFF), "{stores}");
        let erased = board.flash().erasures.iter().sum::<u32>() - before;
        assert_eq!(erased as usize, used, "only pages that are not blank");
        assert!(!board.erase().unwrap(), "there is nothing any more");
        assert_eq!(board.flash().erasures.iter().sum::<u32>() - before, erased);
        assert_eq!(loaded(&mut restart(board.flash())), None);
        board.store(&pair(1).0, &pair(1).1).unwrap();
        assert_eq!(loaded(&mut restart(board.flash())), Some(pair(1)));
    }
    // Another program's, too.
    let mut flash = Nor::<4, 1024>::new(4, Torn::SomeBits);
    flash.bytes.fill(0x5A);
    let mut board = restart(&flash);
    assert!(board.erase().unwrap());
    assert!(board.flash().bytes.iter().all(|byte| *byte == 0xFF));
}

#[test]
fn erasing_leaves_no_byte_of_retained_memory() {
    let bytes = memory((0..Retained::BYTES).map(|at| at as u8), &Power::default());
    assert_eq!(Retained::new(&bytes).erase(), Ok(true));
    assert!(bytes.iter().all(|byte: &Byte| byte.get() == 0));
    assert_eq!((Retained::new(&bytes).erase(), loaded(&mut Retained::new(&bytes))), (Ok(false), None));
}

/// Without power in the middle, an erasure is an error; what is loaded afterwards was there before.
#[test]
fn an_erasure_that_is_cut_is_an_error() {
    let mut flash = Nor::<4, 1024>::new(8, Torn::SomeBits);
    for number in 0..60 {
        let mut board = restart(&flash);
        board.store(&pair(number).0, &pair(number).1).unwrap();
        flash = board.flash().clone();
    }
    for cut in (0..8 * 1024).step_by(97) {
        let mut board = restart(&flash);
        board.flash().power.cut_after(Some(cut));
        let erased = board.erase();
        assert_eq!(erased.is_err(), board.flash().power.ran_out(), "{cut}: {erased:?}");
        let mut board = restart(board.flash());
        // Some of the pages are blank, and some are not.
        if let Some((snapshot, settings)) = loaded(&mut board) {
            assert!((0..60).any(|number| snapshot == pair(number).0), "{cut}");
            assert!(settings.is_empty() || (0..60).any(|number| settings == pair(number).1), "{cut}");
        }
        // What is left may be blank already.
        let is_blank = board.flash().bytes.iter().all(|byte| *byte == 0xFF);
        assert_eq!(board.erase().unwrap(), !is_blank);
        assert!(board.flash().bytes.iter().all(|byte| *byte == 0xFF));
    }
}

/// A device that forgets, as the main loop does it.
fn forget(device: &mut Device, now: u64) -> Result<(), ()> {
    (device.user, device.settings, device.now) = (<_>::default(), Settings::new(), secs(now));
    device.snapshots.forget(device.user.at(secs(now)).unwrap(), &device.settings)
}

#[test]
fn after_forgetting_nothing_is_written_until_something_changes() {
    let mut device = Device::start(CountingStorage::default(), secs(0), None);
    device.settings.set(Setting::Brightness, &[9]).unwrap();
    assert!(device.update(secs(100), set(1, Presence::Busy, 60)));
    forget(&mut device, 200).unwrap();
    assert_eq!(device.snapshots.storage().newest, None);
    assert_eq!(device.snapshots.next_save_at(), None);
    assert!(!device.update(secs(5000), None));
    let again = device.restart(None);
    assert_eq!((again.user.absence(), again.settings), (Some(presence_core::Absence::NeverSeen), Settings::new()));
    // The next change is written at once.
    let mut device = Device::start(CountingStorage::default(), secs(0), None);
    forget(&mut device, 200).unwrap();
    assert!(device.update(secs(201), set(1, Presence::Busy, 60)));
}

/// A snapshot of newer firmware is left alone, unless everything is to be forgotten.
#[test]
fn newer_firmwares_snapshot_is_forgotten_too() {
    let newest = Some(seal(vec![2; 60]));
    let mut device = Device::start(CountingStorage { newest, ..<_>::default() }, secs(0), None);
    assert!(!device.update(secs(100), set(1, Presence::Busy, 60)));
    forget(&mut device, 200).unwrap();
    assert_eq!(device.snapshots.storage().newest, None);
    assert!(device.update(secs(300), set(1, Presence::Busy, 60)), "and from now on it is written");
}

#[test]
fn a_storage_that_cannot_be_erased_is_written_over() {
    let mut device = Device::start(CountingStorage::default(), secs(0), None);
    device.update(secs(100), set(1, Presence::Busy, 60));
    device.snapshots.storage().fails = true;
    assert_eq!(forget(&mut device, 200), Err(()));
    device.snapshots.storage().fails = false;
    let at = device.snapshots.next_save_at().unwrap();
    assert!(at <= secs(200));
    assert!(device.update(secs(200), None));
    assert_eq!(device.restart(Some(Duration::ZERO)).user.absence(), Some(presence_core::Absence::NeverSeen));
}

/// A host that sets something and lets the device forget it, without end: it always forgets at once, and flash lasts as long as
/// with any other host, because what is set waits.
#[test]
fn a_host_that_forgets_without_end_wears_flash_out_no_sooner() {
    const DAYS: u32 = 40;
    let mut snapshots = SnapshotStore::new(restart(&Nor::<4, 1024>::new(8, Torn::SomeBits)));
    let mut writes = 0;
    for step in 0..u64::from(DAYS) * 24 * 60 {
        let now = secs(60 * step);
        let mut user = <_>::default();
        execute(&mut user, now, set(1, Presence::Busy, 60));
        execute(&mut user, now, Some(Command::ClearPreferredPresence));
        writes += u32::from(snapshots.save(user.at(now).unwrap(), &Settings::new()).unwrap());
        let forgotten = <_>::default();
        snapshots.forget(super::DeviceUser::at(&forgotten, now).unwrap(), &Settings::new()).unwrap();
        assert!(snapshots.storage().flash().bytes.iter().all(|byte| *byte == 0xFF));
    }
    let most = *snapshots.storage().flash().erasures.iter().max().unwrap();
    // 20,000 erasures are thirteen years of 365 days: 4.2 a day.
    assert!(most <= DAYS * 42 / 10 + 2, "{most} erasures of a page in {DAYS} days");
    assert!(writes >= 3 * DAYS, "{writes}: it is still written now and then");
}
