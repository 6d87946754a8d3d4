//! Lights: a pin, a duty cycle, RGB LEDs, and the pattern of a presence in time.

use embedded_hal::digital::{self, OutputPin};
use embedded_hal::pwm::{self, SetDutyCycle};
use firmware::{AnimatedLight, DutyLight, Frame, Light, LightError, PinLight, SmartLight, smart_colour};
use presence_core::indicator::{Palette, Rgb};
use presence_core::{Absence, Availability, Duration, Instant, Presence};
use smart_leds_trait::{RGB8, SmartLedsWrite};

fn frame(colour: Rgb) -> Frame {
    Frame { presence: Presence::Busy, colour }
}

/// A driver that records what it was told, or fails.
#[derive(Default)]
struct Driver<T> {
    seen: Vec<T>,
    fails: bool,
}

#[derive(Debug)]
struct Failed;

impl digital::Error for Failed {
    fn kind(&self) -> digital::ErrorKind {
        digital::ErrorKind::Other
    }
}

impl pwm::Error for Failed {
    fn kind(&self) -> pwm::ErrorKind {
        pwm::ErrorKind::Other
    }
}

impl<T> Driver<T> {
    fn new(fails: bool) -> Self {
        Self { seen: Vec::new(), fails }
    }

    fn take(&mut self, value: T) -> Result<(), Failed> {
        self.seen.push(value);
        if self.fails { Err(Failed) } else { Ok(()) }
    }
}

impl digital::ErrorType for Driver<bool> {
    type Error = Failed;
}

impl OutputPin for Driver<bool> {
    fn set_low(&mut self) -> Result<(), Failed> {
        self.take(false)
    }

    fn set_high(&mut self) -> Result<(), Failed> {
        self.take(true)
    }
}

impl pwm::ErrorType for Driver<u16> {
    type Error = Failed;
}

impl SetDutyCycle for Driver<u16> {
    fn max_duty_cycle(&self) -> u16 {
        1000
    }

    fn set_duty_cycle(&mut self, duty: u16) -> Result<(), Failed> {
        self.take(duty)
    }
}

impl SmartLedsWrite for Driver<Vec<RGB8>> {
    type Error = Failed;
    type Color = RGB8;

    fn write<T, I>(&mut self, colours: T) -> Result<(), Failed>
    where
        T: IntoIterator<Item = I>,
        I: Into<RGB8>,
    {
        self.take(colours.into_iter().map(Into::into).collect())
    }
}

#[test]
fn a_pin_is_lit_unless_the_colour_is_black() {
    let mut light = PinLight(Driver::new(false));
    for colour in [Rgb::WHITE, Rgb::BLACK, Rgb::new(0, 0, 1), Rgb::new(1, 0, 0), Rgb::BLACK] {
        assert_eq!(light.show(frame(colour)), Ok(()));
    }
    assert_eq!(light.0.seen, [true, false, true, true, false]);
    assert_eq!(PinLight(Driver::new(true)).show(frame(Rgb::WHITE)), Err(LightError));
    assert_eq!(LightError.to_string(), "the light cannot be driven");
}

#[test]
fn a_duty_cycle_is_as_bright_as_the_luminance_and_never_dark_for_a_dim_colour() {
    let mut light = DutyLight(Driver::new(false));
    let colours = [Rgb::WHITE, Rgb::BLACK, Rgb::new(20, 20, 20), Rgb::new(128, 128, 128), Rgb::new(255, 0, 0)];
    for colour in colours {
        assert_eq!(light.show(frame(colour)), Ok(()));
    }
    // Rounded up to whole thousandths.
    let expected = colours.map(|colour| (f64::from(colour.luminance()) * 1000.0 / 255.0).ceil() as u16);
    assert_eq!(light.0.seen, expected);
    assert_eq!(expected[..3], [1000, 0, 8]);
    assert_eq!(DutyLight(Driver::<u16>::new(true)).show(frame(Rgb::WHITE)), Err(LightError));
}

#[test]
fn rgb_leds_all_show_the_colour_scaled_to_their_brightness_and_corrected() {
    let mut light = SmartLight::<_, 3> { leds: Driver::new(false), brightness: 96 };
    let colour = Rgb::new(255, 128, 3);
    assert_eq!(light.show(frame(colour)), Ok(()));
    let [r, g, b] = colour.scale(96).gamma_corrected().to_bytes();
    assert_eq!(light.leds.seen, [vec![RGB8 { r, g, b }; 3]]);
    assert_eq!(smart_colour(Rgb::WHITE, 255), RGB8 { r: 255, g: 255, b: 255 });
    assert!(r > g && g > b && r < 96, "{r} {g} {b}: less light than its share of the voltage");
    let mut light = SmartLight::<_, 3> { leds: Driver::<Vec<RGB8>>::new(true), brightness: 96 };
    assert_eq!(light.show(frame(colour)), Err(LightError));
}

/// A light that records its frames, and fails while it is told to.
#[derive(Default)]
struct Recording {
    frames: Vec<Frame>,
    fails: bool,
}

impl Light for Recording {
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
        let mut expected = vec![Frame { presence: shown, colour: appearance.frame_at(0) }];
        for elapsed in 1..10_000 {
            let colour = appearance.frame_at(elapsed);
            if expected.last().unwrap().colour != colour {
                expected.push(Frame { presence: shown, colour });
            }
        }
        while let Some(next) = light.next_frame(now).filter(|next| *next < millis(start + 10_000)) {
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

/// A light that does not respond is driven again with the next frame that differs, not at every wake-up.
#[test]
fn a_light_that_fails_is_driven_again_with_the_next_frame() {
    let mut light = AnimatedLight::new(Recording { fails: true, ..Recording::default() });
    for second in 0..5 {
        light.show(Instant::from_secs(second), Presence::Busy, None);
    }
    assert_eq!(light.light().frames.len(), 1);
    light.light().fails = false;
    light.show(Instant::from_secs(6), Presence::Available, None);
    assert_eq!(light.light().frames.last().unwrap().presence, Presence::Available);
    assert_eq!(light.light().frames.len(), 2);
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
    assert_eq!(light.next_frame(millis(0)), None);
    light.show(millis(10), Presence::InACall, None);
    let next = light.next_frame(millis(10)).unwrap();
    assert!(next > millis(10) && next <= millis(10).saturating_add(Duration::from_secs(1)));
}
