//! Which differences between the stored user and the current one are written: of any of eight sessions, in either direction.

use super::medium::{Nor, Torn, memory, seal};
use super::snapshot_store::{CountingStorage, Device, MAX_STALENESS};
use super::{DeviceUser, application, execute, secs, set};
use firmware::storage::{Flash, Retained, SnapshotStore, Storage};
use firmware::{CAPACITY, Settings};
use presence_core::{Absence, Command, Duration, Instant, Presence, SessionId};

/// A deadline that all sessions have at first.
const DEADLINE: u64 = 10 * 3600;

/// Sets a session, with a deadline in milliseconds.
fn until(number: usize, presence: Presence, now: Instant, millis: u64) -> Option<Command<SessionId>> {
    let lease = Some(Duration::from_millis(millis - now.as_millis()));
    Some(Command::SetPresence { session: application(number as u8), presence, lease })
}

/// A device with eight sessions that is saved: the first is published, and so no change of another one is visible.
fn saved() -> Device {
    let mut device = Device::start(CountingStorage::default(), secs(0), None);
    let now = secs(100);
    for number in (0..CAPACITY).rev() {
        let presence = if number == 0 { Presence::Presenting } else { Presence::InACall };
        device.update(now, until(number, presence, now, DEADLINE * 1000));
    }
    device.update(secs(110), None);
    assert_eq!(device.snapshots.next_save_at(), None, "everything is saved");
    device
}

/// How far deadlines move, in milliseconds, and whether that is too far: less than the staleness, as much, and more.
const SHIFTS: [(i64, bool); 9] = {
    const LIMIT: i64 = MAX_STALENESS as i64 * 1000;
    [
        (0, false),
        (1, false),
        (-1, false),
        (LIMIT, false),
        (-LIMIT, false),
        (LIMIT + 1, true),
        (-LIMIT - 1, true),
        (2 * LIMIT, true),
        (-2 * LIMIT, true),
    ]
};

#[test]
fn a_lease_of_any_session_is_written_when_it_is_longer_or_shorter_by_more_than_the_staleness() {
    let now = secs(200);
    for number in 0..CAPACITY {
        for (shift, is_written) in SHIFTS {
            let mut device = saved();
            let presence = if number == 0 { Presence::Presenting } else { Presence::InACall };
            let deadline = (DEADLINE * 1000).checked_add_signed(shift).unwrap();
            assert_eq!(device.update(now, until(number, presence, now, deadline)), is_written, "{number}: {shift} ms");
        }
    }
}

#[test]
fn a_preferred_presence_is_written_when_it_ends_later_or_earlier_by_more_than_the_staleness() {
    let prefer = |presence, millis| {
        let duration = Some(Duration::from_millis(millis));
        Some(Command::SetPreferredPresence { presence, duration })
    };
    for (shift, is_written) in SHIFTS {
        let mut device = saved();
        assert!(device.update(secs(200), prefer(Presence::Busy, DEADLINE * 1000)), "the first");
        // Ten seconds later, and until the same moment apart from the shift.
        let duration = ((DEADLINE - 10) * 1000).checked_add_signed(shift).unwrap();
        assert_eq!(device.update(secs(210), prefer(Presence::Busy, duration)), is_written, "{shift} ms");
    }
    let mut device = saved();
    assert!(device.update(secs(200), prefer(Presence::Away, DEADLINE * 1000)));
    let version = device.user.version();
    assert!(device.update(secs(210), prefer(Presence::OffWork, (DEADLINE - 10) * 1000)), "another one");
    assert!(device.update(secs(1220), Some(Command::ClearPreferredPresence)), "none any more");
    assert!(device.user.version() > version);
}

/// The number, the ids and the presences of sessions that are not published.
#[test]
fn a_hidden_session_is_written_when_it_starts_ends_or_changes() {
    let now = secs(200);
    for number in 1..CAPACITY {
        let version = saved().user.version();
        let mut device = saved();
        assert!(device.update(now, until(number, Presence::Busy, now, DEADLINE * 1000)), "{number}: another presence");
        let mut device = saved();
        let clear = Some(Command::ClearPresence { session: application(number as u8) });
        assert!(device.update(now, clear), "{number}: one less");
        let another = until(CAPACITY, Presence::InACall, now, DEADLINE * 1000);
        assert!(device.update(secs(210), another), "{number}: one more");
        // One for another, with nothing written in between.
        let mut device = saved();
        execute(&mut device.user, now, clear);
        assert!(device.update(now, another), "{number}: another id");
        assert_eq!(device.user.version(), version, "nothing of this is visible");
    }
}

