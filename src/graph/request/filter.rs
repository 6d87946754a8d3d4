//! `$filter`: the ids that a read of the collection names.

use crate::graph::request::query::Query;
use crate::graph::request::target::user_id;
use crate::id::UserId;

/// The filter is something else than `id in ('…','…')`.
pub(super) struct FilterError;

/// Returns the ids of a query's `$filter`, as they come; `None` without one.
///
/// An id is `None` if it is no GUID. After an error comes nothing.
pub(super) fn ids<'a>(query: Query<'a>) -> Option<impl Iterator<Item = Result<Option<UserId>, FilterError>> + use<'a>> {
    let mut reader = Reader(query.option("$filter")?);
    let mut state = State::Start;
    Some(core::iter::from_fn(move || {
        let next = reader.next(&mut state);
        if !matches!(next, Ok(Some(_))) {
            state = State::End;
        }
        next.transpose()
    }))
}

/// The progress of reading a list.
enum State {
    /// Nothing was read.
    Start,
    /// An id was read.
    Id,
    /// The list was read, or has a fault.
    End,
}

/// A percent-decoded text, read from its beginning.
struct Reader<I>(I);

impl<I: Iterator<Item = u8> + Clone> Reader<I> {
    /// Reads the next id of the list; `None` behind its end.
    fn next(&mut self, state: &mut State) -> Result<Option<Option<UserId>>, FilterError> {
        match state {
            State::Start => {
                self.space();
                self.word(b"id")?;
                // A name of which this is the beginning is another one.
                if !self.space() {
                    return Err(FilterError);
                }
                self.word(b"in")?;
                self.space();
                self.word(b"(")?;
                self.space();
                *state = State::Id;
                if self.word(b")").is_ok() {
                    return self.end();
                }
            }
            State::Id => {
                self.space();
                if self.word(b")").is_ok() {
                    return self.end();
                }
                self.word(b",")?;
                self.space();
            }
            State::End => return Ok(None),
        }
        self.word(b"'")?;
        // No GUID has a quotation mark.
        let mut is_closed = false;
        let bytes = core::iter::from_fn(|| {
            let byte = self.0.next()?;
            is_closed = byte == b'\'';
            (!is_closed).then_some(byte)
        });
        let mut bytes = bytes.fuse();
        let id = user_id(bytes.by_ref());
        bytes.for_each(drop);
        if is_closed { Ok(Some(id)) } else { Err(FilterError) }
    }

    /// Reads the end of the text.
    fn end(&mut self) -> Result<Option<Option<UserId>>, FilterError> {
        self.space();
        if self.0.next().is_none() { Ok(None) } else { Err(FilterError) }
    }

    /// Skips white space, as clients write it in a query; reports whether there is some.
    fn space(&mut self) -> bool {
        let mut is_there = false;
        loop {
            let mut ahead = self.0.clone();
            if !matches!(ahead.next(), Some(b' ' | b'+' | b'\t')) {
                return is_there;
            }
            self.0 = ahead;
            is_there = true;
        }
    }

    /// Reads a word, in any case, if it comes next.
    fn word(&mut self, word: &[u8]) -> Result<(), FilterError> {
        let mut ahead = self.0.clone();
        for letter in word {
            if !ahead.next().is_some_and(|byte| byte.eq_ignore_ascii_case(letter)) {
                return Err(FilterError);
            }
        }
        self.0 = ahead;
        Ok(())
    }
}
