//! Paths and queries: segments, options, percent-decoding.

use crate::id::hex_value;

/// Returns the text before the first of these ASCII bytes; all of it if there is none.
pub(super) fn until<'a>(text: &'a str, ends: &[u8]) -> &'a str {
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

/// Returns the value of an option in the query of a target, still percent-encoded.
#[cfg(feature = "details")]
pub(super) fn query_option<'a>(target: &'a str, name: &str) -> Option<&'a str> {
    let target = until(target, b"#");
    let query = target.get(until(target, b"?").len().saturating_add(1)..)?;
    let mut options = query.split('&').map(|option| {
        let key = until(option, b"=");
        (key, option.get(key.len().saturating_add(1)..).unwrap_or_default())
    });
    let is_named = |key: &str| {
        Decoded::new(key.as_bytes())
            .map(|byte| byte.to_ascii_lowercase())
            .eq(name.bytes().map(|byte| byte.to_ascii_lowercase()))
    };
    options.find(|(key, _)| is_named(key)).map(|(_, value)| value)
}

/// The remaining segments of a path.
pub(super) struct Segments<'a>(Option<&'a str>);

impl<'a> Segments<'a> {
    pub(super) fn new(path: &'a str) -> Self {
        Self(Some(path.strip_prefix("/").unwrap_or(path)))
    }

    pub(super) fn next(&mut self) -> Option<&'a str> {
        let rest = self.0?;
        let segment = until(rest, b"/");
        self.0 = rest.get(segment.len().saturating_add(1)..);
        Some(segment)
    }

    pub(super) fn require(&mut self, name: &str) -> Option<()> {
        if is(self.next()?, name) { Some(()) } else { None }
    }
}

/// The bytes of a segment, percent-decoded; a malformed escape stands for itself.
pub(super) struct Decoded<'a>(&'a [u8]);

impl<'a> Decoded<'a> {
    pub(super) const fn new(text: &'a [u8]) -> Self {
        Self(text)
    }
}

impl Iterator for Decoded<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        if let [b'%', high, low, after @ ..] = self.0
            && let (Some(high), Some(low)) = (hex_value(*high), hex_value(*low))
        {
            self.0 = after;
            return Some((high << 4) | low);
        }
        let (first, after) = self.0.split_first()?;
        self.0 = after;
        Some(*first)
    }
}

/// Reports whether a segment, percent-decoded, is this name.
pub(super) fn is(segment: &str, name: &str) -> bool {
    Decoded::new(segment.as_bytes()).eq(name.bytes())
}
