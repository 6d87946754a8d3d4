//! The light in time: the pattern of a presence, what is sent when, and what dims away.

use firmware::{AnimatedLight, Frame, Light, LightError};
use presence_core::indicator::{Palette, Rgb};
use presence_core::{Absence, Availability, Duration, Instant, Presence};

/// A light that records its frames, and fails while it is told to.
#[derive(Default)]
struct Recording {
    frames: Vec<Frame>,
    fails: bool,
}

impl Light for Recording {
    const REFRESH: Option<Duration> = None;

    fn show(&mut self, frame: Frame) -> Result<(), LightError> {
        self.frames.push(frame);
        if self.fails { Err(LightError) } else { Ok(()) }
    }
}

fn millis(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

/// What each presence looks like for ten seconds, woken only when the light asks for it: each frame is that of the palette at
/// that time since the presence began, and none is sent twice or missed.
#[test]
fn a_pattern_begins_with_its_presence_and_is_followed_frame_by_frame() {
    let start = 7_000_123;
    let shown = Presence::ALL.into_iter().flat_map(|presence| {
        let absences = [Absence::Cleared, Absence::Expired, Absence::Lost, Absence::NeverSeen];
        let offline = presence.availability() == Availability::Offline;
        std::iter::once((presence, None))
            .chain(absences.into_iter().filter(move |_| offline).map(move |absence| (presence, Some(absence))))
    });
    for (presence, absence) in shown {
        let mut light = AnimatedLight::new(Recording::default());
        // Another appearance before it, so that the pattern begins anew.
        let other = if presence.availability() == Availability::Busy { Presence::Available } else { Presence::Busy };
        light.show(millis(1), other, None);
        light.light().frames.clear();
        let appearance = Palette::DEFAULT.appearance(presence, absence);
        let shown = if absence.is_some_and(Absence::is_stale) { Presence::Unknown } else { presence };
        let mut now = millis(start);
        light.show(now, presence, absence);
        let mut expected = vec![Frame::new(shown, appearance.frame_at(0))];
        for elapsed in 1..10_000 {
            let colour = appearance.frame_at(elapsed);
            if expected.last().unwrap().colour != colour {
                expected.push(Frame::new(shown, colour));
            }
        }
        while let Some(next) = light.wake_at(now).filter(|next| *next < millis(start + 10_000)) {
            assert!(next > now, "{presence:?}: it would never sleep");
            now = next;
            light.show(now, presence, absence);
        }
        assert_eq!(light.light().frames, expected, "{presence:?}, {absence:?}");
    }
}

#[test]
fn a_frame_is_sent_once_and_again_only_when_it_differs() {
    let mut light = AnimatedLight::new(Recording::default());
    for second in 0..5 {
        light.show(Instant::from_secs(second), Presence::Busy, None);
    }
    assert_eq!(light.light().frames.len(), 1);
    // The same colour, but another presence: a glyph may differ.
    light.show(Instant::from_secs(5), Presence::DoNotDisturb, None);
    light.show(Instant::from_secs(6), Presence::Busy, None);
    assert_eq!(light.light().frames.len(), 3);
}

/// A light that does not respond is driven again after a second, not at every wake-up, and with the next frame that differs.
#[test]
fn a_write_that_failed_is_repeated_after_a_second() {
    let mut light = AnimatedLight::new(Recording { fails: true, ..Recording::default() });
    for ms in [0, 100, 999] {
        light.show(millis(ms), Presence::Busy, None);
        assert_eq!(light.wake_at(millis(ms)), Some(millis(1000)));
    }
    assert_eq!(light.light().frames.len(), 1);
    light.show(millis(1000), Presence::Busy, None);
    assert_eq!((light.light().frames.len(), light.wake_at(millis(1000))), (2, Some(millis(2000))));
    light.light().fails = false;
    light.show(millis(1500), Presence::Available, None);
    assert_eq!(light.light().frames.last().unwrap().presence, Presence::Available);
    assert_eq!((light.light().frames.len(), light.wake_at(millis(1500))), (3, None));
}

/// LEDs that keep their colour by themselves, as WS2812 do, and lose it when their power blinks.
#[derive(Default)]
struct Strip(Vec<Frame>);

impl Light for Strip {
    fn show(&mut self, frame: Frame) -> Result<(), LightError> {
        self.0.push(frame);
        Ok(())
    }
}

/// One wake-up in five seconds, and no more, lit or dark.
#[test]
fn a_steady_frame_is_sent_again_every_five_seconds() {
    for presence in [Presence::Busy, Presence::Offline] {
        let mut light = AnimatedLight::new(Strip::default());
        let (mut now, mut wakes) = (millis(0), 0);
        light.show(now, presence, None);
        while let Some(next) = light.wake_at(now).filter(|next| *next <= Instant::from_secs(60)) {
            (now, wakes) = (next, wakes + 1);
            light.show(now, presence, None);
        }
        assert_eq!((wakes, light.light().0.len()), (12, 13));
        assert!(light.light().0.iter().all(|frame| *frame == light_frame(presence)));
    }
}

fn light_frame(presence: Presence) -> Frame {
    Frame::new(presence, Palette::DEFAULT.of(presence).frame_at(0))
}

/// Every absence: gone is dark, all others are “no news”.
#[test]
fn a5_only_who_signed_out_is_gone() {
    for (absence, expected) in [
        (None, Presence::Offline),
        (Some(Absence::Cleared), Presence::Offline),
        (Some(Absence::Expired), Presence::Unknown),
        (Some(Absence::Lost), Presence::Unknown),
        (Some(Absence::NeverSeen), Presence::Unknown),
    ] {
        let mut light = AnimatedLight::new(Recording::default());
        light.show(Instant::from_secs(1), Presence::Offline, absence);
        let shown = *light.light().frames.last().unwrap();
        assert_eq!(shown.presence, expected, "{absence:?}");
        assert_eq!(shown.colour == Rgb::BLACK, expected == Presence::Offline, "{absence:?}");
    }
}

/// A pattern goes on across the wrap of the milliseconds since it began, and a steady light needs no wake-up.
#[test]
fn a_steady_light_sleeps() {
    let mut light = AnimatedLight::new(Recording::default());
    light.show(millis(0), Presence::Busy, None);
    assert_eq!(light.wake_at(millis(0)), None);
    light.show(millis(1000), Presence::InACall, None);
    let next = light.wake_at(millis(1000)).unwrap();
    assert!(next > millis(1000) && next <= millis(2000));
}
