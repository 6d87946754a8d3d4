//! Which changes are written, and which user is restored.

use super::medium::{Nor, Torn};
use super::{DeviceUser, application, execute, secs, set};
use firmware::Settings;
use firmware::storage::{Flash, Retained, SnapshotStore, Storage, WriteBudget};
use presence_core::{Absence, Command, Duration, Instant, Presence};
use std::sync::atomic::AtomicU8;

/// The amount by which revision and version grow over a gap of unknown length.
const VERSION_GAP: u64 = 65_536;

/// A storage that counts its writes, and fails on request. Its limits are those of flash.
#[derive(Debug, Default)]
pub(crate) struct CountingStorage {
    pub(crate) newest: Option<Vec<u8>>,
    pub(crate) settings: Vec<u8>,
    pub(crate) writes: usize,
    pub(crate) tries: usize,
    pub(crate) fails: bool,
}

pub(crate) const MAX_STALENESS: u64 = 30 * 60;
const MIN_INTERVAL: u64 = 10;
const BUDGET: WriteBudget = Flash::<Nor<4, 1024>>::BUDGET;

impl Storage for CountingStorage {
    type Error = ();

    const MAX_STALENESS: Duration = Duration::from_secs(MAX_STALENESS);
    const MIN_INTERVAL: Duration = Duration::from_secs(MIN_INTERVAL);
    const BUDGET: WriteBudget = BUDGET;

    fn load(&mut self) -> Result<Option<&[u8]>, ()> {
        if self.fails { Err(()) } else { Ok(self.newest.as_deref()) }
    }

    fn load_settings(&mut self) -> Result<Option<&[u8]>, ()> {
        if self.fails { Err(()) } else { Ok(self.newest.as_ref().map(|_| self.settings.as_slice())) }
    }

    fn store(&mut self, snapshot: &[u8], settings: &[u8]) -> Result<(), ()> {
        self.tries += 1;
        if self.fails {
            return Err(());
        }
        self.writes += 1;
        (self.newest, self.settings) = (Some(snapshot.to_vec()), settings.to_vec());
        Ok(())
    }

    fn erase(&mut self) -> Result<bool, ()> {
        if self.fails {
            return Err(());
        }
        self.settings.clear();
        Ok(self.newest.take().is_some())
    }
}

/// A device: the part of the main loop that concerns the user and its storage.
pub(crate) struct Device {
    pub(crate) user: DeviceUser,
    pub(crate) settings: Settings,
    pub(crate) snapshots: SnapshotStore<CountingStorage>,
    pub(crate) now: Instant,
}

impl Device {
    pub(crate) fn start(storage: CountingStorage, now: Instant, elapsed: Option<Duration>) -> Self {
        let mut snapshots = SnapshotStore::new(storage);
        let settings = snapshots.restore_settings();
        let user = snapshots.restore(now, elapsed);
        let mut device = Self { user, settings, snapshots, now };
        device.update(now, None);
        device
    }

    pub(crate) fn update(&mut self, now: Instant, command: Option<Command<presence_core::SessionId>>) -> bool {
        self.now = now;
        execute(&mut self.user, now, command);
        self.snapshots.save(self.user.at(now).unwrap(), &self.settings).unwrap_or(false)
    }

    /// Sleeps, waking for each deadline and each write.
    fn sleep(&mut self, until: Instant) {
        let wake_at =
            |device: &Self| device.user.next_deadline().into_iter().chain(device.snapshots.next_save_at()).min();
        while let Some(wake_at) = wake_at(self).filter(|at| *at <= until) {
            assert!(wake_at > self.now, "it would never sleep");
            self.update(wake_at, None);
        }
        self.now = until;
    }

    fn writes(&mut self) -> usize {
        self.snapshots.storage().writes
    }

    /// Restarts after a loss of power, with a new clock.
    pub(crate) fn restart(&mut self, elapsed: Option<Duration>) -> Self {
        Self::start(core::mem::take(self.snapshots.storage()), secs(0), elapsed)
    }
}

