//! An animation, and random histories of applications that change their minds: nothing flashes.

use super::*;
use crate::time::{Duration, Instant};

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

/// Numbers that look random: xorshift.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// An appearance of a palette, or one that is as bad as can be.
    fn appearance(&mut self) -> Appearance {
        if self.below(3) > 0 {
            let palette = self.one_of(&PALETTES);
            let count = everything(palette).count() as u64;
            return everything(palette).nth(self.below(count) as usize).unwrap().1;
        }
        let colour = self.one_of(&[Rgb::BLACK, Rgb::WHITE, Rgb::new(255, 0, 0)]);
        let period = Period::from_millis(self.one_of(&[500, 501, 600, 799, 900, 1000]));
        let on_ms = self.one_of(&[0, 1, 2, 99, 250, 399, 400, 401, 499, 500, 600]);
        let pattern = match self.below(4) {
            0 => Pattern::Solid,
            1 => Pattern::Breathe { period },
            2 => Pattern::Blink { on_ms, period },
            _ => Pattern::Alternate { other: self.one_of(&[Rgb::BLACK, Rgb::WHITE]), period },
        };
        Appearance { colour, level: 255, pattern }
    }

    /// An application that changes its mind at bad moments, or flaps.
    fn application(&mut self) -> Application {
        let flaps = self.below(2) == 0;
        let pause = flaps.then(|| 1 + self.below(300));
        Application { pause, choices: [self.appearance(), self.appearance()] }
    }
}

struct Application {
    /// Between two changes; `None` for one pause after another.
    pause: Option<u64>,
    /// The appearances of one that flaps.
    choices: [Appearance; 2],
}

impl Application {
    /// Returns the next appearance, and for how long.
    fn change(&mut self, random: &mut Random) -> (Appearance, u64) {
        if let Some(pause) = self.pause {
            self.choices.swap(0, 1);
            return (self.choices[0], pause);
        }
        let pause = match random.below(4) {
            0 => 1 + random.below(20),
            1 => 1 + random.below(500),
            2 => random.one_of(&[1, 100, 249, 250, 399, 400, 401, 499, 500, 501, 650]),
            _ => 1 + random.below(3000),
        };
        (random.appearance(), pause)
    }
}

/// Plays changes and presses for some seconds, and returns the luminance at each millisecond.
fn play(random: &mut Random, dwell: Duration, luminance: &mut [u8]) {
    let mut light = Animation::with_dwell(dwell);
    let mut application = random.application();
    let (mut wanted, mut change) = application.change(random);
    let mut wake = Some(at(0));
    for (now, luminance) in (0..).zip(luminance) {
        if now == change {
            let (next, pause) = application.change(random);
            change = now + pause;
            if random.below(8) == 0 {
                light.acknowledge()
            } else {
                wanted = next
            }
            wake = Some(at(now));
        }
        // Woken only when it asks for it.
        if wake.is_some_and(|wake| wake <= at(now)) {
            light.show(at(now), wanted);
            wake = light.next_frame(at(now));
            assert!(wake.is_none_or(|wake| wake > at(now)), "it would never sleep");
        }
        *luminance = light.frame(at(now)).luminance();
    }
}

/// A flash is a pair of opposing changes, as WCAG 2.3.1 defines it: three in a second are the most that is allowed, and there are
/// two at most here, whatever applications, buttons and palettes do.
#[test]
fn nothing_flashes_three_times_a_second_whatever_an_application_does() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut luminance = [0; 10_000];
    let mut most = 0;
    for history in 0..150 {
        let dwell = random.one_of(&[0, 400, 500, 2000]);
        play(&mut random, Duration::from_millis(dwell), &mut luminance);
        let flashes = flashes_in_a_second(luminance.len() as u32, |ms| luminance[ms as usize]);
        assert!(flashes < 3, "{flashes} in history {history}");
        most = most.max(flashes);
    }
    assert_eq!(most, 2, "some histories flash as often as they may");
}

