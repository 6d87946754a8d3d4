//! Rules H1 and H9 about bodies: content codings, media types, byte order marks, null.

use super::tree::Tree;
use super::without_mark;
use presence_core::Policy;
use presence_core::graph::{Context, Element, Error, RawRequest, Request, Target};

/// Reports whether a list of content codings leaves a body as it is.
fn is_identity(codings: &str) -> bool {
    let is_plain = |coding: &str| coding.is_empty() || coding.eq_ignore_ascii_case("identity");
    codings.split(',').all(|coding| is_plain(coding.trim_matches([' ', '\t', '\n', '\r', '\x0c'])))
}

/// Reports whether path, user and method were in order, so that it is the body's turn.
fn is_routed(outcome: &Result<Request<'_>, Error>) -> bool {
    let before = [Error::TooLarge, Error::UnknownPath, Error::NoSignedInUser, Error::MethodNotAllowed];
    !before.iter().any(|error| outcome.as_ref().err() == Some(error))
}

fn is_action(target: &str) -> bool {
    Target::parse(target).is_ok_and(|target| target.method() == "POST")
}

/// Checks how the body of a request over HTTP was read.
pub fn assert_body_read(
    raw: &RawRequest<'_, '_>,
    body: &[u8],
    context: &Context<'_>,
    policy: &Policy,
    outcome: &Result<Request<'_>, Error>,
) {
    if !is_action(raw.target) || !is_routed(outcome) {
        return;
    }
    if !raw.content_encoding.is_none_or(is_identity) {
        assert_eq!(*outcome, Err(Error::UnsupportedMediaType), "{raw:?} is coded");
        return;
    }
    let assert_same = |other: RawRequest<'_, '_>| {
        assert_eq!(Request::parse(&other, context, policy), *outcome, "{raw:?} is {other:?}");
    };
    assert_same(raw.with_content_encoding(None));
    let bare = without_mark(body);
    let has_second_mark = without_mark(bare).len() < bare.len();
    if !has_second_mark {
        assert_same(raw.with_body(bare));
    }
    let is_json = raw.content_type.is_none_or(|media| media.eq_ignore_ascii_case("application/json"));
    if is_json && bare.trim_ascii() == b"null" && !bare.contains(&b'\x0c') {
        assert_same(raw.with_body(b""));
    }
}

/// Checks how the headers of an element were read, as serde_json reads them.
pub fn assert_headers_read(element: Element<'_>, outcome: &Result<Request<'_>, Error>) {
    let text = element.value().as_str();
    let Ok(tree) = Tree::parse(text.as_bytes()) else { return };
    let (Some(Tree::Text(url)), Some(headers)) = (tree.member("url"), tree.member("headers")) else { return };
    let codings = headers.members().iter().filter(|(name, _)| name.eq_ignore_ascii_case("content-encoding"));
    let is_coded = codings.into_iter().any(|(_, value)| match value {
        Tree::Null => false,
        Tree::Text(codings) => !is_identity(codings),
        _ => true,
    });
    // Other members of the element may be at fault before, and a name with escapes is not that of a header.
    let is_element_fault = matches!(outcome, Err(Error::Malformed(_) | Error::Missing(_) | Error::Duplicate(_)));
    if is_coded && is_action(url) && is_routed(outcome) && !is_element_fault && !text.contains('\\') {
        assert_eq!(*outcome, Err(Error::UnsupportedMediaType), "{text} is coded");
    }
}
