//! The ids of a bulk read.

use crate::graph::error::{Error, Field};
use crate::graph::json::Value;
use crate::graph::request::fields::{Text, member};
#[cfg(feature = "batch")]
use crate::graph::request::filter;
#[cfg(feature = "batch")]
use crate::graph::request::query::Query;
use crate::graph::request::select::Select;
use crate::id::UserId;

/// The ids of a bulk read, borrowed from the request: 1 to [`MAX_COUNT`](Self::MAX_COUNT) GUIDs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Ids<'a> {
    source: Source<'a>,
    select: Select,
}

/// The part of a request that has the ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
enum Source<'a> {
    /// The array in the body.
    Body(Value<'a>),
    /// The `$filter` of the query.
    #[cfg(feature = "batch")]
    Query(Query<'a>),
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
        Ok(Self { source: Source::Body(ids), select: Select::ALL })
    }

    /// Parses the `$filter` of a query, which is `id in ('…','…')`. See [H8](crate::rules#h8).
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] or [`Error::Malformed`] of [`Field::Filter`]; [`Error::Malformed`] or [`Error::Count`] of
    /// [`Field::Ids`].
    #[cfg(feature = "batch")]
    pub(super) fn filtered(query: Query<'a>) -> Result<Self, Error> {
        let ids = filter::ids(query).ok_or(Error::Missing(Field::Filter))?;
        let (mut count, mut are_ids) = (0_usize, true);
        for id in ids {
            are_ids &= id.map_err(|_| Error::Malformed(Field::Filter))?.is_some();
            count = count.saturating_add(1);
        }
        if count == 0 || count > Self::MAX_COUNT {
            return Err(Error::Count(Field::Ids));
        }
        if !are_ids {
            return Err(Error::Malformed(Field::Ids));
        }
        Ok(Self { source: Source::Query(query), select: Select::ALL })
    }

    /// Returns the ids, in the order of the request. An id given twice comes twice.
    pub fn iter(self) -> impl Iterator<Item = UserId> {
        let body = match self.source {
            Source::Body(ids) => Some(ids),
            #[cfg(feature = "batch")]
            Source::Query(_) => None,
        };
        let ids = body.into_iter().flat_map(Value::elements).filter_map(user_id);
        #[cfg(feature = "batch")]
        let ids = ids.chain(self.query_ids());
        ids
    }

    /// Returns the ids of a query.
    #[cfg(feature = "batch")]
    fn query_ids(self) -> impl Iterator<Item = UserId> {
        let query = if let Source::Query(query) = self.source { Some(query) } else { None };
        query.and_then(filter::ids).into_iter().flatten().filter_map(|id| id.ok().flatten())
    }

    pub(super) const fn with_select(self, select: Select) -> Self {
        Self { source: self.source, select }
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
