//! JSON as the library reads it, against serde_json.

use super::answer::assert_read;
use super::tree::Tree;
use presence_core::BufferFull;
use presence_core::graph::json::{JsonError, Value};
use serde::de::IgnoredAny;

/// Checks that a text is JSON exactly if it is for serde_json, but for depth: at most 32 levels are accepted. Members and
/// elements are the same, duplicate ones included.
pub fn check(bytes: &[u8]) {
    let ours = Value::parse(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else {
        assert_eq!(ours, Err(JsonError::NotUtf8));
        return;
    };
    let is_json = serde_json::from_str::<IgnoredAny>(text).is_ok();
    match ours {
        Ok(value) => {
            assert!(is_json && depth(text) <= Value::MAX_DEPTH, "{text:?} is accepted");
            match Tree::parse(bytes) {
                Ok(tree) => {
                    assert_same(value, &tree);
                    assert_read(value, &tree);
                }
                // JSON that serde_json has no value for.
                Err(error) => {
                    let why = error.to_string();
                    let is_known = why.contains("number out of range")
                        || why.contains("surrogate")
                        || why.contains("unexpected end of hex escape");
                    assert!(is_known, "{text:?}: {why}");
                }
            }
        }
        Err(JsonError::TooDeep) => assert!(depth(text) > Value::MAX_DEPTH, "{text:?} is not so deep"),
        Err(JsonError::Syntax) => assert!(!is_json, "{text:?} is rejected"),
        Err(JsonError::NotUtf8) => panic!("{text:?} is UTF-8"),
        Err(error) => panic!("{error:?} is a new kind of error"),
    }
}

/// Returns the depth of nested brackets, those in strings aside.
pub fn depth(text: &str) -> u32 {
    let (mut depth, mut deepest, mut is_string, mut is_escaped) = (0_u32, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_string,
            b'"' => is_string = !is_string,
            b'{' | b'[' if !is_string => depth += 1,
            b'}' | b']' if !is_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// Checks a text as an application reads it, with a buffer that is long enough, and with others.
fn assert_text(value: Value<'_>, text: Option<&str>) {
    let length = text.map_or(0, str::len);
    let is_escaped = value.as_str().contains('\\');
    for room in [0, length.saturating_sub(1), length, length + 1] {
        let fits = room >= length || !is_escaped;
        assert_eq!(value.text(&mut vec![0; room]), if fits { Ok(text) } else { Err(BufferFull) }, "{value:?}");
    }
}

fn assert_same(value: Value<'_>, tree: &Tree) {
    let is = (value.is_null(), value.is_string(), value.is_array(), value.is_object());
    let expected = match tree {
        Tree::Null => (true, false, false, false),
        Tree::Bool(_) | Tree::Number(_) => (false, false, false, false),
        Tree::Text(text) => {
            assert!(value.is_text(text) && value.is_same_text(value));
            assert!(!value.is_text(&format!("{text}x")));
            (false, true, false, false)
        }
        Tree::Array(_) => (false, false, true, false),
        Tree::Object(_) => (false, false, false, true),
    };
    assert_eq!(is, expected, "{value:?}");
    assert_eq!(value.as_bool(), if let Tree::Bool(value) = tree { Some(*value) } else { None });
    assert_text(value, tree.text());
    let elements: Vec<_> = value.elements().collect();
    assert_eq!(elements.len(), tree.elements().len(), "{value:?}");
    elements.iter().zip(tree.elements()).for_each(|(element, other)| assert_same(*element, other));
    let members: Vec<_> = value.members().collect();
    assert_eq!(members.len(), tree.members().len(), "{value:?}");
    for ((quoted, member), (name, other)) in members.iter().zip(tree.members()) {
        let quoted = Value::parse(quoted.as_bytes()).expect("a name is a string");
        assert!(quoted.is_text(name), "{quoted:?} is {name:?}");
        assert_same(*member, other);
        // Rule H2: a duplicate is an error; null counts as absent.
        match value.member(name) {
            Err(_) => assert!(tree.all(name).len() > 1, "{name:?} stands once in {value:?}"),
            Ok(found) => {
                assert_eq!(tree.all(name).len(), 1, "{name:?} in {value:?}");
                assert_eq!(found, Some(*member).filter(|_| *other != Tree::Null));
            }
        }
    }
}