/// The worst that an application can do: two patterns that flash for a moment as they begin, and one change after another.
#[test]
fn patterns_that_are_begun_again_and_again_do_not_flash_either() {
    for on_ms in [1, 2, 50, 99, 100, 101, 399, 400, 499] {
        let choices = [500, 501].map(|period| Appearance {
            colour: Rgb::WHITE,
            level: 255,
            pattern: Pattern::Blink { on_ms, period: Period::from_millis(period) },
        });
        for pause in [1, 10, 100, 399, 400, 401, 450, 500, 501, 600] {
            let (mut light, mut luminance) = (Animation::new(), [0; 10_000]);
            for (now, luminance) in (0..).zip(&mut luminance) {
                light.show(at(now), choices[(now / pause % 2) as usize]);
                *luminance = light.frame(at(now)).luminance();
            }
            let flashes = flashes_in_a_second(luminance.len() as u32, |ms| luminance[ms as usize]);
            assert!(flashes < 3, "{flashes} with {on_ms} ms of light, {pause} ms between changes");
        }
    }
}

/// Without the animation such histories flash more often: the test above can fail.
#[test]
fn histories_are_bad_enough() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut luminance = [0; 10_000];
    let flashes = (0..20).map(|_| {
        let mut application = random.application();
        let (mut wanted, mut change) = (Appearance::OFF, 0);
        for (now, luminance) in (0..).zip(&mut luminance) {
            if now == change {
                let (next, pause) = application.change(&mut random);
                (wanted, change) = (next, now + pause);
            }
            *luminance = wanted.frame_at(now as u32).luminance();
        }
        flashes_in_a_second(luminance.len() as u32, |ms| luminance[ms as usize])
    });
    assert!(flashes.max().unwrap() > 3);
}

#[test]
fn a_change_is_shown_at_once_or_400_ms_after_the_last_one() {
    let palette = Palette::DEFAULT;
    let mut light = Animation::new();
    light.show(at(5), palette.busy);
    assert_eq!((light.shown(), light.next_frame(at(5))), (palette.busy, None));
    light.show(at(405), palette.available);
    assert_eq!(light.shown(), palette.available, "400 ms later");
    light.show(at(804), palette.busy);
    assert_eq!((light.shown(), light.next_frame(at(804))), (palette.available, Some(at(805))));
    light.show(at(805), palette.busy);
    assert_eq!(light.shown(), palette.busy);
    // An application that returns to what is shown changes nothing, ...
    light.show(at(900), palette.away);
    light.show(at(1100), palette.busy);
    assert_eq!((light.shown(), light.next_frame(at(1100))), (palette.busy, None));
    // ... and the clock may stand still or go back.
    light.show(at(700), palette.away);
    assert_eq!((light.shown(), light.frame(at(700))), (palette.busy, palette.busy.frame_at(0)));
}

/// A pattern stands still while a change waits, so that a blink of four a second does not keep it waiting for ever, and goes on
/// where it stood.
#[test]
fn a_pattern_stands_still_while_a_change_waits() {
    let blink =
        Appearance { colour: Rgb::WHITE, level: 255, pattern: Pattern::Blink { on_ms: 250, period: Period::SHORTEST } };
    let mut light = Animation::new();
    light.show(at(0), blink);
    assert_eq!(light.next_frame(at(0)), Some(at(250)));
    light.show(at(250), blink);
    light.show(at(300), Appearance::OFF);
    // 400 ms after its edge at 250 ms.
    assert_eq!((light.frame(at(600)), light.next_frame(at(600))), (Rgb::BLACK, Some(at(650))));
    light.show(at(600), blink);
    // It had 200 ms left of its dark half.
    assert_eq!(light.next_frame(at(600)), Some(at(800)));
    assert_eq!((light.frame(at(799)), light.frame(at(800))), (Rgb::BLACK, Rgb::WHITE));
    light.show(at(800), blink);
    // 400 ms after the edge at 800 ms, but half a second after its period began.
    light.show(at(801), Appearance::OFF);
    assert_eq!((light.frame(at(1299)), light.next_frame(at(1299))), (Rgb::WHITE, Some(at(1300))));
    light.show(at(1300), Appearance::OFF);
    assert_eq!((light.shown(), light.next_frame(at(1300))), (Appearance::OFF, None));
}

