//! A presence light whose serial line, light and time are the test's.

use firmware::{Button, Clock, Frame, Light, LightError, PresenceLight, ReceivedByte};
use presence_core::{Duration, Instant};

/// A light that records its frames.
#[derive(Clone, Default)]
pub(crate) struct RecordingLight(pub(crate) Vec<Frame>);

impl Light for RecordingLight {
    const REFRESH: Option<Duration> = None;

    fn show(&mut self, frame: Frame) -> Result<(), LightError> {
        self.0.push(frame);
        Ok(())
    }
}

pub(crate) struct Fixture {
    pub(crate) presence_light: PresenceLight<RecordingLight>,
    pub(crate) now: Instant,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let mut fixture = Self { presence_light: PresenceLight::new(RecordingLight::default()), now: Clock::START };
        assert_eq!(fixture.after(0), "");
        fixture
    }

    pub(crate) fn send(&mut self, text: &str) -> String {
        self.receive(&mut text.bytes().map(ReceivedByte::new))
    }

    /// Receives everything, a line at a time.
    pub(crate) fn receive(&mut self, bytes: &mut dyn ExactSizeIterator<Item = ReceivedByte>) -> String {
        let mut out = Vec::new();
        while bytes.len() > 0 {
            let before = bytes.len();
            self.presence_light.receive(&mut *bytes, self.now, &mut out).unwrap();
            assert!(bytes.len() < before, "it takes no byte");
        }
        String::from_utf8(out).unwrap()
    }

    /// Advances time, waking only when the presence light asks for it.
    pub(crate) fn after(&mut self, millis: u64) -> String {
        let mut out = Vec::new();
        let end = self.now.saturating_add(Duration::from_millis(millis));
        while let Some(next) = self.presence_light.wake_at(self.now).filter(|next| *next <= end) {
            assert!(next > self.now, "it would never sleep");
            self.now = next;
            self.presence_light.advance(self.now, &mut out).unwrap();
        }
        self.now = end;
        self.presence_light.advance(end, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    pub(crate) fn press(&mut self, button: Button) -> String {
        let mut out = Vec::new();
        self.presence_light.press(button, self.now, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// Returns the latest frame, or the next one if a change still waits for half a second.
    pub(crate) fn light(&mut self) -> Frame {
        let (mut light, mut now) = (self.presence_light.animated_light().clone(), self.now);
        let user = self.presence_light.app().user();
        while !light.is_settled(now) {
            now = light.wake_at(now).unwrap();
            light.show(now, user.presence(), user.absence());
        }
        *light.light().0.last().unwrap()
    }
}

pub(crate) const CALENDAR: &str = "22553876-f5ab-4529-bffb-cfe50aa89f87";
pub(crate) const CALLS: &str = "7f3a5b1c-0000-4000-8000-000000000001";

pub(crate) fn set(session: &str, availability: &str, activity: &str, duration: &str) -> String {
    format!(
        r#"{{"id":"1","method":"POST","url":"/me/presence/setPresence","body":{{"sessionId":"{session}","availability":"{availability}","activity":"{activity}","expirationDuration":"{duration}"}}}}
"#
    )
}

pub(crate) fn clear(session: &str) -> String {
    format!(
        r#"{{"id":"1","method":"POST","url":"/me/presence/clearPresence","body":{{"sessionId":"{session}"}}}}
"#
    )
}

pub(crate) const DONE: &str = "{\"id\":\"1\",\"status\":200}\n";
