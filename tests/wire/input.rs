//! What is JSON and what is not, wherever JSON comes in, with `serde_json` as the judge: bodies, elements of batches, lines,
//! and what an application reads itself. Rules H1, H2, H9, L2.

use super::server::{ADELE, OTHER, Server, TEAMS, message};
use presence_core::graph::json::{JsonError, Value as Written};
use presence_core::graph::{Element, Error, Line, Resource};
use serde_json::json;

/// Reports whether a text is well-formed JSON, however large its numbers, and whether or not its surrogates come in pairs.
fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// Every text of up to so many of these characters.
fn texts(alphabet: &[char], longest: usize) -> Vec<String> {
    let mut texts = vec![String::new()];
    let mut from = 0;
    for _ in 0..longest {
        let to = texts.len();
        let longer: Vec<_> = texts[from..to]
            .iter()
            .flat_map(|shorter| alphabet.iter().map(move |next| format!("{shorter}{next}")))
            .collect();
        texts.extend(longer);
        from = to;
    }
    texts
}

/// Values that are JSON or nearly: all short numbers and what looks like them, and words.
fn values(longest: usize) -> Vec<String> {
    let mut values = texts(&['-', '+', '0', '1', '.', 'e', 'E'], longest);
    for text in [
        "-012",
        "-01",
        "01",
        "00",
        "-0",
        "1.",
        ".5",
        "-.5",
        "+1",
        "1e",
        "1e+",
        "1E-",
        "1e5",
        "1.0e-05",
        "0x1",
        "1_0",
        "Infinity",
        "-Infinity",
        "NaN",
        "- 1",
        "1 2",
        "12345678901234567890123",
        "1e999999",
        "nul",
        "nulll",
        "Null",
        "True",
        "tru",
        "truefalse",
        "undefined",
        "'a'",
        "\"a",
        "a\"",
        "\"\\a\"",
        "\"\\u12\"",
        "\"\\uD800\"",
        "\"\\ud83d\\ude00\"",
        "\"\\U0041\"",
        "\"\u{1}\"",
        "\"\u{7f}\"",
        "\"\n\"",
        "\"\0\"",
        "\0",
        "\0\0\0",
        "1\0",
        "\u{0}1",
        "[\0]",
        "[1,]",
        "[,1]",
        "[1,,2]",
        "[1]]",
        "[[1]",
        "{}}",
        "{",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\"::1}",
        "/**/1",
        "1//",
        "#1",
        "\u{feff}1",
        "1\u{feff}",
        "\u{a0}1",
        "\u{2028}1",
        "\u{c}1",
        "\u{b}1",
        "\u{85}1",
        "1\u{c}",
        "\t\r\n 1 \t\r\n",
    ] {
        values.push(text.to_owned());
    }
    values
}

const MALFORMED: &str = "The request is not well-formed JSON.";

#[test]
fn every_short_number_is_judged_like_serde_json_does() {
    let mut accepted = 0;
    for text in values(6) {
        assert_eq!(Written::parse(text.as_bytes()).is_ok(), is_json(&text), "{text:?}");
        accepted += usize::from(is_json(&text));
    }
    assert!(accepted > 1000, "{accepted}");
}

