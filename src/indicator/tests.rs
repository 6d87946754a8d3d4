//! Properties of every palette of the library and of every possible pattern.

mod animation;
mod hue;

use super::*;
use crate::Availability;

/// The palettes for lamps of every colour.
const PALETTES: [&Palette; 3] = [&Palette::DEFAULT, &Palette::HOME, &Palette::COLOUR_BLIND];
/// Those for lamps of one colour.
const ONE_COLOUR: [&Palette; 2] = [&Palette::LAMP, &Palette::RELAY];

fn appearances(palette: &Palette) -> impl Iterator<Item = (Presence, Appearance)> + '_ {
    Presence::ALL.into_iter().map(|presence| (presence, palette.of(presence)))
}

/// Everything that a palette shows: the presences, out of office and the link, each with a name.
fn everything(palette: &Palette) -> impl Iterator<Item = (&'static str, Appearance)> + '_ {
    let others = [
        ("out of office", palette.out_of_office),
        ("link offline", palette.link_offline),
        ("link sign-in", palette.link_sign_in),
        ("link fault", palette.link_fault),
    ];
    appearances(palette).map(|(presence, lamp)| (presence.activity().name(), lamp)).chain(others)
}

/// Patterns at and beyond every limit.
fn patterns() -> impl Iterator<Item = Pattern> {
    let extremes = [0, 1, 2, 20, 332, 333, 334, 499, 500, 501, 1000, 3000, 32_767, u16::MAX];
    extremes.into_iter().flat_map(move |millis| {
        let period = Period::from_millis(millis);
        let blinks = extremes.into_iter().map(move |on_ms| Pattern::Blink { on_ms, period });
        let others = [Pattern::Solid, Pattern::Breathe { period }, Pattern::Alternate { other: Rgb::WHITE, period }];
        others.into_iter().chain(blinks)
    })
}

/// Two repetitions and a little more, in milliseconds.
fn span(pattern: Pattern) -> u32 {
    let period = match pattern {
        Pattern::Solid => Period::SHORTEST,
        Pattern::Breathe { period } | Pattern::Blink { period, .. } | Pattern::Alternate { period, .. } => period,
    };
    2 * u32::from(period.as_millis()) + 1500
}

/// The highest number of flashes within any second.
///
/// A flash, as WCAG 2.3.1 defines it: a pair of opposing changes, each of a tenth of the full brightness or more.
fn flashes_in_a_second(span: u32, level_at: impl Fn(u32) -> u8) -> usize {
    const TENTH: u8 = 25;
    let mut changes = heapless::Deque::<u32, 1024>::new();
    let (mut most, mut is_rising, mut extreme) = (0, false, level_at(0));
    for elapsed_ms in 0..span {
        let level = level_at(elapsed_ms);
        extreme = if is_rising { extreme.max(level) } else { extreme.min(level) };
        if extreme.abs_diff(level) >= TENTH {
            (is_rising, extreme) = (!is_rising, level);
            changes.push_back(elapsed_ms).unwrap();
        }
        while changes.front().is_some_and(|first| elapsed_ms - first >= 1000) {
            changes.pop_front();
        }
        most = most.max(changes.len() / 2);
    }
    most
}

#[test]
fn nothing_flashes_three_times_a_second() {
    for pattern in patterns() {
        let (lamp, span) = (Appearance { colour: Rgb::BLACK, level: 255, pattern }, span(pattern));
        assert!(flashes_in_a_second(span, |elapsed_ms| pattern.level_at(elapsed_ms)) < 3, "{pattern:?}");
        assert!(flashes_in_a_second(span, |elapsed_ms| lamp.frame_at(elapsed_ms).red) < 3, "{pattern:?}");
    }
    for (presence, lamp) in PALETTES.into_iter().chain(ONE_COLOUR).flat_map(everything) {
        let parts: [fn(Rgb) -> u8; 4] = [|rgb| rgb.red, |rgb| rgb.green, |rgb| rgb.blue, Rgb::luminance];
        for part in parts {
            assert!(flashes_in_a_second(span(lamp.pattern), |ms| part(lamp.frame_at(ms))) < 3, "{presence}");
        }
    }
}

#[test]
fn the_counter_of_flashes_counts() {
    let at_four_hertz = |elapsed_ms: u32| if elapsed_ms % 250 < 125 { 255 } else { 0 };
    assert_eq!(flashes_in_a_second(5000, at_four_hertz), 4);
}

#[test]
fn nothing_changes_before_the_next_frame() {
    for pattern in patterns() {
        let lamp = Appearance { colour: Rgb::new(10, 200, 30), level: 250, pattern };
        // From the beginning, and across the wrap of the elapsed time.
        for (start, span) in [(0, span(pattern)), (u32::MAX - 2000, 4000)] {
            let (mut due, mut last) = (start, lamp.frame_at(start));
            for elapsed_ms in (0..span).map(|after| start.wrapping_add(after)) {
                let frame = lamp.frame_at(elapsed_ms);
                if elapsed_ms == due {
                    last = frame;
                    let Some(sleep) = lamp.next_frame_in(elapsed_ms) else { break };
                    assert!(sleep > 0, "{pattern:?} at {elapsed_ms}");
                    due = elapsed_ms.wrapping_add(sleep.into());
                }
                assert_eq!(frame, last, "{pattern:?} at {elapsed_ms}");
            }
        }
    }
}

/// The level of each pattern at each of its edges, and the time until the next one.
#[test]
fn patterns_change_at_their_edges_and_sleep_in_between() {
    let period = Period::from_millis(1001);
    let blink = |on_ms| Pattern::Blink { on_ms, period };
    let frame = |pattern: Pattern, ms| (pattern.level_at(ms), pattern.next_frame_in(ms));
    for start in [0, 1001, 2002] {
        assert_eq!(
            [0, 299, 300, 1000].map(|ms| frame(blink(300), start + ms)),
            [(255, Some(300)), (255, Some(1)), (0, Some(701)), (0, Some(1)),]
        );
        assert_eq!(
            [0, 999, 1000].map(|ms| frame(blink(1000), start + ms)),
            [(255, Some(1000)), (255, Some(1)), (0, Some(1))]
        );
        // Always lit, or never.
        for (on_ms, level) in [(0, 0), (1001, 255), (u16::MAX, 255)] {
            assert_eq!([0, 500, 1000].map(|ms| frame(blink(on_ms), start + ms)), [(level, None); 3]);
        }
        let alternate = Pattern::Alternate { other: Rgb::WHITE, period };
        assert_eq!(
            [0, 499, 500, 1000].map(|ms| (alternate.other_at(start + ms), alternate.next_frame_in(start + ms))),
            [(None, Some(500)), (None, Some(1)), (Some(Rgb::WHITE), Some(501)), (Some(Rgb::WHITE), Some(1)),]
        );
        assert_eq!(frame(Pattern::Solid, start), (255, None));
    }
    assert!(
        [Pattern::Solid, blink(300), Pattern::Breathe { period }].iter().all(|pattern| pattern.other_at(700).is_none())
    );
    // A dark light does not change: the device may sleep.
    let lamp = |level| Appearance { colour: Rgb::WHITE, level, pattern: blink(300) };
    assert_eq!([lamp(0), lamp(1), lamp(255)].map(|lamp| lamp.next_frame_in(299)), [None, Some(1), Some(1)]);
}

#[test]
fn a_light_that_sleeps_does_not_change() {
    for pattern in patterns() {
        if pattern.next_frame_in(0).is_none() {
            assert!(
                (0..span(pattern)).all(|elapsed_ms| pattern.level_at(elapsed_ms) == pattern.level_at(0)),
                "{pattern:?}"
            );
            assert!((0..span(pattern)).all(|elapsed_ms| pattern.next_frame_in(elapsed_ms).is_none()), "{pattern:?}");
        }
    }
}

#[test]
fn a_breath_is_smooth_and_never_goes_out() {
    for millis in [500, 501, 3000, 9999, u16::MAX] {
        let pattern = Pattern::Breathe { period: Period::from_millis(millis) };
        assert_eq!(pattern.level_at(0), u8::MAX);
        for elapsed_ms in 1..=2 * u32::from(millis) {
            let (before, after) = (pattern.level_at(elapsed_ms - 1), pattern.level_at(elapsed_ms));
            assert!(before.abs_diff(after) <= 7 && after >= 32, "{millis}: {before} -> {after} at {elapsed_ms}");
        }
        assert_eq!(pattern.level_at(u32::from(millis).div_ceil(2)), 32);
    }
}

/// Reports whether two lights look alike without colours: equal patterns, and brightnesses that differ by less than a quarter.
fn look_alike(one: Appearance, another: Appearance) -> bool {
    let brightness = |lamp: Appearance| u32::from(lamp.frame_at(0).luminance());
    let (dimmer, brighter) = match (brightness(one), brightness(another)) {
        (one, another) if one < another => (one, another),
        (one, another) => (another, one),
    };
    let same_pattern = match (one.pattern, another.pattern) {
        (Pattern::Alternate { period, .. }, Pattern::Alternate { period: other, .. }) => period == other,
        (one, another) => one == another,
    };
    same_pattern && brighter * 4 < dimmer * 5 + 1
}

#[test]
fn every_availability_is_distinguishable_without_colour() {
    for palette in PALETTES {
        for (presence, lamp) in appearances(palette) {
            for (other_presence, other) in appearances(palette) {
                let same = presence.availability() == other_presence.availability();
                assert!(same || !look_alike(lamp, other), "{presence} looks like {other_presence}");
            }
        }
        // Out of office and each state of the link are like nothing else.
        for (index, (name, lamp)) in everything(palette).enumerate().skip(Presence::ALL.len()) {
            for (_, (other_name, other)) in everything(palette).enumerate().filter(|(other, _)| *other != index) {
                assert!(!look_alike(lamp, other), "{name} looks like {other_name}");
            }
        }
    }
}

/// The state of the link is blue at every moment: no other part is as strong, and red is weaker than green.
#[test]
fn the_link_is_blue_and_never_red() {
    for palette in PALETTES {
        for lamp in [palette.link_offline, palette.link_sign_in, palette.link_fault] {
            for frame in (0..span(lamp.pattern)).map(|ms| lamp.frame_at(ms)).filter(|frame| *frame != Rgb::BLACK) {
                assert!(frame.blue > frame.green && frame.green > frame.red && frame.red <= 128, "{frame:?}");
            }
        }
        for (presence, lamp) in appearances(palette) {
            let link = [palette.link_offline, palette.link_sign_in, palette.link_fault];
            assert!(link.iter().all(|link| link.pattern != lamp.pattern), "{presence} blinks like a link");
        }
    }
}

/// Lit means “do not enter”: the list is complete, and nothing else lights a relay.
#[test]
fn a_lamp_of_one_colour_is_lit_for_those_who_are_not_to_be_disturbed() {
    let lit = [
        Presence::Busy,
        Presence::InAMeeting,
        Presence::InACall,
        Presence::InAConferenceCall,
        Presence::DoNotDisturb,
        Presence::Focusing,
        Presence::UrgentInterruptionsOnly,
        Presence::Presenting,
    ];
    for presence in Presence::ALL {
        let is_lit = lit.contains(&presence);
        let (lamp, relay) = (Palette::LAMP.of(presence), Palette::RELAY.of(presence));
        // Always lit, or never for long.
        assert!((0..10_000).all(|ms| (lamp.frame_at(ms) != Rgb::BLACK) == is_lit) || lamp == Palette::LAMP.no_news);
        assert_eq!(relay, if is_lit { Palette::RELAY.busy } else { Appearance::OFF }, "{presence}");
        assert_eq!(Palette::LAMP.appearance_out_of_office(presence), if is_lit { lamp } else { Appearance::OFF });
    }
    assert_eq!(Palette::RELAY.busy, Appearance::solid(Rgb::WHITE, 255));
    assert!(everything(&Palette::RELAY).all(|(_, lamp)| lamp == Appearance::OFF || lamp == Palette::RELAY.busy));
    // What is no presence is told apart from one that is lit, and each from the others.
    let Palette { no_news, link_offline, link_sign_in, link_fault, busy, in_a_call, .. } = Palette::LAMP;
    let all = [no_news, link_offline, link_sign_in, link_fault, busy, in_a_call];
    for (index, lamp) in all.iter().enumerate() {
        assert!(all.iter().skip(index + 1).all(|other| !look_alike(*lamp, *other)));
    }
}

#[test]
fn busy_is_brightest_and_away_is_dimmest() {
    for palette in PALETTES {
        let brightness = |presence| palette.of(presence).frame_at(0).luminance();
        let ordered = [Presence::Busy, Presence::Available, Presence::AvailableInactive, Presence::Away];
        assert!(ordered.is_sorted_by(|&brighter, &dimmer| brightness(brighter) > brightness(dimmer)));
        assert!(brightness(Presence::DoNotDisturb) > brightness(Presence::Available));
    }
}

#[test]
fn alternating_colours_move_without_colour() {
    for (presence, lamp) in PALETTES.into_iter().flat_map(everything) {
        if let Pattern::Alternate { other, .. } = lamp.pattern {
            let (one, another) = (u32::from(lamp.colour.luminance()), u32::from(other.luminance()));
            assert!(one.max(another) >= 2 * one.min(another), "{presence}");
        }
    }
}

#[test]
fn a_call_shows_and_an_absence_does_not_look_like_no_news() {
    for palette in PALETTES {
        assert_ne!(palette.busy.pattern, palette.in_a_call.pattern);
        assert_ne!(palette.do_not_disturb.pattern, palette.presenting.pattern);
        for absence in [Absence::NeverSeen, Absence::Expired, Absence::Lost] {
            assert_eq!(palette.appearance(Presence::Offline, Some(absence)), palette.no_news);
        }
        assert_eq!(palette.appearance(Presence::Offline, Some(Absence::Cleared)), Appearance::OFF);
        assert!(appearances(palette).all(|(presence, lamp)| {
            let is_dark = presence.availability() == Availability::Offline;
            is_dark == (lamp.frame_at(0) == Rgb::BLACK)
        }));
    }
}

#[test]
fn the_default_is_the_palette_of_that_name() {
    assert_eq!(Palette::default(), Palette::DEFAULT);
}

#[test]
fn any_entry_can_be_replaced() {
    let mine = Appearance::solid(Rgb::new(1, 2, 3), 4);
    for presence in Presence::ALL {
        let palette = Palette::DEFAULT.with(presence, mine);
        for (other, lamp) in appearances(&palette) {
            assert_eq!(lamp, if other == presence { mine } else { Palette::DEFAULT.of(other) });
        }
    }
}
