//! The events of a feed, out of bytes in pieces of any size.

use presence_core::Duration;
use presence_core::client::{Feed, FeedEvent};
use proptest::prelude::*;

/// An event with its data owned.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    StartOver,
    Presence(Vec<u8>),
    UpToDate,
    Retry(u64),
    Comment,
    Other,
    TooLong(Vec<u8>),
}

fn own(event: &FeedEvent<'_>) -> Seen {
    match *event {
        FeedEvent::StartOver => Seen::StartOver,
        FeedEvent::Presence(data) => Seen::Presence(data.to_vec()),
        FeedEvent::UpToDate => Seen::UpToDate,
        FeedEvent::Retry(after) => Seen::Retry(after.as_millis()),
        FeedEvent::Comment => Seen::Comment,
        FeedEvent::Other => Seen::Other,
        FeedEvent::TooLong(data) => Seen::TooLong(data.to_vec()),
        _ => panic!("{event:?}"),
    }
}

const DATA: usize = 64;
const ID: usize = 16;

type SmallFeed = Feed<DATA, ID>;

/// Reads a stream in pieces.
fn read_pieces<'a>(feed: &mut SmallFeed, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Seen> {
    let mut seen = Vec::new();
    for mut piece in pieces {
        while let Some(event) = feed.next(&mut piece) {
            seen.push(own(&event));
        }
        assert!(piece.is_empty());
    }
    seen
}

fn read(stream: &[u8]) -> (Vec<Seen>, Vec<u8>) {
    let mut feed = SmallFeed::new();
    let seen = read_pieces(&mut feed, [stream]);
    (seen, feed.last_event_id().to_vec())
}

fn presence(data: &str) -> Seen {
    Seen::Presence(data.as_bytes().to_vec())
}

/// The standard's own text, over the whole stream at once: events, and the last id.
fn model(stream: &[u8]) -> (Vec<Seen>, Vec<u8>) {
    let stream = stream.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(stream);
    let mut lines = vec![Vec::new()];
    let mut bytes = stream.iter().peekable();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\r' | b'\n' => {
                if byte == b'\r' && bytes.peek() == Some(&&b'\n') {
                    bytes.next();
                }
                lines.push(Vec::new());
            }
            _ => lines.last_mut().expect("a line").push(byte),
        }
    }
    // The last one is not ended.
    lines.pop();
    let (mut seen, mut last_id) = (Vec::new(), Vec::new());
    let (mut data, mut kind, mut id) = (None::<Vec<u8>>, Vec::new(), Vec::new());
    for line in lines {
        if line.is_empty() {
            last_id.clone_from(&id);
            if let Some(data) = data.take() {
                seen.push(match kind.as_slice() {
                    _ if data.len() > DATA => Seen::TooLong(data[..DATA].to_vec()),
                    b"start-over" => Seen::StartOver,
                    b"presence" => Seen::Presence(data),
                    b"up-to-date" => Seen::UpToDate,
                    _ => Seen::Other,
                });
            }
            kind.clear();
            continue;
        }
        let colon = line.iter().position(|byte| *byte == b':');
        let (field, value) = match colon {
            Some(0) => {
                seen.push(Seen::Comment);
                continue;
            }
            Some(at) => (&line[..at], line[at + 1..].strip_prefix(b" ").unwrap_or(&line[at + 1..])),
            None => (line.as_slice(), &b""[..]),
        };
        match field {
            b"event" => kind = value.to_vec(),
            b"data" => match &mut data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
                None => data = Some(value.to_vec()),
            },
            b"id" if value.len() > ID => id.clear(),
            b"id" if !value.contains(&0) => id = value.to_vec(),
            b"retry" if value.len() <= ID && !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                seen.push(Seen::Retry(std::str::from_utf8(value).expect("digits").parse().expect("at most 16")));
            }
            _ => {}
        }
    }
    (seen, last_id)
}

