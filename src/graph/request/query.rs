//! Queries: the options behind a path.

#[cfg(any(feature = "batch", feature = "details"))]
use crate::graph::json::Decoded as JsonDecoded;
#[cfg(any(feature = "batch", feature = "details"))]
use crate::graph::request::uri::Decoded;

/// The query of a target, as HTTP delivers it or in a JSON string.
///
/// It is decoded as it is read, because it may be longer than any buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct Query<'a> {
    plain: &'a str,
    json: &'a str,
}

impl<'a> Query<'a> {
    /// Creates the query of a target.
    pub(super) const fn new(target: &'a str) -> Self {
        Self { plain: target, json: "" }
    }

    /// Creates the query of a target that is a JSON string, given without its quotation marks.
    pub(super) const fn in_json(target: &'a str) -> Self {
        Self { plain: "", json: target }
    }

    /// Returns the value of the first option with this name, in any case, percent-decoded. The name is in lower case.
    #[cfg(any(feature = "batch", feature = "details"))]
    pub(super) fn option(self, name: &str) -> Option<impl Iterator<Item = u8> + Clone + use<'a>> {
        let target = self.plain.bytes().chain(JsonDecoded::new(self.json));
        let mut rest = target.take_while(|byte| *byte != b'#');
        rest.find(|byte| *byte == b'?')?;
        loop {
            let mut option = rest.clone().take_while(|byte| *byte != b'&');
            let key = Decoded(option.clone().take_while(|byte| *byte != b'='));
            if key.map(|byte| byte.to_ascii_lowercase()).eq(name.bytes()) {
                // An option without a value ends here.
                option.find(|byte| *byte == b'=');
                return Some(Decoded(option));
            }
            rest.find(|byte| *byte == b'&')?;
        }
    }
}
