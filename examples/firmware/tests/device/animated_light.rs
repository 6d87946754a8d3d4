//! The light in time: the pattern of a presence, what is sent when, and what dims away.

use firmware::{AnimatedLight, Frame, Light, LightError, LightSettings, Link, Sign};
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

/// Wakes a light only when it asks for it, and returns each frame with its time, to the end.
fn play(light: &mut AnimatedLight<Recording>, from: Instant, to: Instant, presence: Presence) -> Vec<(Instant, Frame)> {
    let (mut now, mut frames) = (from, Vec::new());
    loop {
        light.show(now, presence, None);
        frames.extend(light.light().frames.drain(..).map(|frame| (now, frame)));
        match light.wake_at(now).filter(|next| *next < to) {
            Some(next) => {
                assert!(next > now, "it would never sleep");
                now = next;
            }
            None => return frames,
        }
    }
}

/// In a dark night nothing blinks: after an hour “no news” is dark, with no wake-up, until something changes or a button is
/// pressed.
#[test]
fn no_news_dims_away_after_an_hour() {
    let mut light = AnimatedLight::new(Recording::default());
    let (hour, day) = (Instant::from_secs(3600), Instant::from_secs(86_400));
    let frames = play(&mut light, millis(0), day, Presence::Unknown);
    let (last, dark) = frames.last().unwrap();
    assert!(frames.len() > 1000 && *last <= hour && dark.colour == Rgb::BLACK, "{last:?}");
    assert_eq!(light.wake_at(day), None);
    light.show_press(day, Presence::Unknown, None);
    assert_eq!(light.light().frames.pop().unwrap().colour, Palette::DEFAULT.no_news.frame_at(0), "somebody is there");
    let frames = play(&mut light, day, day + Duration::from_days(1), Presence::Unknown);
    let last = frames.last().unwrap().0;
    assert!(last <= day + Duration::from_hours(1) && last > day + Duration::from_mins(59), "{last:?}");
    // The time can be set, and what is known does not dim away.
    let settings = LightSettings { quiet_after: Duration::from_secs(8), ..LightSettings::DEFAULT };
    let mut light = AnimatedLight::new(Recording::default());
    light.set_settings(settings);
    assert_eq!(play(&mut light, millis(0), day, Presence::Unknown).len(), 4, "two blinks");
    assert_eq!(play(&mut light, day, day + Duration::from_hours(9), Presence::Busy).len(), 1);
    light.set_settings(LightSettings { quiet_after: Duration::MAX, ..settings });
    assert!(
        play(&mut light, day + Duration::from_hours(9), day + Duration::from_hours(19), Presence::Unknown).len()
            > 14_000
    );
}

/// The state of the link takes the place of “no news”; it ends by itself.
#[test]
fn l6_the_link_shows_in_place_of_no_news_and_ends_by_itself() {
    let palette = Palette::DEFAULT;
    for (link, shown) in
        [(Link::Offline, palette.link_offline), (Link::SignIn, palette.link_sign_in), (Link::Fault, palette.link_fault)]
    {
        let mut light = AnimatedLight::new(Recording::default());
        light.set_link(link, Instant::from_secs(60));
        let frames = play(&mut light, millis(0), Instant::from_secs(70), Presence::Unknown);
        for (at, frame) in &frames {
            let (at, is_link) = (at.as_millis(), *at < Instant::from_secs(60));
            assert_eq!(frame.sign, if is_link { Sign::Link(link) } else { Sign::Presence }, "{link:?} at {at}");
            let elapsed = if is_link { at } else { at - 60_000 };
            let appearance = if is_link { shown } else { palette.no_news };
            assert_eq!(frame.colour, appearance.frame_at(elapsed as u32), "{link:?} at {at}");
        }
        assert!(frames.iter().any(|(at, _)| *at == Instant::from_secs(60)));
        // Ok ends it as well.
        light.set_link(link, Instant::from_secs(200));
        light.set_link(Link::Ok, Instant::from_secs(200));
        let frames = play(&mut light, Instant::from_secs(100), Instant::from_secs(105), Presence::Unknown);
        assert!(frames.iter().all(|(_, frame)| frame.sign == Sign::Presence));
    }
}

