//! Saving and restoring of the user and the settings, with as few writes as necessary.

use super::budget::Bucket;
use super::{MAX_SNAPSHOT, Storage};
use crate::app::CAPACITY;
use crate::settings::Settings;
use presence_core::snapshot::{self, RestoreError};
use presence_core::{Duration, Instant, SessionId, User, UserAt};

type DeviceUser = User<SessionId, CAPACITY>;

/// A store for the newest snapshot of a user and the settings, which writes only what a restart would miss.
///
/// A write follows when a session starts, ends or changes its presence, when the preferred presence or a setting changes, and
/// when something visible changes. A keep-alive alone changes nothing visible, and without it a restored session only ends early: it
/// is written when a stored deadline is off by more than [`Storage::MAX_STALENESS`]. So is the rest of a preferred presence,
/// because after a gap of unknown length it starts again from the stored value.
///
/// There are only as many writes as the medium's [budget](Storage::BUDGET) has, and the pauses between them grow while it is
/// used up. A change that finds none waits, and later ones with it: the state at the time of the next write is written. A loss
/// of power before loses no more than these changes.
#[derive(Debug)]
pub struct SnapshotStore<M> {
    storage: M,
    bucket: Bucket,
    newest: Option<Stored>,
    /// The storage holds a snapshot of newer firmware, which is never overwritten.
    holds_newer_format: bool,
}

#[derive(Debug)]
struct Stored {
    user: DeviceUser,
    settings: Settings,
    at: Instant,
    /// The write failed.
    failed: bool,
    /// When something newer was first seen. It waits for a write of [`Storage::BUDGET`], or for a quiet moment.
    outdated_since: Option<Instant>,
}

impl<M: Storage> SnapshotStore<M> {
    /// Creates a store on a medium.
    pub const fn new(storage: M) -> Self {
        Self { storage, bucket: Bucket::full(), newest: None, holds_newer_format: false }
    }

    /// Returns the medium.
    pub const fn storage(&mut self) -> &mut M {
        &mut self.storage
    }

    /// Returns the stored user, or a new one if nothing is stored.
    ///
    /// A snapshot that cannot be read is lost, and the user shows as “no news”.
    ///
    /// `elapsed` is the time since the snapshot: pass `None` if it is unknown, as usual. Call [`save`](Self::save) with the user
    /// before it changes: its revision and version have a gap, and the next restart must not give the same numbers again.
    pub fn restore(&mut self, now: Instant, elapsed: Option<Duration>) -> DeviceUser {
        let restored = match self.storage.load() {
            Ok(None) => return User::new(),
            Ok(Some(bytes)) => match snapshot::restore(bytes, now, elapsed) {
                // The clock started after the moment at which something fell due.
                Err(RestoreError::BeforeEpoch) => snapshot::restore(bytes, now, None),
                restored => restored,
            },
            Err(_) => {
                crate::log::warning!("storage cannot be read");
                return User::after_restart(0);
            }
        };
        restored.unwrap_or_else(|error| {
            self.holds_newer_format = matches!(error, RestoreError::NewerVersion(_));
            let what = if self.holds_newer_format { "newer firmware's, and left alone" } else { "no snapshot" };
            crate::log::warning!("what was stored is {}", what);
            User::after_restart(0)
        })
    }

    /// Returns the stored settings, or those the device was built with if none are stored, or none can be read.
    pub fn restore_settings(&mut self) -> Settings {
        let stored = self.storage.load_settings().unwrap_or_default();
        stored.and_then(Settings::read).unwrap_or_default()
    }

    /// Looks at the user and the settings: [`next_save_at`](Self::next_save_at) says when to [`save`](Self::save) them.
    pub fn observe(&mut self, user: UserAt<'_, SessionId, CAPACITY>, settings: &Settings) {
        if let Some(stored) = &mut self.newest {
            let is_outdated =
                stored.settings != *settings || stored.is_outdated_by(user.user(), user.now(), M::MAX_STALENESS);
            stored.outdated_since = is_outdated.then(|| stored.outdated_since.unwrap_or(user.now()));
        }
    }