fn prefer(presence: Presence, mins: u64) -> Option<Command<presence_core::SessionId>> {
    Some(Command::SetPreferredPresence { presence, duration: Some(Duration::from_mins(mins)) })
}

fn new() -> Device {
    Device::start(CountingStorage::default(), secs(1000), None)
}

#[test]
fn a5_after_a_gap_of_unknown_length_there_is_no_news() {
    let mut device = new();
    device.update(secs(1100), set(1, Presence::InACall, 60));
    device.update(secs(1200), prefer(Presence::DoNotDisturb, 120));
    let version = device.user.version();
    let mut device = device.restart(None);
    assert_eq!((device.user.presence(), device.user.absence()), (Presence::Offline, Some(Absence::Lost)));
    let preferred = device.user.preferred().unwrap();
    assert_eq!((preferred.presence(), preferred.expires_at()), (Presence::DoNotDisturb, secs(7200)));
    assert_eq!(device.user.version(), version + VERSION_GAP);
    // It was saved before any change, so the next restart adds another gap.
    let device = device.restart(None);
    assert_eq!(device.user.version(), version + 2 * VERSION_GAP);
}

#[test]
fn s8_after_a_gap_of_known_length_sessions_continue() {
    let mut device = new();
    device.update(secs(1100), set(1, Presence::InACall, 60));
    let device = device.restart(Some(Duration::from_mins(10)));
    assert_eq!(device.user.presence(), Presence::InACall);
    assert_eq!(device.user.next_deadline(), Some(secs(50 * 60)));
}

/// The device's clock cannot express moments before it was switched on.
#[test]
fn a5_expiries_before_the_clock_started_are_no_news() {
    let mut device = new();
    device.update(secs(1100), set(1, Presence::InACall, 60));
    let device = device.restart(Some(Duration::from_hours(2)));
    assert_eq!(device.user.absence(), Some(Absence::Lost));
}

#[test]
fn m5_with_empty_storage_the_user_was_never_seen() {
    let mut device = new();
    assert_eq!(device.user.absence(), Some(Absence::NeverSeen));
    assert_eq!(device.writes(), 1, "the new user is saved");
}

#[test]
fn a5_an_unreadable_snapshot_is_no_news() {
    for newest in [vec![], vec![0xFF; 30], vec![2, 0, 0, 0, 0, 0]] {
        let device =
            Device::start(CountingStorage { newest: Some(newest), ..CountingStorage::default() }, secs(0), None);
        assert_eq!(device.user.absence(), Some(Absence::Lost));
    }
    let device = Device::start(CountingStorage { fails: true, ..CountingStorage::default() }, secs(0), None);
    assert_eq!(device.user.absence(), Some(Absence::Lost));
}

#[test]
fn v1_every_visible_change_is_written() {
    let mut device = new();
    let steps = [
        set(1, Presence::Available, 60),
        set(2, Presence::InACall, 60),
        prefer(Presence::Busy, 60),
        prefer(Presence::Busy, 180),
        Some(Command::ClearPreferredPresence),
        set(1, Presence::Away, 60),
        Some(Command::ClearPresence { session: application(2) }),
        set(1, Presence::Away, 120),
        Some(Command::ClearPresence { session: application(1) }),
    ];
    for (number, command) in steps.into_iter().enumerate() {
        assert!(device.update(secs(2000 + 20 * number as u64), command), "{number}");
    }
    // Due transitions too: two fades and an expiry.
    let before = device.writes();
    device.update(secs(3000), set(3, Presence::Available, 20));
    device.sleep(secs(9000));
    assert_eq!(device.user.absence(), Some(Absence::Expired));
    assert_eq!(device.writes() - before, 4);
}

#[test]
fn s1_keep_alives_are_written_when_they_have_moved_a_deadline_too_far() {
    let mut device = new();
    // Eight applications for a day, each with a lease of five minutes and a keep-alive every 200 seconds.
    for moment in (0..24 * 3600).step_by(25) {
        let number = (moment / 25 % 8) as u8;
        device.update(secs(1000 + moment), set(number, Presence::InACall, 5));
    }
    // Eight at first, some of them merged by the shortest interval; then about one in each half hour.
    assert!((45..=56).contains(&device.writes()), "{}", device.writes());
}