/// Beside a presence a link that needs a person takes two seconds of each ten; one that is only down does not show.
#[test]
fn l6_a_link_that_needs_a_person_takes_turns_with_a_presence() {
    for (link, turns) in [(Link::Offline, 0), (Link::SignIn, 6), (Link::Fault, 6)] {
        let mut light = AnimatedLight::new(Recording::default());
        light.set_link(link, Instant::NEVER);
        let mut shown = std::collections::BTreeMap::<u64, Sign>::new();
        for (at, frame) in play(&mut light, millis(0), Instant::from_secs(60), Presence::Busy) {
            shown.insert(at.as_millis(), frame.sign);
        }
        let signs =
            |sign: Sign| shown.iter().filter(|(_, shown)| **shown == sign).map(|(at, _)| *at).collect::<Vec<_>>();
        let links = signs(Sign::Link(link));
        assert!(links.iter().all(|at| at % 10_000 < 2_000), "{links:?}");
        assert_eq!(links.iter().filter(|at| *at % 10_000 == 0).count(), turns, "{link:?}: {links:?}");
        let busy = signs(Sign::Presence);
        assert!(busy.iter().all(|at| turns == 0 || at % 10_000 == 2_000), "{busy:?}");
        assert!(!busy.is_empty());
    }
}

/// All night: neither “no news” nor a link nor both blink after an hour, and a user who is gone stays dark.
#[test]
fn nothing_blinks_in_a_dark_night() {
    for link in Link::ALL {
        for presence in [Presence::Unknown, Presence::Offline, Presence::OffWork] {
            let mut light = AnimatedLight::new(Recording::default());
            light.set_link(link, Instant::NEVER);
            let frames = play(&mut light, millis(0), Instant::from_secs(40_000), presence);
            let (last, frame) = frames.last().unwrap();
            assert!(*last <= Instant::from_secs(3600) && frame.colour == Rgb::BLACK, "{link:?} {presence} {last:?}");
        }
    }
}

/// A press that changes what is shown is seen; one that does not is acknowledged by one blink of 400 ms.
#[test]
fn a_press_that_changes_nothing_is_acknowledged() {
    let mut light = AnimatedLight::new(Recording::default());
    let busy = Palette::DEFAULT.busy.frame_at(0);
    light.show(millis(0), Presence::Busy, None);
    light.light().frames.clear();
    light.show_press(millis(5_000), Presence::Busy, None);
    let frames = play(&mut light, millis(5_000), millis(20_000), Presence::Busy);
    let shown: Vec<_> = frames.iter().map(|(at, frame)| (at.as_millis(), frame.colour)).collect();
    assert_eq!((light.light().frames.len(), shown), (0, vec![(5_000, Rgb::BLACK), (5_400, busy)]));
    light.show_press(millis(30_000), Presence::Available, None);
    let frames = play(&mut light, millis(30_000), millis(40_000), Presence::Available);
    assert_eq!(
        frames.iter().map(|(_, frame)| frame.colour).collect::<Vec<_>>(),
        [Palette::DEFAULT.available.frame_at(0)]
    );
}

/// A host that flaps ten times a second makes at most three changes in any second, and the light ends as the host does.
#[test]
fn a_host_that_flaps_does_not_make_a_light_flash() {
    let mut light = AnimatedLight::new(Recording::default());
    let mut changes: Vec<u64> = Vec::new();
    for ms in 0..20_000 {
        let presence = if ms / 50 % 2 == 0 { Presence::Busy } else { Presence::Offline };
        light.show(millis(ms), presence, None);
        changes.extend(light.light().frames.drain(..).map(|_| ms));
    }
    assert!(changes.windows(2).all(|pair| pair[1] - pair[0] >= 400), "{changes:?}");
    assert!(changes.len() > 20);
    let last = play(&mut light, millis(20_000), millis(21_000), Presence::Available);
    assert_eq!(last.last().unwrap().1, light_frame(Presence::Available));
}

/// A relay on a pin switches at most once a minute, and only when lit or not changes.
#[test]
fn a_relay_switches_once_a_minute_at_most() {
    let mut light = AnimatedLight::new(Recording::default());
    light.set_settings(LightSettings { palette: &Palette::RELAY, ..LightSettings::DEFAULT });
    let mut switched: Vec<u64> = Vec::new();
    let mut is_lit = false;
    for second in 0..3_600 {
        let presence = Presence::ALL[(second * 7 % Presence::ALL.len() as u64) as usize];
        light.show(Instant::from_secs(second), presence, None);
        light.show_press(Instant::from_secs(second), presence, None);
        for frame in light.light().frames.drain(..) {
            let lit = frame.colour != Rgb::BLACK;
            if lit != is_lit {
                (is_lit, _) = (lit, switched.push(second));
            }
        }
    }
    assert!(switched.windows(2).all(|pair| pair[1] - pair[0] >= 60), "{switched:?}");
    assert!(switched.len() > 30);
    let before = switched.len();
    light.show(Instant::from_secs(4_000), Presence::Busy, None);
    light.light().frames.clear();
    for second in 4_000..4_600 {
        let busy = [Presence::Busy, Presence::InACall, Presence::DoNotDisturb, Presence::Presenting];
        light.show(Instant::from_secs(second), busy[second as usize % 4], None);
    }
    assert!(light.light().frames.iter().all(|frame| frame.colour == Rgb::WHITE), "lit all the time, after {before}");
}