#[test]
fn f1_the_server_s_own_stream_is_read() {
    let stream = b"retry: 2345\n\nid: ab-scan.0.0\nevent: start-over\ndata: {}\n\n\
        event: presence\ndata: {\"id\":\"x\"}\nid: ab-scan.0.7\n\n:\n\nevent: up-to-date\ndata: {}\nid: ab-live-3\n\n";
    let expected = vec![Seen::Retry(2345), Seen::StartOver, presence(r#"{"id":"x"}"#), Seen::Comment, Seen::UpToDate];
    assert_eq!(read(stream), (expected, b"ab-live-3".to_vec()));
}

#[test]
fn f1_lines_end_in_any_way_and_a_mark_is_skipped_once() {
    for end in ["\n", "\r", "\r\n"] {
        let stream =
            format!("\u{feff}event: presence{end}data: a{end}data: b{end}{end}: c{end}\u{feff}data: d{end}{end}");
        assert_eq!(read(stream.as_bytes()).0, [presence("a\nb"), Seen::Comment], "{end:?}");
    }
}

#[test]
fn f1_a_mark_inside_a_stream_is_text() {
    assert_eq!(read("event: presence\ndata: \u{feff}a\n\n".as_bytes()).0, [presence("\u{feff}a")]);
    // One that is cut is the name of no field.
    assert_eq!(read(b"\xEF\xBBdata: x\n\ndata: y\n\n").0, [Seen::Other]);
}

#[test]
fn f1_fields_are_read_as_the_standard_says() {
    // One space behind the colon goes; a name alone has an empty value; names count exactly.
    assert_eq!(read(b"event:presence\ndata:  x\n\n").0, [presence(" x")]);
    assert_eq!(read(b"event: presence\ndata\n\n").0, [presence("")]);
    assert_eq!(read(b"event: presence\ndata\ndata\n\n").0, [presence("\n")]);
    assert_eq!(read(b"data : x\nDATA: x\n data: x\n\n").0, []);
    assert_eq!(read(b"event: start-over\n\n").0, []);
    // Without a name it is a message, and the name does not last.
    assert_eq!(
        read(b"data: x\n\nevent: start-over\ndata\n\ndata: x\n\n").0,
        [Seen::Other, Seen::StartOver, Seen::Other]
    );
    // What is not ended is no event.
    assert_eq!(read(b"event: presence\ndata: x\n").0, []);
    for (retry, told) in [("12", Some(12)), ("", None), ("-1", None), ("1.5", None), ("0x1", None)] {
        assert_eq!(
            read(format!("retry: {retry}\n").as_bytes()).0,
            told.map(Seen::Retry).into_iter().collect::<Vec<_>>()
        );
    }
}

#[test]
fn f1_an_id_counts_when_its_event_is_complete() {
    assert_eq!(read(b"id: 1\ndata\n\nid: 2\ndata").1, b"1");
    assert_eq!(read(b"id: 1\n\n").1, b"1");
    assert_eq!(read(b"id: 1\n\nid\n\n").1, b"");
    assert_eq!(read(b"id: 1\n\nid: \0\n\n").1, b"1");
    // Nothing resumes after an id that is too long to keep, not even an older one.
    assert_eq!(read(b"id: 1\n\nid: 12345678901234567\n\n").1, b"");
}

#[test]
fn f1_a_new_stream_resumes_or_starts_over() {
    let mut feed = SmallFeed::new();
    read_pieces(&mut feed, [b"id: 1\ndata: x\n\nid: 2\nevent: presence\ndata: y".as_slice()]);
    feed.reopen();
    // What was incomplete is gone, and the id stays although the new stream begins without one.
    assert_eq!(
        read_pieces(&mut feed, [b"\xEF\xBB\xBFretry: 5\n\ndata: z\n\n".as_slice()]),
        [Seen::Retry(5), Seen::Other]
    );
    assert_eq!(feed.last_event_id(), b"1");
    feed.start_over();
    assert_eq!(feed.last_event_id(), b"");
    // Nor does an event without an id bring an old one back.
    assert_eq!(read_pieces(&mut feed, [b"data: z\n\n".as_slice()]), [Seen::Other]);
    assert_eq!(feed.last_event_id(), b"");
}

#[test]
fn f1_too_long_lines_are_skipped_and_told() {
    let long = "x".repeat(10_000);
    let stream =
        format!("event: presence\ndata: {long}\n\n{long}: 1\nevent: {long}\ndata: a\n\nevent: presence\ndata: b\n\n");
    assert_eq!(read(stream.as_bytes()).0, [Seen::TooLong(vec![b'x'; DATA]), Seen::Other, presence("b")]);
    let full = "y".repeat(DATA);
    assert_eq!(read(format!("event: presence\ndata: {full}\n\n").as_bytes()).0, [presence(&full)]);
    // A line feed between two lines counts.
    let stream = format!("event: presence\ndata: {}\ndata: z\n\n", "y".repeat(DATA - 1));
    assert!(matches!(read(stream.as_bytes()).0[..], [Seen::TooLong(_)]));
}

#[test]
fn f1_the_memory_of_a_feed_is_its_buffers() {
    assert!(size_of::<Feed<1000, 100>>() < 1000 + 3 * 100 + 96);
    let mut feed: Feed<8> = Feed::default();
    assert_eq!(feed.next(&mut b"retry: 99999999999999999999999\n".as_slice()), Some(FeedEvent::Retry(Duration::MAX)));
}

/// Streams that are made of what has a meaning.
fn streams() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop_oneof![
        Just("\n"),
        Just("\r"),
        Just("\r\n"),
        Just("\n\n"),
        Just(":"),
        Just(": "),
        Just(" "),
        Just("data"),
        Just("data:"),
        Just("data: {}"),
        Just("event: presence"),
        Just("event: start-over"),
        Just("event: up-to-date"),
        Just("event"),
        Just("id"),
        Just("id: 12"),
        Just("id: 1234567890123456"),
        Just("\0"),
        Just("retry: 7"),
        Just("retry:"),
        Just("9"),
        Just("\u{feff}"),
        Just("x"),
        Just("a text of twenty byt"),
        Just("é"),
    ];
    (proptest::collection::vec(pieces, 0..40), any::<bool>()).prop_map(|(pieces, is_cut)| {
        let mut stream = pieces.concat().into_bytes();
        if is_cut {
            stream.pop();
        }
        stream
    })
}

proptest! {
    #[test]
    fn f1_a_stream_says_the_same_in_pieces_of_any_size(stream in streams(), cuts in proptest::collection::vec(0usize..200, 0..20)) {
        let mut cuts: Vec<_> = cuts.into_iter().filter(|cut| *cut < stream.len()).collect();
        cuts.sort_unstable();
        let ends = cuts.iter().copied().chain([stream.len()]);
        let begins = [0].into_iter().chain(cuts.iter().copied());
        let mut feed = SmallFeed::new();
        let seen = read_pieces(&mut feed, begins.zip(ends).map(|(begin, end)| &stream[begin..end]));
        let expected = model(&stream);
        prop_assert_eq!((seen, feed.last_event_id().to_vec()), expected);
    }

    #[test]
    fn f1_no_bytes_disturb_a_feed(stream in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(read(&stream), model(&stream));
    }
}