#[test]
fn without_changes_nothing_is_written_and_nothing_wakes() {
    let mut device = new();
    device.update(secs(2000), set(1, Presence::InACall, 24 * 60));
    let before = device.writes();
    assert_eq!(device.snapshots.next_save_at(), None);
    for minute in 0..24 * 60 - 1 {
        assert!(!device.update(secs(2000 + 60 * minute), None));
    }
    assert_eq!(device.writes(), before);
}

/// Rule U3: with restart after restart, a presence preferred for two hours still ends.
#[test]
fn u2_the_rest_of_a_preferred_presence_is_written_from_time_to_time() {
    for minutes in 0..120 {
        let mut device = new();
        device.update(secs(2000), prefer(Presence::DoNotDisturb, 120));
        device.sleep(secs(2000 + minutes * 60));
        let device = device.restart(None);
        let left = device.user.preferred().map_or(0, |preferred| preferred.expires_at().as_millis() / 1000);
        let exact = (120 - minutes) * 60;
        assert!((exact..=exact + MAX_STALENESS).contains(&left), "{left} s instead of {exact} s");
    }
    let mut device = new();
    device.update(secs(2000), prefer(Presence::DoNotDisturb, 120));
    device.sleep(secs(20_000));
    assert_eq!(device.restart(None).user.preferred(), None);
}

#[test]
fn writes_keep_their_interval_and_their_budget_and_the_last_change_is_written() {
    let mut device = new();
    let before = device.writes();
    // Two applications that disagree every second, for a little more than an hour.
    for second in 0..4000 {
        let presence = if second % 2 == 0 { Presence::Busy } else { Presence::Away };
        device.update(secs(2000 + second), set(1, presence, 120));
        assert!(device.writes() - before <= 1 + second as usize / 10);
    }
    assert_eq!(device.writes() - before, 29, "as many as the growing pauses allow");
    let version = device.user.version();
    device.sleep(secs(2000 + 4000 + 900));
    assert_eq!(device.restart(None).user.version(), version + VERSION_GAP, "everything is written");
}

/// Whenever the power is lost, the changes of the last quarter of an hour are lost at most, and mostly those of ten seconds.
#[test]
fn a_change_that_waits_for_the_budget_is_written_soon() {
    let mut device = new();
    // A change in each of so many seconds, on and on.
    for every in [1, 7, 60, 600, 1000] {
        let mut changes = Vec::new();
        let start = device.now;
        for number in 0..8000 / every {
            let now = start.saturating_add(Duration::from_secs((1 + number) * every));
            device.update(now, set((number % 8) as u8, Presence::ALL[9 + number as usize % 5], 60));
            changes.push((now, device.user.revision()));
            let stored = device.snapshots.storage().newest.clone().unwrap();
            let stored: DeviceUser = presence_core::snapshot::restore(&stored, now, Some(Duration::ZERO)).unwrap();
            let must_be_stored = changes.iter().rev().find(|(at, _)| *at < now.saturating_sub(BUDGET.interval));
            assert!(must_be_stored.is_none_or(|(_, revision)| stored.revision() >= *revision), "every {every} s");
        }
        device.sleep(device.now.saturating_add(Duration::from_hours(24)));
    }
}

