extern crate std;
use super::*;
use crate::BufferFull;
use std::string::String;

#[test]
fn accepts_what_serde_json_accepts() {
    for text in [
        "",
        " ",
        "{}",
        "[]",
        "null",
        "true",
        "false",
        "nul",
        "truee",
        "0",
        "-0",
        "01",
        "-",
        "1.",
        "1.5",
        "-120",
        "10.25",
        ".5",
        "1e5",
        "1E+5",
        "1e-10",
        "1e",
        "1e-",
        "+1",
        "\"\"",
        "\"a",
        "\"\\n\"",
        "\"\\x\"",
        "\"\\u00e9\"",
        "\"\\u00g9\"",
        "\"\t\"",
        "{\"a\":1}",
        "{\"a\":1,}",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1,2]",
        "{\"a\":[{\"b\":[]}]}",
        "[}",
        "{]",
        "[1}",
        "[1x",
        "{\"a\":1]",
        "[1]]",
        "{} {}",
        " { } ",
        "\u{feff}{}",
        "[\"é\"]",
        "é",
        "{\"a\":1 \"b\":2}",
        "[[],[[]],{}]",
        "\u{0}",
        "\"\u{7f}\"",
        "\t{\t\"a\"\t:\t[\t9\t]\t}\t",
        "\r\n[\r\n]\r\n",
        "\u{b}[]",
        "\"\u{1f}\"",
        "\"\u{20}\"",
        "9",
        "-90.99e99",
    ] {
        let expected = serde_json::from_str::<serde_json::Value>(text).is_ok();
        assert_eq!(Value::parse(text.as_bytes()).is_ok(), expected, "{text}");
    }
    assert_eq!(Value::parse(b"\"\xff\""), Err(JsonError::NotUtf8));
}

#[test]
fn depth_is_bounded_and_costs_no_stack() {
    let nested = |depth: usize| std::format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(Value::parse(nested(32).as_bytes()).is_ok());
    assert_eq!(Value::parse(nested(33).as_bytes()), Err(JsonError::TooDeep));
    assert_eq!(Value::parse("{\"a\":".repeat(1_000_000).as_bytes()), Err(JsonError::TooDeep));
}