/// A change that comes together with an edge of the pattern takes its place: the edge is not drawn first.
#[test]
fn a_change_at_an_edge_takes_its_place() {
    let blink = Appearance {
        colour: Rgb::WHITE,
        level: 255,
        pattern: Pattern::Blink { on_ms: 500, period: Period::from_millis(1000) },
    };
    let mut light = Animation::new();
    light.show(at(0), blink);
    light.show(at(500), blink);
    light.show(at(1000), Appearance::OFF);
    assert_eq!((light.shown(), light.next_frame(at(1000))), (Appearance::OFF, None));
    // One that is drawn late as well: it was lit until 1999.
    light.show(at(1500), blink);
    light.show(at(2100), Appearance::OFF);
    assert_eq!((light.shown(), light.frame(at(2100))), (Appearance::OFF, Rgb::BLACK));
}

#[test]
fn a_press_that_changes_nothing_blinks_once() {
    let lit = Palette::DEFAULT.busy;
    for (shown, wink) in [(lit, Rgb::BLACK), (Appearance::OFF, Rgb::new(64, 64, 64))] {
        let mut light = Animation::new();
        light.show(at(0), shown);
        light.acknowledge();
        light.show(at(1000), shown);
        assert_eq!((light.frame(at(1000)), light.next_frame(at(1000)), light.shown()), (wink, Some(at(1400)), shown));
        // A second press meanwhile is one with the first.
        light.acknowledge();
        light.show(at(1400), shown);
        assert_eq!((light.frame(at(1400)), light.next_frame(at(1400))), (shown.frame_at(0), None));
    }
}

#[test]
fn a_change_takes_the_place_of_a_blink() {
    let Palette { busy, available, .. } = Palette::DEFAULT;
    let mut light = Animation::new();
    light.show(at(0), busy);
    light.acknowledge();
    light.show(at(100), busy);
    assert_eq!((light.frame(at(100)), light.next_frame(at(100))), (busy.frame_at(0), Some(at(400))), "it waits");
    light.show(at(400), available);
    assert_eq!((light.frame(at(400)), light.next_frame(at(400))), (available.frame_at(0), None));
    // One that comes during the blink is shown at its end.
    light.acknowledge();
    light.show(at(1000), available);
    light.show(at(1100), busy);
    assert_eq!((light.frame(at(1399)), light.next_frame(at(1399))), (Rgb::BLACK, Some(at(1400))));
    light.show(at(1400), busy);
    assert_eq!((light.frame(at(1400)), light.next_frame(at(1400))), (busy.frame_at(0), None));
}

/// A relay: lit or not, for a minute at least, and no blink.
#[test]
fn a_longer_dwell_makes_fewer_changes() {
    let Palette { busy, presenting, available, .. } = Palette::RELAY;
    let mut relay = Animation::with_dwell(Palette::RELAY.dwell);
    let (mut switched, mut last) = (0, Rgb::BLACK);
    for second in 0..3600 {
        let now = Instant::from_secs(second);
        relay.show(now, [busy, available, presenting][second as usize % 3]);
        relay.acknowledge();
        switched += u32::from(core::mem::replace(&mut last, relay.frame(now)) != relay.frame(now));
    }
    assert!((50..=60).contains(&switched), "{switched}");
    assert_eq!(Animation::default(), Animation::with_dwell(Duration::ZERO));
    relay.set_dwell(Duration::ZERO);
    relay.show(Instant::from_secs(3600), busy);
    let end = Instant::from_secs(3600) + Animation::MIN_DWELL;
    relay.show(end, available);
    assert_eq!(relay.frame(end), Rgb::BLACK, "as any other light");
}