/// Each in a member that means nothing, so that only its form counts.
#[test]
fn h1_every_place_where_a_value_comes_in_judges_it_alike() {
    let presence = format!(r#""sessionId":"{TEAMS}","availability":"Busy","activity":"InACall""#);
    let target = format!("/users/{ADELE}/presence/setPresence");
    for value in values(4) {
        let expected = if is_json(&value) { 200 } else { 400 };
        let judge = |status: &serde_json::Value, message: &str, place: &str| {
            assert_eq!(*status, expected, "{value:?} in {place}");
            assert!(expected == 200 || message == MALFORMED, "{value:?} in {place}: {message}");
        };
        for body in [
            format!(r#"{{{presence},"x":{value}}}"#),
            format!(r#"{{"x":{value},{presence}}}"#),
            format!(r#"{{{presence},"x":[1,{value}]}}"#),
            format!(r#"{{{presence},"x":{{"y":{value}}}}}"#),
        ] {
            // The body of a request.
            let (status, answer) = Server::new().send("POST", &target, None, body.as_bytes());
            judge(&json!(status), if status == 200 { "" } else { message(&answer) }, "a body");
            let element = format!(r#"{{"id":"1","method":"POST","url":"{target}","body":{body}}}"#);
            // Of an element of a batch, which fails as a whole.
            let batch = format!(r#"{{"requests":[{element}]}}"#);
            let (status, answer) = Server::new().send("POST", "/$batch", None, batch.as_bytes());
            judge(&json!(status), if status == 200 { "" } else { message(&answer) }, "a batch");
            assert!(status != 200 || answer["responses"][0]["status"] == 200, "{value:?}");
            // Of a line, and of a batch in a line.
            for line in [element, format!(r#"{{"id":"1","method":"POST","url":"/$batch","body":{batch}}}"#)] {
                let answer = Server::new().line(&line).unwrap();
                let is_done = answer["status"] == 200;
                judge(&answer["status"], if is_done { "" } else { message(&answer["body"]) }, "a line");
                // Nothing of a line that is not JSON is trusted, its id neither.
                assert_eq!(answer["id"], if is_done { json!("1") } else { json!(null) });
            }
        }
        for (place, text) in [
            ("a line", format!(r#"{{"id":"1","method":"GET","url":"/users/{ADELE}/presence","x":{value}}}"#)),
            (
                "headers",
                format!(r#"{{"id":"1","method":"GET","url":"/users/{ADELE}/presence","headers":{{"x":{value}}}}}"#),
            ),
        ] {
            let answer = Server::new().line(&text).unwrap();
            judge(&answer["status"], if expected == 200 { "" } else { message(&answer["body"]) }, place);
        }
        let bulk = format!(r#"{{"ids":["{ADELE}","{OTHER}"],"x":{value}}}"#);
        let (status, answer) =
            Server::new().send("POST", "/communications/getPresencesByUserId", None, bulk.as_bytes());
        judge(&json!(status), if status == 200 { "" } else { message(&answer) }, "a bulk read");
        // What an application reads itself.
        let object = format!(r#"{{"availability":"Busy","activity":"Busy","x":{value}}}"#);
        let read = Written::parse(object.as_bytes()).map(|object| Resource::read(object).is_ok());
        assert_eq!(read, if expected == 200 { Ok(true) } else { Err(JsonError::Syntax) }, "{value:?}");
    }
}

/// A body or a line that is such a text and nothing else, on an action that needs none.
#[test]
fn h9_every_whole_body_and_line_is_judged_alike() {
    let target = format!("/users/{ADELE}/presence/clearUserPreferredPresence");
    for text in values(4) {
        let without_mark = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let parsed = serde_json::from_str::<serde::de::IgnoredAny>(without_mark);
        let is_object = without_mark.trim_start().starts_with('{');
        let is_null = without_mark.trim_matches([' ', '\t', '\r', '\n']) == "null";
        let (status, answer) = Server::new().send("POST", &target, None, text.as_bytes());
        let expected = match parsed {
            _ if without_mark.is_empty() => None,
            Err(_) => Some(MALFORMED),
            Ok(_) if is_object || is_null => None,
            Ok(_) => Some("The request is not a JSON object."),
        };
        assert_eq!(status, if expected.is_none() { 200 } else { 400 }, "{text:?}");
        assert!(expected.is_none_or(|expected| message(&answer) == expected), "{text:?}");

        let line = Line::parse(text.as_bytes());
        let is_blank = without_mark.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x0C));
        let error = match line {
            Line::Blank => None,
            Line::Invalid { error, .. } => Some(error),
            other => panic!("{text:?} is {other:?}"),
        };
        let expected = match is_json(without_mark) {
            _ if is_blank => None,
            false => Some(Error::Json(JsonError::Syntax)),
            true if is_object => Some(Error::Missing(presence_core::graph::Field::Id)),
            true => Some(Error::NotAnObject),
        };
        assert_eq!(error, expected, "{text:?}");
    }
}

/// Every byte, once, twice and more often, alone and at each place in a text where it may or may not stand.
#[test]
fn every_byte_is_judged_like_serde_json_does() {
    let line = format!(r#"{{"id":"1","method":"GET","url":"/users/{ADELE}/presence"}}"#);
    let places: Vec<_> = line.match_indices(['{', '}', ':', ',']).flat_map(|(at, _)| [at, at + 1]).collect();
    for byte in 0..=u8::MAX {
        for times in [1, 2, 3, 8, 9] {
            let bytes = vec![byte; times];
            let judged = std::str::from_utf8(&bytes).is_ok_and(is_json);
            assert_eq!(Written::parse(&bytes).is_ok(), judged, "{bytes:?}");
            let is_blank = matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x0C);
            assert_eq!(Line::parse(&bytes) == Line::Blank, is_blank, "{bytes:?}");
            assert_eq!(Line::parse(&bytes).has_response(), !is_blank, "{bytes:?}");
            for place in &places {
                let mut text = line.clone().into_bytes();
                text.splice(place..place, bytes.clone());
                let is_json = std::str::from_utf8(&text).is_ok_and(is_json);
                assert_eq!(
                    matches!(Line::parse(&text), Line::Element(_)),
                    is_json,
                    "{byte:#x} {times} times at {place}"
                );
                let (status, _) = Server::new().send("POST", "/$batch", None, &text);
                assert_eq!(status, 400);
            }
        }
    }
}

/// A depth at every place: as deep as may be, one more, and much more.
#[test]
fn h2_nesting_around_as_deep_as_may_be() {
    const DEPTH: usize = Written::MAX_DEPTH as usize;
    for depth in [DEPTH - 1, DEPTH, DEPTH + 1, 2 * DEPTH, 2 * DEPTH + 1] {
        for (opening, closing) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":[", "]}]")] {
            let times = depth / (opening.matches(['[', '{']).count());
            let text = format!("{}1{}", opening.repeat(times), closing.repeat(times));
            let levels = text.matches(['[', '{']).count();
            let expected = if levels > DEPTH { Err(JsonError::TooDeep) } else { Ok(text.as_str()) };
            assert_eq!(Written::parse(text.as_bytes()).map(Written::as_str), expected, "{levels} levels");
            let element = format!(r#"{{"id":"1","x":{text}}}"#);
            let is_element = Written::parse(element.as_bytes()).map(|value| Element::parse(value).is_ok());
            assert_eq!(is_element, if levels < DEPTH { Ok(true) } else { Err(JsonError::TooDeep) }, "{levels} levels");
        }
    }
}