#[test]
fn walks_members_and_elements() {
    let value = Value::parse(br#"{ "a" : [ 1 , {"b":"}"} ] , "c" : "x\"y" , "d":null}"#).unwrap();
    let members: std::vec::Vec<_> = value.members().map(|(name, value)| (name, value.as_str())).collect();
    assert_eq!(members, [(r#""a""#, r#"[ 1 , {"b":"}"} ]"#), (r#""c""#, r#""x\"y""#), (r#""d""#, "null")]);
    let elements: std::vec::Vec<_> =
        value.member("a").unwrap().unwrap().elements().map(|element| element.as_str()).collect();
    assert_eq!(elements, ["1", r#"{"b":"}"}"#]);
    assert_eq!(value.member("d"), Ok(None));
    assert_eq!(Value::parse(br#"{"a":1,"a":2}"#).unwrap().member("a"), Err(JsonError::DuplicateMember));
    assert_eq!(Value::parse(b"[1]").unwrap().members().count(), 0);
}

#[test]
fn text_is_compared_and_decoded_in_any_spelling() {
    let value = Value::parse(br#""\/us\u0065rs""#).unwrap();
    assert!(value.is_text("/users"));
    assert!(!value.is_text("/user") && !value.is_text("/userss"));
    assert!(Value::parse(br#""\"\\\/\b\f\n\r\t""#).unwrap().is_text("\"\\/\u{8}\u{c}\n\r\t"));
    let emoji = |text: &'static [u8]| Value::parse(text).unwrap();
    assert!(emoji(br#""\ud83d\ude00\n""#).is_same_text(emoji("\"😀\\u000a\"".as_bytes())));
    assert!(emoji(br#""\ud83d\ude00""#).is_text("😀") && !emoji(br#""\ud83d""#).is_text("😀"));
    assert!(emoji(br#"{"\u0061t":1}"#).member("at").unwrap().is_some());
    assert_eq!(value.text_in(&mut heapless::Vec::<u8, 6>::new()), Some("/users"));
    assert_eq!(value.text_in(&mut heapless::Vec::<u8, 5>::new()), None);
    let plain = Value::parse(b"\"/users\"").unwrap();
    assert_eq!(plain.text_in(&mut heapless::Vec::<u8, 0>::new()), Some("/users"));
    assert_eq!(Value::parse(b"5").unwrap().text_in(&mut heapless::Vec::<u8, 9>::new()), None);
}

#[test]
fn text_for_applications_is_told_from_what_is_too_long_and_from_what_is_no_text() {
    let value = |text: &'static str| Value::parse(text.as_bytes()).unwrap();
    let escaped = value(r#""\u00e9tat""#);
    assert_eq!(escaped.text(&mut [0; 5]), Ok(Some("état")));
    assert_eq!(escaped.text(&mut [7; 9]), Ok(Some("état")), "what is left of the buffer is not read");
    for length in 0..5 {
        assert_eq!(escaped.text(&mut std::vec![0; length]), Err(BufferFull), "{length}");
    }
    assert_eq!(value("\"état\"").text(&mut []), Ok(Some("état")), "nothing to decode");
    assert_eq!(value(r#""""#).text(&mut []), Ok(Some("")));
    for other in ["5", "null", "true", "[]", "{}", r#""\ud83d""#, r#""a\ude00b""#] {
        assert_eq!(value(other).text(&mut [0; 9]), Ok(None), "{other}");
    }
}

#[test]
fn only_true_and_false_are_booleans() {
    let value = |text: &'static str| Value::parse(text.as_bytes()).unwrap();
    assert_eq!((value(" true ").as_bool(), value("false").as_bool()), (Some(true), Some(false)));
    for other in ["null", "0", "1", r#""true""#, "[]", "{}", "[true]"] {
        assert_eq!(value(other).as_bool(), None, "{other}");
    }
}

/// Half a pair is no text, but equal to itself, in any spelling of what follows.
#[test]
fn half_a_pair_consumes_nothing_after_it() {
    let value = |text: &'static str| Value::parse(text.as_bytes()).unwrap();
    for (escaped, plain, mistaken) in [
        (r#""\ud83dA""#, r#""\ud83d\u0041""#, "\u{1f441}"),
        (r#""\ud83d\n""#, r#""\ud83d\u000a""#, "\u{1f40a}"),
        (r#""\ud83d\ud83d\ude00""#, r#""\uD83D😀""#, "\u{1f43d}"),
        (r#""\ud83d\ue000""#, "\"\\ud83d\u{e000}\"", "\u{1f400}"),
        (r#""\ude00\ud83d""#, r#""\uDE00\uD83D""#, "😀"),
        (r#""\ude00\ude00""#, r#""\uDE00\uDE00""#, "\u{90200}"),
    ] {
        assert!(value(escaped).is_same_text(value(plain)), "{escaped} {plain}");
        assert!(!value(escaped).is_text(mistaken), "{escaped}");
        assert_eq!(value(escaped).text_in(&mut heapless::Vec::<u8, 9>::new()), None, "{escaped}");
    }
    assert!(!value(r#""\ud83d\u0041""#).is_same_text(value(r#""\ud83d\u0042""#)));
}

/// Characters at both ends of every length of UTF-8.
#[test]
fn escaped_characters_are_those_of_the_text() {
    for character in ['\u{1}', '\u{7f}', '\u{80}', '\u{7ff}', '\u{800}', '\u{ffff}', '\u{1_0000}', '\u{10_ffff}'] {
        let mut units = [0; 2];
        let units = character.encode_utf16(&mut units).iter();
        let escapes: String = units.map(|unit| std::format!("\\u{unit:04x}")).collect();
        let quoted = std::format!("\"{escapes}\"");
        let value = Value::parse(quoted.as_bytes()).unwrap();
        assert!(value.is_text(character.encode_utf8(&mut [0; 4])), "{quoted}");
        #[cfg(feature = "details")]
        assert_eq!(value.text_len(), Some(character.len_utf8()), "{quoted}");
    }
}

/// Half a pair of surrogates in any position, and the characters next to the range of surrogates.
#[cfg(feature = "details")]
#[test]
fn half_a_pair_has_no_length() {
    for (quoted, expected) in [
        (r#""\ud83d""#, None),
        (r#""\ud800""#, None),
        (r#""\udfff""#, None),
        (r#""a\ude00b""#, None),
        (r#""\ud83d\ud83d\ude00""#, None),
        (r#""\ud83d\ude00""#, Some(4)),
        (r#""\ud7ff\ue000""#, Some(6)),
        ("\"\u{d7ff}\u{e000}\u{ed}\u{a0}\"", Some(10)),
        ("\"\"", Some(0)),
        ("5", None),
    ] {
        let value = Value::parse(quoted.as_bytes()).unwrap();
        assert_eq!(value.text_len(), expected, "{quoted}");
        assert_eq!(value.text_in(&mut heapless::Vec::<u8, 20>::new()).map(str::len), expected, "{quoted}");
    }
}

#[test]
fn a_member_before_a_fault_is_found() {
    let deep = std::format!(r#"{{"id":"7","body":{}"#, "[".repeat(40));
    assert_eq!(member_before_fault(deep.as_bytes(), "id").map(Value::as_str), Some("\"7\""));
    let late: String = std::format!(r#"{{"body":{},"id":"7"}}"#, "[".repeat(40));
    assert_eq!(member_before_fault(late.as_bytes(), "id"), None);
}