/// The moments at which the store asks to be called: at each there is something to write, and there was not just before.
#[test]
fn it_asks_for_the_moment_at_which_it_writes() {
    let millis = |at: Instant| at.as_millis();
    let mut device = saved();
    let mut asked = 0;
    for number in 0..200_u64 {
        let Some(at) = device.snapshots.next_save_at() else {
            let now = device.now.saturating_add(Duration::from_secs(1 + number % 7));
            let presence = if number % 2 == 0 { Presence::InACall } else { Presence::Busy };
            device.update(now, until(1 + number as usize % 7, presence, now, millis(now) + DEADLINE * 1000));
            continue;
        };
        asked += 1;
        assert!(at > device.now);
        assert!(!device.update(Instant::from_millis(millis(at) - 1), None), "{number}: too early");
        assert!(device.update(at, None), "{number}: on time");
    }
    assert!(asked > 50, "{asked}");
}

/// Tries that fail wear the medium, too.
#[test]
fn writes_that_fail_use_up_the_budget() {
    let mut device = saved();
    device.snapshots.storage().fails = true;
    let before = device.snapshots.storage().tries;
    for number in 0..400_u64 {
        let now = secs(1000 + 10 * number);
        let presence = if number % 2 == 0 { Presence::Busy } else { Presence::Away };
        device.update(now, until(0, presence, now, 1000 * DEADLINE));
    }
    let tries = device.snapshots.storage().tries - before;
    assert_eq!(tries, 27, "as many as the growing pauses allow in 67 minutes, after three writes before");
}

/// The user is unknown then, and what is saved next is loaded again.
#[test]
fn a_failed_load_is_no_news_and_the_next_save_mends_it() {
    let mut device = Device::start(CountingStorage { fails: true, ..CountingStorage::default() }, secs(0), None);
    assert_eq!((device.user.absence(), device.user.version()), (Some(Absence::Lost), 0));
    device.snapshots.storage().fails = false;
    assert!(device.update(secs(20), set(1, Presence::Busy, 60)));
    assert_eq!(device.restart(Some(Duration::ZERO)).user.presence(), Presence::Busy);
}

/// Days of changes on a medium that holds a snapshot of newer firmware.
fn leaves_newer_format_alone<M: Storage>(snapshots: &mut SnapshotStore<M>, elapsed: Option<Duration>) {
    let mut user: DeviceUser = snapshots.restore(secs(0), elapsed);
    assert_eq!(user.absence(), Some(Absence::Lost), "no news (A5)");
    for step in 0..300_u64 {
        let now = secs(step * 777);
        execute(&mut user, now, set((step % 8) as u8, Presence::ALL[9 + step as usize % 5], 60));
        assert!(matches!(snapshots.save(user.at(now).unwrap(), &Settings::new()), Ok(false)), "{step}");
        assert_eq!(snapshots.next_save_at(), None);
    }
}

/// A downgrade and a later upgrade lose nothing, whatever is known of the time between, on any medium.
#[test]
fn a_snapshot_of_newer_firmware_is_never_overwritten() {
    let newer = seal(vec![200, 1, 2, 3, 0, 0, 0, 0]);
    for elapsed in [None, Some(Duration::ZERO), Some(Duration::from_days(3))] {
        let mut flash = Nor::<4, 1024>::new(4, Torn::SomeBits);
        flash.store_item(true, 7, &newer);
        let before = flash.bytes.clone();
        let mut snapshots = SnapshotStore::new(Flash::new(flash, 0..4096).unwrap());
        leaves_newer_format_alone(&mut snapshots, elapsed);
        assert_eq!(snapshots.storage().flash().bytes, before);

        let memory = memory((0..Retained::BYTES).map(|_| 0), &super::medium::Power::default());
        Retained::new(&memory).store(&newer, &[]).unwrap();
        leaves_newer_format_alone(&mut SnapshotStore::new(Retained::new(&memory)), elapsed);
        assert_eq!(Retained::new(&memory).load(), Ok(Some(newer.as_slice())));
    }
}

/// Versions that cannot grow any more: changes are written all the same, and restarts go on.
#[test]
fn at_the_end_of_versions_changes_are_written() {
    let mut device = saved();
    device.user = DeviceUser::with_version(u64::MAX - 1);
    device.update(secs(300), None);
    for number in 0..CAPACITY as u8 {
        let now = secs(1200 + 900 * u64::from(number));
        assert!(device.update(now, set(number, Presence::Busy, 600)), "{number}");
    }
    assert_eq!(device.user.version(), u64::MAX);
    let now = device.now.saturating_add(Duration::from_secs(900));
    assert!(device.update(now, set(3, Presence::InACall, 120)), "visible, and no other version");
    assert_eq!(device.user.version(), u64::MAX);
    let mut device = device.restart(Some(Duration::ZERO));
    assert_eq!((device.user.presence(), device.user.version()), (Presence::InACall, u64::MAX));
    assert!(device.update(secs(20), Some(Command::ClearPresence { session: application(3) })));
}
