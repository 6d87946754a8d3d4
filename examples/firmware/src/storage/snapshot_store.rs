//! Saving and restoring of the user, with as few writes as necessary.

use super::budget::Bucket;
use super::{MAX_SNAPSHOT, Storage};
use crate::app::CAPACITY;
use presence_core::snapshot::{self, RestoreError};
use presence_core::{Duration, Instant, SessionId, User, UserAt};

type DeviceUser = User<SessionId, CAPACITY>;

/// A store for the newest snapshot of a user, which writes only what a restart would miss.
///
/// A write follows when a session starts, ends or changes its presence, when the preferred presence changes, and when
/// something visible changes. A keep-alive alone changes nothing visible, and without it a restored session only ends early: it
/// is written when a stored deadline is off by more than [`Storage::MAX_STALENESS`]. So is the rest of a preferred presence,
/// because after a gap of unknown length it starts again from the stored value.
///
/// There are only as many writes as the medium's [budget](Storage::BUDGET) has. A change that finds none waits, and later ones
/// with it: the state at the time of the next write is written. A loss of power before loses no more than these changes.
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
    at: Instant,
    /// The write failed.
    failed: bool,
    /// Something newer waits for [`Storage::MIN_INTERVAL`] to pass, or for a write of [`Storage::BUDGET`].
    is_outdated: bool,
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

    /// Writes the user if a restart would miss something, [`Storage::MIN_INTERVAL`] has passed and [`Storage::BUDGET`] has a
    /// write. Reports whether it wrote.
    ///
    /// A snapshot of newer firmware is never overwritten. A write that failed is tried again with the next change, and after
    /// [`Storage::MAX_STALENESS`].
    ///
    /// # Errors
    ///
    /// The medium's own. The snapshot before is still there.
    pub fn save(&mut self, user: UserAt<'_, SessionId, CAPACITY>) -> Result<bool, M::Error> {
        let now = user.now();
        if self.holds_newer_format {
            return Ok(false);
        }
        if let Some(stored) = &mut self.newest {
            stored.is_outdated = stored.is_outdated_by(user.user(), now, M::MAX_STALENESS);
            let waits =
                now.saturating_duration_since(stored.at) < M::MIN_INTERVAL || now < self.bucket.next_at(M::BUDGET);
            if !stored.is_outdated || waits {
                return Ok(false);
            }
        }
        let mut buffer = [0; MAX_SNAPSHOT];
        // The longest snapshot fits.
        let Ok(bytes) = snapshot::save(user, &mut buffer) else { return Ok(false) };
        // A write that fails wears the medium, too.
        self.bucket.take(now, M::BUDGET);
        let written = self.storage.store(bytes);
        if written.is_err() {
            crate::log::warning!("storage cannot be written");
        }
        let failed = written.is_err();
        self.newest = Some(Stored { user: user.user().clone(), at: now, failed, is_outdated: false });
        written.map(|()| true)
    }

    /// Returns when to call [`save`](Self::save) again if nothing changes before.
    #[must_use]
    pub fn next_save_at(&self) -> Option<Instant> {
        let stored = self.newest.as_ref()?;
        let wait = if stored.is_outdated {
            M::MIN_INTERVAL
        } else if stored.ages() {
            M::MAX_STALENESS
        } else {
            return None;
        };
        let at = stored.at.saturating_add(wait).max(self.bucket.next_at(M::BUDGET));
        Some(at).filter(|at| *at != Instant::NEVER)
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
