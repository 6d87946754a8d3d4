//! Presses: counted once however the contacts chatter, and none of them missed, against a second opinion.

use firmware::{Button, Buttons, Pressed};
use presence_core::{Duration, Instant};

const UP: Pressed = Pressed { a: false, b: false };
const A: Pressed = Pressed { a: true, b: false };
const B: Pressed = Pressed { a: false, b: true };
const BOTH: Pressed = Pressed { a: true, b: true };

/// Samples in order, at milliseconds after a start, with what each reports.
fn check(samples: &[(u64, Pressed, Option<Button>)]) {
    let mut buttons = Buttons::new();
    for (millis, pressed, expected) in samples {
        assert_eq!(
            buttons.sample(*pressed, Instant::from_millis(1000 + millis)),
            *expected,
            "{millis} ms of {samples:?}"
        );
    }
}

#[test]
fn a_press_right_after_a_release_counts() {
    // As soon as the release is stable.
    check(&[
        (0, A, Some(Button::A)),
        (30, UP, None),
        (60, A, Some(Button::A)),
        (90, UP, None),
        (120, A, Some(Button::A)),
    ]);
    // Before that it may be chatter, and counts when it lasts.
    check(&[(0, A, Some(Button::A)), (30, UP, None), (59, A, None), (60, A, Some(Button::A))]);
    // A release that was too short to be seen is none.
    check(&[(0, A, Some(Button::A)), (10, UP, None), (29, A, None), (30, A, None)]);
    // The other button, in the same instant.
    check(&[(0, A, Some(Button::A)), (30, B, Some(Button::B)), (60, A, Some(Button::A))]);
}

#[test]
fn the_second_button_counts_while_the_first_is_down() {
    check(&[(0, A, Some(Button::A)), (40, BOTH, Some(Button::B)), (80, A, None), (120, BOTH, Some(Button::B))]);
    check(&[(0, B, Some(Button::B)), (40, BOTH, Some(Button::A)), (80, UP, None), (120, BOTH, None), (160, UP, None)]);
    check(&[(0, BOTH, None), (40, A, None), (80, BOTH, Some(Button::B)), (120, B, None), (160, BOTH, Some(Button::A))]);
}

/// The changes that count: each is the first sample that differs from the one before, 30 ms or more after it.
fn second_opinion(samples: &[(Instant, Pressed)]) -> Vec<Option<Button>> {
    let mut counted = vec![(None::<Instant>, UP)];
    let mut presses = Vec::new();
    for (at, pressed) in samples {
        let (since, before) = *counted.last().unwrap();
        let is_stable = since.is_none_or(|since| at.as_millis() - since.as_millis() >= 30);
        let mut press = None;
        if is_stable && (pressed.a, pressed.b) != (before.a, before.b) {
            counted.push((Some(*at), *pressed));
            press = match (before.a, pressed.a, before.b, pressed.b) {
                (false, true, false, true) => None,
                (false, true, _, _) => Some(Button::A),
                (_, _, false, true) => Some(Button::B),
                _ => None,
            };
        }
        presses.push(press);
    }
    presses
}

/// All sequences of five samples, at every interval around the time of a bounce; and when to look again.
#[test]
fn every_sequence_of_samples_agrees_with_a_second_opinion() {
    let choices: Vec<_> =
        [1, 29, 30, 31].into_iter().flat_map(|step| [UP, A, B, BOTH].map(|state| (step, state))).collect();
    let mut presses = 0;
    for number in 0..choices.len().pow(4) {
        let (mut now, mut rest, mut samples) = (Instant::from_secs(100), number, vec![(Instant::from_secs(100), A)]);
        for _ in 0..4 {
            let (step, state) = choices[rest % choices.len()];
            now = now.saturating_add(Duration::from_millis(step));
            samples.push((now, state));
            rest /= choices.len();
        }
        let mut buttons = Buttons::new();
        let expected = second_opinion(&samples);
        for ((now, state), expected) in samples.iter().zip(expected) {
            assert_eq!(buttons.sample(*state, *now), expected, "{samples:?}");
            presses += u32::from(expected.is_some());
            // Whoever looks again when it is told to misses nothing that lasts.
            if let Some(stable) = buttons.stable_at(*now) {
                assert!(stable > *now && stable.saturating_duration_since(*now) <= Duration::from_millis(30));
            }
        }
    }
    assert!(presses > 65_536);
}

#[test]
fn it_looks_again_when_a_change_is_stable_and_not_later() {
    let mut buttons = Buttons::new();
    let at = |millis: u64| Instant::from_millis(1000 + millis);
    assert_eq!(buttons.stable_at(at(0)), None, "nothing has changed yet");
    buttons.sample(UP, at(0));
    assert_eq!(buttons.stable_at(at(0)), None);
    buttons.sample(A, at(5));
    assert_eq!([5, 6, 34].map(|millis| buttons.stable_at(at(millis))), [Some(at(35)); 3]);
    assert_eq!([35, 36, 1000].map(|millis| buttons.stable_at(at(millis))), [None; 3]);
    buttons.sample(UP, at(34));
    assert_eq!(buttons.stable_at(at(34)), Some(at(35)), "what does not count yet changes nothing");
    buttons.sample(UP, at(35));
    assert_eq!(buttons.stable_at(at(35)), Some(at(65)), "a release may bounce, too");
}
