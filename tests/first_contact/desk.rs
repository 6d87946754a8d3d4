//! `cargo run --example desk -- --replay`: whole conversations, compared line by line with what is expected.
//!
//! A scenario is a file of lines: `> ` is sent, `< ` is expected back, in order, and `$ ` gives the options. `ADELE` and the
//! like stand for GUIDs; an expected line may leave out members of objects with `…`.

use serde_json::{Map, Value, json};
use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;

const NAMES: [(&str, &str); 6] = [
    ("ADELE", "fa8bf3dc-eca7-46b7-bad1-db199b62afc3"),
    ("BOB", "66825e03-7ef5-42da-9069-724602c31f6b"),
    ("TEAMS", "22553876-f5ab-4529-bffb-cfe50aa89f87"),
    ("CALLS", "11111111-1111-4111-8111-111111111111"),
    ("CHAT", "99999999-9999-4999-8999-999999999999"),
    ("NOBODY", "00000000-0000-0000-0000-000000000000"),
];

/// Runs the example on these bytes; what it prints, and its exit status.
fn desk(options: &[&str], input: &[u8]) -> (String, i32) {
    let mut child = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "presence-core", "--example", "desk", "--"])
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("cargo runs");
    let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_vec());
    let writer = thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    (String::from_utf8(output.stdout).expect("UTF-8"), output.status.code().unwrap())
}

fn replay(options: &[&str], input: &[u8]) -> Vec<String> {
    let options: Vec<_> = ["--replay", "-"].iter().chain(options).copied().collect();
    let (printed, status) = desk(&options, input);
    assert_eq!(status, 0);
    printed.lines().map(str::to_owned).collect()
}

/// Whether a value is as expected: members that are expected must be there, and no others unless `…` is expected too.
fn is_as_expected(actual: &Value, expected: &Value) -> bool {
    match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) => {
            let more = expected.contains_key("…") || actual.len() == expected.len();
            let wanted: Map<_, _> =
                expected.iter().filter(|(name, _)| *name != "…").map(|(n, v)| (n.clone(), v.clone())).collect();
            more && wanted
                .iter()
                .all(|(name, value)| actual.get(name).is_some_and(|actual| is_as_expected(actual, value)))
        }
        (Value::Array(actual), Value::Array(expected)) => {
            actual.len() == expected.len() && actual.iter().zip(expected).all(|(a, e)| is_as_expected(a, e))
        }
        _ => actual == expected,
    }
}

fn play(scenario: &str) {
    let mut text = scenario.to_owned();
    for (name, guid) in NAMES {
        text = text.replace(name, guid);
    }
    let part = |mark: &str| -> Vec<&str> { text.lines().filter_map(|line| line.strip_prefix(mark)).collect() };
    let options: Vec<&str> = part("$ ").into_iter().flat_map(str::split_whitespace).collect();
    let sent = part("> ").join("\n");
    let answers = replay(&options, sent.as_bytes());
    let expected = part("< ");
    for (actual, expected) in answers.iter().zip(&expected) {
        let actual_value: Value = serde_json::from_str(actual).expect("a line is JSON");
        let expected_value: Value =
            serde_json::from_str(expected).unwrap_or_else(|error| panic!("{expected}: {error}"));
        if !expected.contains('…') {
            assert_eq!(actual, expected, "to the byte");
        }
        assert!(is_as_expected(&actual_value, &expected_value), "\n  actual: {actual}\nexpected: {expected}");
    }
    assert_eq!(answers.len(), expected.len(), "{answers:#?}");
}