/// The erasures of a micro:bit's flash by a host that never stops: each page bears 20,000.
#[test]
fn a_host_that_never_stops_needs_thirteen_years_to_wear_flash_out() {
    const ENDURANCE: u32 = 20_000;
    const DAYS: u64 = 20;
    let flash = Flash::new(Nor::<4, 1024>::new(8, Torn::SomeBits), 0..8192).unwrap();
    let mut snapshots = SnapshotStore::new(flash);
    let mut user = snapshots.restore(secs(0), None);
    let mut longest = 0;
    for step in 0..DAYS * 24 * 360 {
        let now = secs(step * 10);
        // All eight sessions with the longest leases, fades ahead, and a preferred presence that changes.
        execute(&mut user, now, set((step % 8) as u8, Presence::Available, 24 * 60));
        let preferred = if step % 2 == 0 { Presence::Busy } else { Presence::DoNotDisturb };
        execute(&mut user, now, prefer(preferred, 366 * 24 * 60));
        snapshots.save(user.at(now).unwrap(), &Settings::new()).unwrap();
        longest = longest.max(snapshots.storage().load().unwrap().unwrap().len());
    }
    let erasures = &snapshots.storage().flash().erasures;
    let (least, most) = (*erasures.iter().min().unwrap(), *erasures.iter().max().unwrap());
    assert!(most - least <= 2, "all pages wear alike: {erasures:?}");
    let years = u64::from(ENDURANCE / most) * DAYS / 365;
    assert!(longest > 200, "{longest} bytes are few");
    assert!(years >= 13, "{years} years: {erasures:?}");
}

#[test]
fn a_failed_write_is_tried_again() {
    let mut device = new();
    device.snapshots.storage().fails = true;
    device.update(secs(2000), set(1, Presence::InACall, 24 * 60));
    let tries = device.snapshots.storage().tries;
    for second in 1..100 {
        device.update(secs(2000 + second), None);
    }
    assert_eq!(device.snapshots.storage().tries, tries, "not at every wake-up");
    device.update(secs(2200), set(1, Presence::Busy, 24 * 60));
    assert_eq!(device.snapshots.storage().tries, tries + 1, "with the next change");
    device.snapshots.storage().fails = false;
    device.sleep(secs(2200 + MAX_STALENESS));
    assert_eq!(device.snapshots.storage().tries, tries + 2, "and after a while");
    assert_eq!(device.restart(Some(Duration::ZERO)).user.presence(), Presence::Busy);
}

/// With retained memory as on a board.
#[test]
fn retained_memory_keeps_a_user() {
    static RETAINED: [AtomicU8; Retained::BYTES] = [const { AtomicU8::new(0xFF) }; Retained::BYTES];
    let mut snapshots = SnapshotStore::new(Retained::new(&RETAINED));
    let mut user = snapshots.restore(secs(0), None);
    for number in 0..8 {
        execute(&mut user, secs(10), set(number, Presence::InACall, 5));
        assert_eq!(snapshots.save(user.at(secs(10)).unwrap(), &Settings::new()), Ok(true));
    }
    let mut snapshots = SnapshotStore::new(Retained::new(&RETAINED));
    assert_eq!(snapshots.restore(secs(10), Some(Duration::ZERO)), user);
    assert_eq!(snapshots.restore(secs(0), None).absence(), Some(Absence::Lost));
}

/// How often each medium is written, and how stale what it holds may be.
#[test]
fn the_limits_of_every_medium() {
    type AnyFlash = Flash<Nor<4, 1024>>;
    assert_eq!((AnyFlash::MAX_STALENESS, AnyFlash::MIN_INTERVAL), (Duration::from_mins(30), Duration::from_secs(10)));
    assert_eq!(AnyFlash::BUDGET, WriteBudget { burst: 32, erasure: 24, interval: Duration::from_mins(15) });
    assert_eq!((<Retained<'_>>::MAX_STALENESS, <Retained<'_>>::MIN_INTERVAL), (Duration::from_mins(1), Duration::ZERO));
    assert_eq!(<Retained<'_>>::BUDGET, WriteBudget::UNLIMITED);
    assert_eq!((<()>::MAX_STALENESS, <()>::MIN_INTERVAL), (Duration::MAX, Duration::ZERO));
    assert_eq!((<()>::BUDGET, ().load(), ().store(&[1], &[2])), (WriteBudget::UNLIMITED, Ok(None), Ok(())));
    assert_eq!((().load_settings(), ().erase()), (Ok(None), Ok(false)));
    assert_eq!(WriteBudget::UNLIMITED, WriteBudget { burst: 1, erasure: 0, interval: Duration::ZERO });
}
