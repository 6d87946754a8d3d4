//! The ids of a bulk read.

use crate::graph::error::{Error, Field};
use crate::graph::json::Value;
use crate::graph::request::fields::{Text, member};
use crate::graph::request::select::Select;
use crate::id::UserId;

/// The ids of a bulk read, borrowed from the body: 1 to [`MAX_COUNT`](Self::MAX_COUNT) GUIDs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Ids<'a> {
    ids: Value<'a>,
    select: Select,
}

impl<'a> Ids<'a> {
    /// The maximum number of ids in a bulk read.
    pub const MAX_COUNT: usize = 650;

    /// Parses the `ids` of a body.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`], [`Error::Malformed`], [`Error::Duplicate`] or [`Error::Count`], of [`Field::Ids`].
    pub fn parse(body: Option<Value<'a>>) -> Result<Self, Error> {
        let ids = member(body, Field::Ids)?.ok_or(Error::Missing(Field::Ids))?;
        if !ids.is_array() {
            return Err(Error::Malformed(Field::Ids));
        }
        let count = ids.elements().take(Self::MAX_COUNT.saturating_add(1)).count();
        if count == 0 || count > Self::MAX_COUNT {
            return Err(Error::Count(Field::Ids));
        }
        if ids.elements().any(|id| user_id(id).is_none()) {
            return Err(Error::Malformed(Field::Ids));
        }
        Ok(Self { ids, select: Select::ALL })
    }

    /// Returns the ids, in the order of the request. An id given twice comes twice.
    pub fn iter(self) -> impl Iterator<Item = UserId> {
        self.ids.elements().filter_map(user_id)
    }

    pub(super) const fn with_select(self, select: Select) -> Self {
        Self { ids: self.ids, select }
    }

    /// Returns the members of each presence that the request selects.
    #[must_use]
    pub const fn select(self) -> Select {
        self.select
    }
}

fn user_id(value: Value<'_>) -> Option<UserId> {
    UserId::parse(value.text_in(&mut Text::new())?).ok()
}
