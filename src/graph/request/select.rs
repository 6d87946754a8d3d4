//! `$select`: the members of a presence object that a request asks for.

#[cfg(feature = "details")]
use crate::graph::error::{Error, Field};
#[cfg(feature = "details")]
use crate::graph::request::query::Query;

/// The members of a presence object that a request asks for.
///
/// Without feature `details` these are always all of them, as `$select` is not read then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Select {
    /// One bit for each of [`PROPERTIES`].
    #[cfg(feature = "details")]
    properties: u8,
}

impl Select {
    /// Every member.
    pub const ALL: Self = Self {
        #[cfg(feature = "details")]
        properties: u8::MAX,
    };
}

/// The members of a presence object, in the order of rule H3.
#[cfg(feature = "details")]
pub(in crate::graph) const PROPERTIES: [&str; 7] =
    ["id", "availability", "activity", "outOfOfficeSettings", "statusMessage", "sequenceNumber", "workLocation"];

/// The length of the longest of these names, in bytes.
#[cfg(feature = "details")]
const LONGEST: usize = "outOfOfficeSettings".len();

#[cfg(feature = "details")]
impl Select {
    /// Parses the `$select` of a request's target, names in any case; everything without one, or with `*`.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] for an unknown name.
    ///
    /// ```
    /// use presence_core::graph::Select;
    ///
    /// let select = Select::parse("/me/presence?$select=availability,activity")?;
    /// assert!(select.contains("activity") && !select.contains("id"));
    /// assert_eq!(Select::parse("/me/presence"), Ok(Select::ALL));
    /// # Ok::<(), presence_core::graph::Error>(())
    /// ```
    pub fn parse(target: &str) -> Result<Self, Error> {
        Self::of(Query::new(target))
    }

    /// Parses the `$select` of a query.
    pub(super) fn of(query: Query<'_>) -> Result<Self, Error> {
        let Some(mut names) = query.option("$select") else { return Ok(Self::ALL) };
        let mut select = Self { properties: 0 };
        let mut is_at_end = names.clone().next().is_none();
        if is_at_end {
            return Ok(Self::ALL);
        }
        while !is_at_end {
            let mut name = heapless::Vec::<u8, LONGEST>::new();
            is_at_end = loop {
                match names.next() {
                    None => break true,
                    Some(b',') => break false,
                    Some(b' ' | b'+') => {}
                    Some(byte) => name.push(byte).map_err(|_| Error::Malformed(Field::Select))?,
                }
            };
            if name == *b"*" {
                select = Self::ALL;
                continue;
            }
            let position = PROPERTIES.iter().position(|property| property.as_bytes().eq_ignore_ascii_case(&name));
            let position = position.ok_or(Error::Malformed(Field::Select))?;
            select.properties |= 1_u8.checked_shl(position as u32).unwrap_or(0);
        }
        Ok(select)
    }

    /// Reports whether a member is selected.
    #[must_use]
    pub fn contains(self, property: &str) -> bool {
        let position = PROPERTIES.iter().position(|name| *name == property);
        position.is_some_and(|position| self.contains_at(position))
    }

    pub(in crate::graph) fn contains_at(self, position: usize) -> bool {
        self.properties & 1_u8.checked_shl(position as u32).unwrap_or(0) != 0
    }
}

#[cfg(all(test, feature = "details"))]
mod tests {
    use super::*;

    #[test]
    fn section_7_select_in_every_spelling() {
        let selected = |query: &str| {
            let mut target = heapless::String::<200>::new();
            target.push_str("/me/presence?").unwrap();
            target.push_str(query).unwrap();
            Select::parse(&target).map(|select| PROPERTIES.map(|property| select.contains(property)))
        };
        let all = Ok([true; 7]);
        let two = Ok([false, true, true, false, false, false, false]);
        for query in [
            "$select=availability,activity",
            "%24select=availability,activity",
            "$expand=x&$select=activity,availability",
            "$SELECT=Availability,ACTIVITY",
            "$select=availability%2Cactivity",
            "$select=availability%2cactivity",
            "$select=availability,%20activity",
            "$select=availability,+activity#x",
            "$select=availability,activity,activity",
            "$select=%61vailability,activity&$top=1",
        ] {
            assert_eq!(selected(query), two, "{query}");
        }
        for query in ["", "x", "$select", "$select=", "$select=*", "$select=id,*", "$selected=id"] {
            assert_eq!(selected(query), all, "{query}");
        }
        let error = Err(Error::Malformed(Field::Select));
        for query in ["$select=x", "$select=id,", "$select=,id", "$select=id,,activity", "$select=idd", "$select=i"] {
            assert_eq!(selected(query), error, "{query}");
        }
    }
}