macro_rules! scenarios {
    ($($(#[$meta:meta])* $name:ident)*) => {
        $($(#[$meta])* #[test] fn $name() { play(include_str!(concat!("desk/", stringify!($name), ".txt"))); })*
    };
}

scenarios! {
    /// A2, A3, S5, S6: several applications, one answer.
    aggregation
    /// S2 to S4, S8: fades and expiries, each with its own time, before the line that comes at that moment.
    fading
    /// U1 to U5, A1, A2.
    preferred
    /// H1, H2: what is refused, and the program carries on.
    refusals
    /// Lines that are none, and clocks that go back.
    lines
    /// L2: what it prints comes back.
    echo
    /// L1, L4, P4: what a light's serial line takes besides.
    short
    /// P2: `--policy desk`, and `--me`.
    policy
    /// P4: `--policy mirror`.
    mirror
}

/// S9: 1,024 users, 16 sessions each; past that, 507, and nothing is lost.
#[test]
fn capacity() {
    let line = |user: u32, session: u32| {
        format!(
            r#"{{"id":"{user}/{session}","method":"POST","url":"/users/00000000-0000-0000-0000-{user:012}/presence/setPresence","body":{{"sessionId":"00000000-0000-0000-0000-{session:012}","availability":"Away","activity":"Away"}}}}"#
        )
    };
    let mut input: Vec<String> = (0..1024).map(|user| line(user, 0)).collect();
    input.push(line(1024, 0));
    input.extend((1..17).map(|session| line(7, session)));
    input.push(line(7, 3));
    let answers = replay(&[], input.join("\n").as_bytes());
    let statuses: Vec<(String, u64)> = answers
        .iter()
        .map(|answer| serde_json::from_str::<Value>(answer).unwrap())
        .filter(|answer| answer["id"].is_string())
        .map(|answer| (answer["id"].as_str().unwrap().to_owned(), answer["status"].as_u64().unwrap()))
        .collect();
    assert_eq!(statuses.len(), input.len());
    let refused: Vec<_> = statuses.iter().filter(|(_, status)| *status != 200).collect();
    assert_eq!(refused, [&("1024/0".to_owned(), 507), &("7/16".to_owned(), 507)]);
}

/// Carriage returns, blank lines and a missing last newline are fine; 4,096 bytes are a line, 4,097 are none.
#[test]
fn line_ends_and_lengths() {
    let padded = |id: &str, len: usize| {
        let start = format!(r#"{{"id":"{id}","method":"GET","url":"/users/{}/presence","x":""#, NAMES[0].1);
        format!("{start}{}\"}}", "x".repeat(len - start.len() - 2))
    };
    let mut input = Vec::new();
    for (line, end) in [
        (padded("a", 4096), "\r\n"),
        (padded("b", 4097), "\r\n"),
        (padded("c", 4096), "\n"),
        (padded("d", 100_000), "\n\n \t\r\n\r\n"),
        (padded("e", 200), ""),
    ] {
        input.extend_from_slice(line.as_bytes());
        input.extend_from_slice(end.as_bytes());
    }
    let answers: Vec<Value> = replay(&[], &input).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seen: Vec<_> =
        answers.iter().map(|answer| (answer["id"].as_str(), answer["status"].as_u64().unwrap())).collect();
    assert_eq!(seen, [(Some("a"), 200), (None, 400), (Some("c"), 200), (None, 400), (Some("e"), 200)]);
    assert!(replay(&[], b"").is_empty());
    assert_eq!(replay(&[], b"\xff\xfe\n{}").len(), 2, "what is not UTF-8 is answered too");
}

/// H9: a byte order mark before a line hides neither the request nor its moment.
#[test]
fn byte_order_marks() {
    let set = format!(
        r#""method":"POST","url":"/me/presence/setPresence","body":{{"sessionId":"{}","availability":"Away","activity":"Away"}}"#,
        NAMES[2].1
    );
    let input = format!("\u{feff}{{\"id\":\"1\",\"at\":5,{set}}}\n\u{feff}{{\"id\":\"2\",\"at\":4,{set}}}\n");
    let answers: Vec<Value> =
        replay(&[], input.as_bytes()).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (&answers[0]["at"], &answers[1]["status"], &answers[2]["status"]),
        (&5.into(), &200.into(), &400.into())
    );
}

/// H1: a moment is a JSON number, read exactly and cut to milliseconds; what is none changes nothing, and time stays.
#[test]
fn moments_are_json_numbers() {
    let line = |at: &str| {
        format!(
            r#"{{"id":"1","at":{at},"method":"POST","url":"/me/presence/setPresence","body":{{"sessionId":"{}","availability":"Away","activity":"Away"}}}}"#,
            NAMES[2].1
        )
    };
    let play = |at: &str| -> Vec<Value> {
        let answers = replay(&[], line(at).as_bytes());
        answers.iter().map(|answer| serde_json::from_str(answer).unwrap()).collect()
    };
    for (at, expected) in [
        ("0", json!(0)),
        ("-0", json!(0)),
        ("5", json!(5)),
        ("5 ", json!(5)),
        ("1.5", json!(1.5)),
        ("1.50", json!(1.5)),
        ("1e3", json!(1000)),
        ("1E+2", json!(100)),
        ("1500e-3", json!(1.5)),
        ("0.0009", json!(0)),
        ("0.001", json!(0.001)),
    ] {
        let answers = play(at);
        assert_eq!((&answers[0]["at"], &answers[1]["status"]), (&expected, &json!(200)), "{at}");
    }
    // What is a value, but no moment, leaves the id of its line; what is not JSON has none.
    for (at, id) in [
        ("-5", json!("1")),
        ("-1e-9", json!("1")),
        ("99999999999999999999", json!("1")),
        ("1e999999999999999999999", json!("1")),
        ("null", json!("1")),
        ("true", json!("1")),
        ("\"5\"", json!("1")),
        ("[5]", json!("1")),
        ("-012", json!(null)),
        ("012", json!(null)),
        ("1.", json!(null)),
        (".5", json!(null)),
        ("1e", json!(null)),
        ("+1", json!(null)),
        ("5x", json!(null)),
        ("\0", json!(null)),
        ("", json!(null)),
    ] {
        let answers = play(at);
        assert_eq!(answers.len(), 1, "{at}: {answers:?}");
        assert_eq!((&answers[0]["status"], &answers[0]["id"]), (&json!(400), &id), "{at}");
    }
    // Rule L1: NULs before a line are skipped, and in it they are none of JSON's.
    let input = ["\0\0\0".to_owned(), format!("{}\0", line("3")), format!("\0{}", line("2"))].join("\n");
    let answers: Vec<Value> =
        replay(&[], input.as_bytes()).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let statuses: Vec<_> = answers.iter().filter_map(|answer| answer["status"].as_u64()).collect();
    assert_eq!((statuses, &answers[1]["at"]), (vec![400, 200], &json!(2)));
}

/// `/me` is the same user as on the firmware unless `--me` names another.
#[test]
fn me_has_a_default() {
    let line = r#"{"id":"1","method":"GET","url":"/me/presence"}"#;
    let id = |options: &[&str]| {
        let answer: Value = serde_json::from_str(&desk(options, line.as_bytes()).0).unwrap();
        answer["body"]["id"].as_str().expect("an id").to_owned()
    };
    assert_eq!(id(&[]), NAMES[0].1);
    assert_eq!(id(&["--replay", "-"]), NAMES[0].1);
    assert_eq!(id(&["--me", NAMES[1].1]), NAMES[1].1);
}

/// With nothing to read and nothing on its terminal, one sentence says what to do instead, and not among the lines.
#[test]
fn with_nothing_to_read_it_says_what_to_do() {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "presence-core", "--example", "desk"])
        .stdin(Stdio::null())
        .output()
        .expect("cargo runs");
    assert!(output.status.success() && output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("nothing to read: run it on a terminal"), "{said}");
}

/// Without `--replay`, time is that of the clock, and the program ends with its input.
#[test]
fn live() {
    let line = format!(r#"{{"id":"1","method":"GET","url":"/users/{}/presence"}}"#, NAMES[0].1);
    let (printed, status) = desk(&[], line.as_bytes());
    assert_eq!((printed.lines().count(), status), (1, 0));
    assert!(printed.starts_with(r#"{"id":"1","status":200,"body":{"#));
}

#[test]
fn bad_options_are_refused() {
    for options in
        [&["--nonsense"][..], &["--policy", "x"], &["--me", "x"], &["--replay"], &["--until", "-1"], &["a", "b"]]
    {
        assert_eq!(desk(options, b"").1, 2, "{options:?}");
    }
    assert_eq!(desk(&["/nowhere/at/all"], b"").1, 1);
    let (help, status) = desk(&["--help"], b"");
    assert!(status == 0 && help.contains("--replay"));
}

/// The day that comes with the example ends with the user gone; the one refusal is that of an application that crashed and
/// then clears a session which has expired meanwhile.
#[test]
fn the_day() {
    let day = include_bytes!("../../examples/day.jsonl");
    let answers = replay(&["--policy", "desk"], day);
    let values: Vec<Value> = answers.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let refused: Vec<_> = values.iter().filter(|value| value["status"].as_u64() > Some(200)).collect();
    assert!(refused.len() == 1 && refused[0]["status"] == 404, "{refused:?}");
    let causes: Vec<_> = values.iter().filter_map(|value| value["cause"].as_str()).collect();
    for cause in ["set", "cleared", "faded", "expired", "preferredSet", "preferredCleared"] {
        assert!(causes.contains(&cause), "the day shows no {cause}");
    }
    let last = values.iter().rfind(|value| value["to"].is_object()).unwrap();
    assert_eq!(last["to"]["activity"], "Offline");
}
