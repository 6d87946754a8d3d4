//! Lines that come back: rule L2.

use super::{light, serve};
use presence_core::graph::{Buffer, Error, Line, Trace, Writer};
use presence_core::lines::{Input, LineBuffer};
use presence_core::{Instant, SessionId};

const SET: &str = r#"{"id":"1","method":"POST","url":"/me/presence/setPresence","body":{"sessionId":"22222222-2222-2222-2222-222222222222","availability":"Busy","activity":"Busy"}}"#;

/// Whatever a device answers: its lines come back, and no line is answered more than once.
#[test]
fn l2_what_the_device_says_is_not_answered_when_it_comes_back() {
    let mut light = light();
    let too_deep = format!(r#"{{"id":"7","body":{}"#, "[".repeat(40));
    let too_long = "x".repeat(Line::MAX_LEN + 1);
    let read = r#"{"id":"1","method":"GET","url":"/me/presence"}"#;
    let clear = SET.replace("setPresence", "clearPresence");
    let mut lines = 0;
    for line in [
        SET,
        read,
        &clear,
        &clear,
        "Busy",
        "Busy/Away",
        "not json",
        "[]",
        r#"{"id":1}"#,
        "\u{feff}{",
        &too_deep,
        &too_long,
    ] {
        let written = serve(&mut light, line);
        lines += written.len();
        let before = light.user.user().clone();
        for line in &written {
            for line in [line.clone(), format!("\u{feff} {line}\r")] {
                assert_eq!(Input::parse(line.as_bytes()), Input::Echo, "{line}");
                assert_eq!(serve(&mut light, &line), [""; 0], "{line}");
            }
        }
        assert_eq!(*light.user.user(), before);
    }
    assert_eq!(lines, 15, "a response to each, and three changes");
}

/// `status`, `from` with `to`, or `light` at the top, in any spelling, make a line one of the device's own, whatever else is there.
#[test]
fn l2_a_line_of_the_device_is_known_by_its_members() {
    let with = |members: &str| SET.replacen("{", &format!("{{{members},"), 1);
    for members in [
        r#""status":200"#,
        r#""status":"x""#,
        r#""light":{}"#,
        r#""light":0"#,
        r#""from":{},"to":{}"#,
        r#""to":[],"at":1,"from":false"#,
        r#""\u0073tatus":1"#,
        r#""status":1,"status":2"#,
    ] {
        for line in [with(members), format!("{{{members}}}")] {
            let mut light = light();
            let input = Input::parse(line.as_bytes());
            assert_eq!((input, input.has_response()), (Input::Echo, false), "{members}");
            assert_eq!(serve(&mut light, &with(members)), [""; 0], "{members}");
            assert_eq!(light.user.user().revision(), 0);
        }
    }
    // Null is none, deeper ones do not count, and half an event is none.
    for members in [
        r#""status":null"#,
        r#""from":{}"#,
        r#""to":{}"#,
        r#""from":{},"to":null"#,
        r#""Status":200"#,
        r#""other":{"status":200,"light":1,"from":1,"to":1}"#,
        r#""headers":{"status":"200"}"#,
    ] {
        let mut light = light();
        let line = with(members);
        assert!(Input::parse(line.as_bytes()).has_response(), "{members}");
        assert_eq!(serve(&mut light, &line).last().unwrap(), r#"{"id":"1","status":200}"#, "{members}");
        assert!(light.user.user().sessions().iter().any(|session| session.id() == SessionId::from_bytes([0x22; 16])));
    }
}

/// An error of the application's own is written all the same: it decides not to.
#[test]
fn l2_a_line_of_the_device_has_no_id_to_answer_under() {
    let mut bytes = [0; 512];
    let mut response = Buffer::new(&mut bytes);
    Input::parse(br#"{"id":"1","status":200}"#)
        .write_error(Error::OutOfOrder, &Trace::default(), &mut response)
        .unwrap();
    assert!(response.written().starts_with(br#"{"id":null,"status":400,"#));
    assert!(response.remaining() > 0);
}

/// A response may be longer than a line, and then begins like one. Whatever is cut off, it is known once its member is there.
#[test]
fn l2_a_line_of_the_device_that_does_not_fit_is_known_by_its_start() {
    fn cut<const LEN: usize>(line: &[u8]) -> Input<'static> {
        let mut lines = LineBuffer::<LEN>::new();
        let ends: Vec<_> = line.iter().chain(b"\n").map(|byte| lines.push(*byte, Instant::ZERO)).collect();
        assert_eq!(ends.iter().position(|ended| *ended), Some(line.len()));
        match lines.input() {
            Input::Echo => Input::Echo,
            Input::Line(line) if line == Line::TOO_LONG => Input::Line(Line::TOO_LONG),
            other => panic!("{other:?}"),
        }
    }
    let response = r#" {"id":"é","status":200,"body":{"value":["é","#;
    let event = br#"{"at":5,"from":{"availability":"Offline"},"to":{},"cause""#;
    assert_eq!(cut::<21>(response.as_bytes()), Input::Line(Line::TOO_LONG), "no value yet");
    assert_eq!(cut::<22>(response.as_bytes()), Input::Echo);
    assert_eq!(cut::<42>(response.as_bytes()), Input::Echo, "in a character");
    assert_eq!(cut::<43>(event), Input::Line(Line::TOO_LONG));
    assert_eq!(cut::<49>(event), Input::Echo);
    assert_eq!(cut::<49>(&[b"\xEF\xBB\xBF", &event[..]].concat()), Input::Echo);
    for request in [SET, r#"{"body":{"status":200,"light":1},"id":"status","#, "[{\"status\":200},", "\"status\":200,"]
    {
        let request = format!("{request}{}", "x".repeat(20));
        assert_eq!(cut::<20>(request.as_bytes()), Input::Line(Line::TOO_LONG), "{request}");
    }
}
