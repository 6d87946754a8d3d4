//! The device without its board: one turn, the same with an executor and without.

use crate::app::{App, CAPACITY};
use crate::button::{Buttons, Pressed};
use crate::clock::Clock;
use crate::identity::Identity;
use crate::light::Light;
use crate::line::ReceivedByte;
use crate::presence_light::PresenceLight;
use crate::settings::Settings;
use crate::storage::{SnapshotStore, Storage};
use embedded_io::Write;
use presence_core::{Duration, Instant, SessionId, UserAt};

/// The time after which the watchdog of a board resets it: the main loop feeds it once a turn, and nothing else does.
///
/// The chips' own limit is 8.3 s, the RP2040's.
pub const WATCHDOG: Duration = Duration::from_secs(8);

/// The longest time between two turns. A turn that writes as much as it can takes another second, and both are over well before
/// the [`WATCHDOG`] is.
pub const LONGEST_NAP: Duration = Duration::from_secs(3);

/// The silence of the line after which the storage is written: a host that answers a response with the next line is faster.
///
/// A processor that writes its flash stops, and loses bytes that arrive.
const SILENCE: Duration = Duration::from_millis(250);

/// The time after which a write waits for no silence any more. It then comes before a response, when a host waits for that.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// A presence light with its buttons and its storage.
///
/// Take a [`turn`](Self::turn) whenever a byte arrives, a button moves or [`wake_at`](Self::wake_at) comes, and feed the watchdog
/// after it.
#[derive(Debug)]
pub struct Device<'a, L, M> {
    presence_light: &'a mut PresenceLight<L>,
    snapshots: &'a mut SnapshotStore<M>,
    buttons: Buttons,
    /// When the line has been silent for [`SILENCE`].
    silent_at: Instant,
}

impl<'a, L: Light, M: Storage> Device<'a, L, M> {
    /// Starts with the stored user. The length of the time without power is unknown.
    pub fn start(
        identity: Identity,
        presence_light: &'a mut PresenceLight<L>,
        snapshots: &'a mut SnapshotStore<M>,
    ) -> Self {
        let settings = snapshots.restore_settings();
        presence_light.restore(identity, App::with_user(snapshots.restore(Clock::START, None)), settings);
        let mut device = Self { presence_light, snapshots, buttons: Buttons::new(), silent_at: Clock::START };
        device.save(Clock::START, |_| true);
        crate::log::info!("ready");
        device
    }

    /// Takes one turn: serves at most one line, then looks at the buttons, at what is due, at the light and at the storage, so
    /// that lines without end delay none of these (rule L3). Call it again at once while bytes are left.
    pub fn turn<W: Write>(
        &mut self,
        bytes: &mut dyn Iterator<Item = ReceivedByte>,
        pressed: Pressed,
        now: Instant,
        out: &mut W,
    ) {
        // An error of the serial line cannot be reported: the line is the only way out.
        let mut has_bytes = false;
        if self.presence_light.accept(&mut bytes.inspect(|_| has_bytes = true), now) {
            if self.snapshots.next_save_at().is_some_and(|due_at| now >= due_at.saturating_add(LONGEST_WAIT)) {
                let _ = self.presence_light.advance(now, out);
                self.save(now, |_| true);
            }
            let forget = &mut |user: UserAt<'_, SessionId, CAPACITY>, settings: &Settings| {
                self.snapshots.forget(user, settings).is_ok()
            };
            let _ = self.presence_light.serve(now, out, forget);
        }
        if has_bytes {
            self.silent_at = now.saturating_add(SILENCE);
        }
        if let Some(button) = self.buttons.sample(pressed, now) {
            let _ = self.presence_light.press(button, now, out);
        }
        let _ = self.presence_light.advance(now, out);
        let silent_at = self.silent_at;
        // Bytes without an end, of which none is lost that anybody waits for, do not keep it from writing.
        self.save(now, |due_at| now >= silent_at.min(due_at.saturating_add(LONGEST_WAIT).saturating_add(LONGEST_WAIT)));
    }

    /// Drops a line that was begun, because a host has opened the port anew.
    pub fn reopen(&mut self) {
        self.presence_light.reopen();
    }

    /// Returns when to take the next turn if no byte arrives and no button moves before: after [`LONGEST_NAP`] at the latest.
    #[must_use]
    pub fn wake_at(&self, now: Instant) -> Instant {
        let save_at = self.snapshots.next_save_at().map(|at| at.max(self.silent_at));
        let others = self.buttons.stable_at(now).into_iter().chain(save_at);
        let deadlines = self.presence_light.wake_at(now).into_iter().chain(others);
        deadlines.fold(now.saturating_add(LONGEST_NAP), Instant::min)
    }

    /// Returns the light.
    pub const fn light(&mut self) -> &mut L {
        self.presence_light.light()
    }

    /// Saves the user and the settings if that is worth a write, and `may_write` at `now` what was due at an instant.
    ///
    /// An error is logged by the store, and the light goes on.
    fn save(&mut self, now: Instant, may_write: impl FnOnce(Instant) -> bool) {
        let Ok(user) = self.presence_light.app().user().at(now) else { return };
        let settings = self.presence_light.configuration().settings();
        self.snapshots.observe(user, settings);
        if self.snapshots.next_save_at().is_some_and(|due_at| due_at <= now && may_write(due_at)) {
            let _ = self.snapshots.save(user, settings);
        }
    }
}