    /// Writes the user and the settings if a restart would miss something, and [`Storage::BUDGET`] has a write. Reports whether
    /// it wrote.
    ///
    /// A snapshot of newer firmware is never overwritten. A write that failed is tried again with the next change, and after
    /// [`Storage::MAX_STALENESS`].
    ///
    /// # Errors
    ///
    /// The medium's own. The snapshot before is still there.
    pub fn save(&mut self, user: UserAt<'_, SessionId, CAPACITY>, settings: &Settings) -> Result<bool, M::Error> {
        let now = user.now();
        self.observe(user, settings);
        let is_outdated = self.newest.as_ref().is_none_or(|stored| stored.outdated_since.is_some());
        if self.holds_newer_format || !is_outdated || now < self.bucket.next_at() {
            return Ok(false);
        }
        let mut buffer = [0; MAX_SNAPSHOT];
        // The longest snapshot fits.
        let Ok(bytes) = snapshot::save(user, &mut buffer) else { return Ok(false) };
        // A write that fails wears the medium, too.
        self.bucket.take(now, M::BUDGET, M::MIN_INTERVAL);
        let written = self.storage.store(bytes, settings.as_bytes());
        if written.is_err() {
            crate::log::warning!("storage cannot be written");
        }
        self.keep(user, settings, written.is_err());
        written.map(|()| true)
    }

    /// Erases everything that was ever stored, newer firmware's snapshot too. The user and the settings are new ones: they are
    /// not worth a write until they change.
    ///
    /// It waits for nothing, and later writes wait until the [budget](Storage::BUDGET) has recovered from it.
    ///
    /// # Errors
    ///
    /// The medium's own. Some of what was stored may be left.
    pub fn forget(&mut self, user: UserAt<'_, SessionId, CAPACITY>, settings: &Settings) -> Result<(), M::Error> {
        let erased = self.storage.erase();
        if !matches!(erased, Ok(false)) {
            self.bucket.take_erasure(user.now(), M::BUDGET);
        }
        match erased {
            Ok(_) => {
                self.holds_newer_format = false;
                self.keep(user, settings, false);
                Ok(())
            }
            Err(error) => {
                crate::log::warning!("storage cannot be erased");
                // The new user is written over what is left.
                self.newest = None;
                Err(error)
            }
        }
    }

    /// Remembers what is stored.
    fn keep(&mut self, user: UserAt<'_, SessionId, CAPACITY>, settings: &Settings, failed: bool) {
        let (settings, at) = (settings.clone(), user.now());
        self.newest = Some(Stored { user: user.user().clone(), settings, at, failed, outdated_since: None });
    }

    /// Returns when to call [`save`](Self::save), as of the latest call of [`observe`](Self::observe); `None` if that is not
    /// before something changes.
    #[must_use]
    pub fn next_save_at(&self) -> Option<Instant> {
        if self.holds_newer_format {
            return None;
        }
        let due_at = match &self.newest {
            None => Instant::ZERO,
            Some(Stored { outdated_since: Some(since), .. }) => *since,
            Some(stored) if stored.ages() => stored.at.saturating_add(M::MAX_STALENESS),
            Some(_) => return None,
        };
        Some(due_at.max(self.bucket.next_at())).filter(|at| *at != Instant::NEVER)
    }
}

impl Stored {
    /// Reports whether time alone makes the snapshot outdated.
    fn ages(&self) -> bool {
        let ends = self.user.preferred().is_some_and(|preferred| preferred.expires_at() != Instant::NEVER);
        ends || self.failed
    }

    /// Reports whether a restart from this snapshot would miss something of `user`.
    fn is_outdated_by(&self, user: &DeviceUser, now: Instant, max_staleness: Duration) -> bool {
        let (old, new) = (&self.user, user);
        let differs = |old: Instant, new: Instant| old.max(new).saturating_duration_since(old.min(new)) > max_staleness;
        let sessions_differ = || {
            old.sessions().len() != new.sessions().len()
                || old.sessions().iter().zip(new.sessions()).any(|(old, new)| {
                    (old.id(), old.presence()) != (new.id(), new.presence())
                        || differs(old.expires_at(), new.expires_at())
                })
        };
        let preferred_differs = || match (old.preferred(), new.preferred()) {
            (Some(old), Some(new)) => old.presence() != new.presence() || differs(old.expires_at(), new.expires_at()),
            (old, new) => old != new,
        };
        let is_old = || self.ages() && now.saturating_duration_since(self.at) >= max_staleness;
        old.version() != new.version()
            || old.absence() != new.absence()
            || preferred_differs()
            || sessions_differ()
            || is_old()
    }
}
