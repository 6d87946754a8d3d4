//! When to store, and what becomes of what was stored.

use super::{MAX_SNAPSHOT, Storage};
use crate::app::SESSIONS;
use presence_core::snapshot::{self, RestoreError};
use presence_core::{Duration, Instant, SessionId, User, UserAt};

type DeviceUser = User<SessionId, SESSIONS>;

/// Keeps the newest snapshot of a user in a storage, and writes only what is worth it.
///
/// It is written when after a restart something would be missed: a session has come, gone or changed what it says, another
/// presence is preferred, something visible has changed. A keep-alive says nothing new, and forgetting one only makes a
/// session end early; it is written when what is stored has fallen behind by more than [`Storage::MAX_STALENESS`]. The same goes for
/// what is left of a preferred presence: after a gap of unknown length it starts again from what was stored.
#[derive(Debug)]
pub struct SnapshotStore<M> {
    storage: M,
    newest: Option<Stored>,
    /// Whether newer firmware stored what this one cannot read. It is left alone, for whoever can.
    holds_newer_format: bool,
}

#[derive(Debug)]
struct Stored {
    user: DeviceUser,
    at: Instant,
    /// Whether it could not be written.
    failed: bool,
    /// Whether something newer waits until the storage has rested.
    is_outdated: bool,
}

impl<M: Storage> SnapshotStore<M> {
    /// A snapshots of what is in this storage.
    pub const fn new(storage: M) -> Self {
        Self { storage, newest: None, holds_newer_format: false }
    }

    /// The storage.
    pub const fn storage(&mut self) -> &mut M {
        &mut self.storage
    }

    /// The user as it was stored, or one never heard of. `elapsed` is the time since then, `None` when nobody knows, as is
    /// the rule. What cannot be read is lost: no news (rule A5).
    ///
    /// Call [`save`](Self::save) with it before anything happens to it: its numbers have leapt, and must not leap to the same
    /// place again.
    pub fn restore(&mut self, now: Instant, elapsed: Option<Duration>) -> DeviceUser {
        let restored = match self.storage.load() {
            Ok(None) => return User::new(),
            Ok(Some(bytes)) => match snapshot::restore(bytes, now, elapsed) {
                // The clock is too young to say when something fell due.
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

    /// Stores the user if that is worth it and the storage has rested, and says whether it did. Over what newer firmware has
    /// stored, never. A write that failed is tried
    /// again with the next change, and after [`Storage::MAX_STALENESS`]. O(sessions).
    ///
    /// # Errors
    ///
    /// The storage's own. Then the snapshot before is still there.
    pub fn save(&mut self, user: UserAt<'_, SessionId, SESSIONS>) -> Result<bool, M::Error> {
        let now = user.now();
        if self.holds_newer_format {
            return Ok(false);
        }
        if let Some(stored) = &mut self.newest {
            stored.is_outdated = stored.is_outdated_by(user.user(), now, M::MAX_STALENESS);
            if !stored.is_outdated || now.saturating_duration_since(stored.at) < M::MIN_INTERVAL {
                return Ok(false);
            }
        }
        let mut buffer = [0; MAX_SNAPSHOT];
        // The longest snapshot fits.
        let Ok(bytes) = snapshot::save(user, &mut buffer) else { return Ok(false) };
        let written = self.storage.store(bytes);
        if written.is_err() {
            crate::log::warning!("storage cannot be written");
        }
        let failed = written.is_err();
        self.newest = Some(Stored { user: user.user().clone(), at: now, failed, is_outdated: false });
        written.map(|()| true)
    }

    /// When to call [`save`](Self::save) again if nothing happens before.
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
        Some(stored.at.saturating_add(wait)).filter(|at| *at != Instant::NEVER)
    }
}

impl Stored {
    /// Whether it becomes outdated by time alone.
    fn ages(&self) -> bool {
        let ends = self.user.preferred().is_some_and(|preferred| preferred.expires_at() != Instant::NEVER);
        ends || self.failed
    }

    /// Whether a user would miss something if it were restored from this.
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
