//! Lines that come back: rule L2.

use presence_core::graph::{
    Buffer, Caller, ChangeEvent, Context, Error, Line, SingleUserStore, Trace, Writer, serve_line,
};
use presence_core::{Instant, Policy, SessionId, UserId};

const ME: UserId = UserId::from_bytes([0x11; 16]);
const SET: &str = r#"{"id":"1","method":"POST","url":"/me/presence/setPresence","body":{"sessionId":"22222222-2222-2222-2222-222222222222","availability":"Busy","activity":"Busy"}}"#;

/// Serves a line, and returns what is written: a line for each change, and the response.
fn serve(store: &mut SingleUserStore<4>, line: &[u8]) -> Vec<String> {
    let context = Context::new(Instant::ZERO, Caller::Trusted { me: Some(ME) });
    let (mut bytes, mut written) = ([0; 10_000], Vec::new());
    let mut response = Buffer::new(&mut bytes);
    let text = |buffer: &Buffer<'_>| String::from_utf8(buffer.written().to_vec()).unwrap();
    serve_line(Line::parse(line), &context, store, &mut response, &mut |user, transition| {
        let mut bytes = [0; ChangeEvent::MAX_LEN];
        let mut event = Buffer::new(&mut bytes);
        ChangeEvent::new(Instant::ZERO, user, transition).write(&mut event).unwrap();
        written.push(text(&event));
    })
    .unwrap();
    written.extend((!response.written().is_empty()).then(|| text(&response)));
    written
}

/// Whatever a device answers: its lines come back, and no line is answered more than once.
#[test]
fn l2_what_the_device_says_is_not_answered_when_it_comes_back() {
    let mut store = SingleUserStore::new(ME, Policy::DESK);
    let too_deep = format!(r#"{{"id":"7","body":{}"#, "[".repeat(40));
    let too_long = "x".repeat(Line::MAX_LEN + 1);
    let read = r#"{"id":"1","method":"GET","url":"/me/presence"}"#;
    let clear = SET.replace("setPresence", "clearPresence");
    let mut lines = 0;
    for line in [SET, read, &clear, &clear, "not json", "[]", r#"{"id":1}"#, "\u{feff}{", &too_deep, &too_long] {
        let written = serve(&mut store, line.as_bytes());
        lines += written.len();
        let before = store.user.user().clone();
        for line in &written {
            for line in [line.clone(), format!("\u{feff} {line}\r")] {
                assert_eq!(Line::parse(line.as_bytes()), Line::Echo, "{line}");
                assert_eq!(serve(&mut store, line.as_bytes()), [""; 0], "{line}");
            }
        }
        assert_eq!(*store.user.user(), before);
    }
    assert_eq!(lines, 12, "a response to each, and two changes");
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
            let mut store = SingleUserStore::new(ME, Policy::DESK);
            let line = Line::parse(line.as_bytes());
            assert_eq!((line, line.has_response()), (Line::Echo, false), "{members}");
            assert_eq!(serve(&mut store, with(members).as_bytes()), [""; 0], "{members}");
            assert_eq!(store.user.user().revision(), 0);
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
        let mut store = SingleUserStore::new(ME, Policy::DESK);
        let line = with(members);
        assert!(Line::parse(line.as_bytes()).has_response(), "{members}");
        assert_eq!(serve(&mut store, line.as_bytes()).last().unwrap(), r#"{"id":"1","status":200}"#, "{members}");
        assert!(store.user.user().sessions().iter().any(|session| session.id() == SessionId::from_bytes([0x22; 16])));
    }
}

/// An error of the application's own is written all the same: it decides not to.
#[test]
fn l2_a_line_of_the_device_has_no_id_to_answer_under() {
    let mut bytes = [0; 512];
    let mut response = Buffer::new(&mut bytes);
    Line::parse(br#"{"id":"1","status":200}"#)
        .write_error(Error::OutOfOrder, &Trace::default(), &mut response)
        .unwrap();
    assert!(response.written().starts_with(br#"{"id":null,"status":400,"#));
    assert!(response.remaining() > 0);
}
