//! Paths: segments, names, keys, percent-decoding.

use crate::id::hex_value;
use core::str::Bytes;

/// Returns the text before the first of these ASCII bytes; all of it if there is none.
pub(crate) fn until<'a>(text: &'a str, ends: &[u8]) -> &'a str {
    let end = text.bytes().position(|byte| ends.contains(&byte));
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

/// Returns the path of a whole URL; of a path, all of it.
pub(super) fn without_authority(target: &str) -> &str {
    let is_url = |scheme: &str| target.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    let Some(scheme) = ["https://", "http://"].into_iter().find(|scheme| is_url(scheme)) else { return target };
    let behind = target.get(scheme.len()..).unwrap_or_default();
    behind.get(until(behind, b"/").len()..).unwrap_or_default()
}

/// The remaining segments of a path.
pub(super) struct Segments<'a>(Option<&'a str>);

impl<'a> Segments<'a> {
    /// Creates the segments of a path; a slash at its end is ignored.
    pub(super) fn new(path: &'a str) -> Self {
        let path = path.strip_prefix("/").unwrap_or(path);
        Self(Some(path.strip_suffix("/").unwrap_or(path)))
    }

    pub(super) fn next(&mut self) -> Option<&'a str> {
        let rest = self.0?;
        let segment = until(rest, b"/");
        self.0 = rest.get(segment.len().saturating_add(1)..);
        Some(segment)
    }

    pub(super) const fn is_at_end(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn require(&mut self, name: &str) -> Option<()> {
        if is(self.next()?, name) { Some(()) } else { None }
    }
}

/// Bytes, percent-decoded; a malformed escape stands for itself.
#[derive(Clone)]
pub(super) struct Decoded<I>(pub(super) I);

impl<'a> Decoded<Bytes<'a>> {
    pub(super) fn new(text: &'a str) -> Self {
        Self(text.bytes())
    }
}

impl<I: Iterator<Item = u8> + Clone> Iterator for Decoded<I> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let first = self.0.next()?;
        if first == b'%' {
            let mut ahead = self.0.clone();
            if let Some(high) = ahead.next().and_then(hex_value)
                && let Some(low) = ahead.next().and_then(hex_value)
            {
                self.0 = ahead;
                return Some((high << 4) | low);
            }
        }
        Some(first)
    }
}

/// Decodes bytes of which some are percent-encoded.
#[cfg(feature = "client")]
pub(crate) fn percent_decoded(bytes: impl Iterator<Item = u8> + Clone) -> impl Iterator<Item = u8> + Clone {
    Decoded(bytes)
}

impl Decoded<Bytes<'_>> {
    /// Skips a name in any case, if it comes next.
    pub(super) fn skip(mut self, name: &str) -> Option<Self> {
        for expected in name.bytes() {
            if !self.next()?.eq_ignore_ascii_case(&expected) {
                return None;
            }
        }
        Some(self)
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.0.len() == 0
    }
}

/// Reports whether a segment is this name, which may be escaped and in any case.
pub(super) fn is(segment: &str, name: &str) -> bool {
    Decoded::new(segment).skip(name).is_some_and(|rest| rest.is_at_end())
}

/// Reports whether a segment is the name of this action, with its namespace or without.
pub(super) fn is_action(segment: &str, name: &str) -> bool {
    let segment = Decoded::new(segment);
    let unqualified = segment.clone().skip("microsoft.graph.").unwrap_or(segment);
    unqualified.skip(name).is_some_and(|rest| rest.is_at_end())
}

/// Returns the text of a key, as in `('id')`, still escaped; it is what is left of a segment.
pub(super) fn key<'a>(segment: &'a str, rest: Decoded<Bytes<'a>>) -> Option<&'a str> {
    let rest = rest.skip("('")?;
    let inside = segment.get(segment.len().saturating_sub(rest.0.len())..)?;
    // Either of the last two characters may be escaped.
    for len in [2, 4, 6] {
        let (text, end) = inside.split_at_checked(inside.len().checked_sub(len)?)?;
        if is(end, "')") {
            return Some(text);
        }
    }
    None
}
