//! Bytes to lines: rule L1.

use presence_core::graph::Line;
use presence_core::lines::{Input, LineBuffer};
use presence_core::{Duration, Instant};
use proptest::prelude::*;
use support::model::cases;
use support::model::lines::{Event, lines};

const LEN: usize = 12;

fn play(history: &[(u64, Event)]) -> Vec<Option<Vec<u8>>> {
    let mut lines = LineBuffer::<LEN>::new();
    let mut received = Vec::new();
    for (at, event) in history {
        let now = Instant::from_millis(*at);
        match event {
            Event::Byte(byte) => {
                if lines.push(*byte, now) {
                    received.push(lines.line().map(<[u8]>::to_vec));
                    assert!(lines.line().is_some() || matches!(lines.input(), Input::Line(Line::TOO_LONG)));
                } else {
                    assert_eq!((lines.line(), lines.input()), (None, Input::Line(Line::Blank)));
                }
            }
            Event::Loss => lines.lose(now),
            Event::Reopen => lines.clear(),
        }
    }
    received
}

fn bytes(text: &[u8]) -> Vec<(u64, Event)> {
    text.iter().map(|byte| (0, Event::Byte(*byte))).collect()
}

/// Bytes that mean something here more often than others, and silences around those that count.
fn history() -> impl Strategy<Value = Vec<(u64, Event)>> {
    let byte = prop_oneof![
        4 => prop::sample::select(b"{}ab \0\r\n\xEF\xBB\xBF".to_vec()).prop_map(|byte| vec![Event::Byte(byte)]),
        1 => any::<u8>().prop_map(|byte| vec![Event::Byte(byte)]),
        1 => Just("\u{feff}".bytes().map(Event::Byte).collect()),
        1 => "[a-c]{9,14}".prop_map(|text: String| text.bytes().map(Event::Byte).collect()),
    ];
    let event = prop_oneof![20 => byte, 1 => Just(vec![Event::Loss]), 1 => Just(vec![Event::Reopen])];
    let silence = prop_oneof![
        8 => Just(0_u64),
        1 => prop::sample::select(vec![1_999, 2_000, 2_001, 29_999, 30_000, 30_001]),
        1 => 0..40_000_u64,
    ];
    prop::collection::vec((silence, event), 0..60).prop_map(|steps| {
        let mut at = 0;
        let timed = steps.into_iter().flat_map(|(silence, events)| {
            at += silence;
            events.into_iter().map(move |event| (at, event))
        });
        timed.collect()
    })
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn l1_lines_are_those_of_the_whole_history(history in history()) {
        prop_assert_eq!(play(&history), lines(&history, LEN));
    }
}

#[test]
fn l1_ends_of_lines() {
    for (text, expected) in [
        (&b"a\rb\nc\r\nd"[..], vec!["a", "b", "c"]),
        (b"\r\r\n\n \r\n", vec![" "]),
        (b"\0\0a\0\n\0", vec!["a\0"]),
        (b"\xEF\xBB\xBFa\n\0\xEF\xBB\xBF\0\xEF\xBB\xBFb\n", vec!["a", "b"]),
        (b"a\xEF\xBB\xBF\n", vec!["a\u{feff}"]),
        (b"123456789012\n1234567890123\n1\n", vec!["123456789012", "-", "1"]),
        (b"\xEF\xBB\xBF123456789012\n", vec!["123456789012"]),
    ] {
        let received: Vec<_> = play(&bytes(text))
            .into_iter()
            .map(|line| line.map_or("-".into(), |line| String::from_utf8(line).unwrap()))
            .collect();
        assert_eq!(received, expected, "{text:?}");
    }
}

/// Every moment of silence around the two that count, before every byte that a line may begin with.
#[test]
fn l1_half_a_line_is_dropped_after_silence() {
    for (silence, begins_anew) in
        [(0, ""), (1_999, ""), (2_000, "{"), (29_999, "{"), (30_000, "{}\"ax \0"), (u64::MAX / 2, "{}\"ax \0")]
    {
        for byte in "{}\"ax ".bytes() {
            let mut history = bytes(b"half");
            history.extend([(silence, Event::Byte(byte)), (silence, Event::Byte(b'\n'))]);
            let expected =
                if begins_anew.contains(char::from(byte)) { vec![byte] } else { [b"half", &[byte][..]].concat() };
            assert_eq!(play(&history), [Some(expected)], "{silence} ms before {byte}");
        }
    }
    let mut history = bytes(b"half");
    history.push((30_000, Event::Byte(b'\n')));
    assert_eq!(play(&history), [], "silently");
    // What was rejected already is dropped as well.
    let mut history = bytes(b"1234567890123");
    history.extend([(2_000, Event::Byte(b'{')), (2_000, Event::Byte(b'\n'))]);
    assert_eq!(play(&history), [Some(b"{".to_vec())]);
    // Each byte begins the silence anew, and a clock that goes back is none.
    let mut lines = LineBuffer::<LEN>::new();
    for (secs, byte) in [(100, b'a'), (129, b'b'), (158, b'c'), (10, b'{'), (39, b'd'), (68, b'\n')] {
        assert_eq!(lines.push(byte, Instant::ZERO + Duration::from_secs(secs)), byte == b'\n');
    }
    assert_eq!(lines.line(), Some(&b"abc{d"[..]));
}

/// Three lines with a loss before any byte of them, the first, the newline and the byte after it included.
#[test]
fn l1_the_line_that_lost_a_byte_is_rejected_wherever_it_was_lost() {
    let text = "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n";
    let line_len = text.len() / 3;
    for lost in 0..text.len() {
        let mut history = bytes(text.as_bytes());
        history.insert(lost, (0, Event::Loss));
        let lines = text.lines().enumerate();
        let expected = lines.map(|(number, line)| (number != lost / line_len).then(|| line.as_bytes().to_vec()));
        assert_eq!(play(&history), expected.collect::<Vec<_>>(), "before byte {lost}");
    }
    // A loss is no silence: what was lost may have been anything.
    let mut lines = LineBuffer::<LEN>::new();
    lines.push(b'a', Instant::ZERO);
    lines.lose(Instant::from_secs(60));
    assert!(!lines.push(b'{', Instant::from_secs(61)) && lines.push(b'\n', Instant::from_secs(61)));
    assert_eq!(lines.line(), None);
}
