//! `$select`: the members of a presence object or a user object that a request asks for.

#[cfg(feature = "details")]
use crate::graph::error::{Error, Field};
#[cfg(feature = "details")]
use crate::graph::request::query::Query;

/// The members of a presence object, or of a user object, that a request asks for.
///
/// Without feature `details` these are always all of them, as `$select` is not read then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Select {
    /// One bit for each of [`PROPERTIES`].
    #[cfg(feature = "details")]
    properties: u16,
}

impl Select {
    /// Every member.
    pub const ALL: Self = Self {
        #[cfg(feature = "details")]
        properties: u16::MAX,
    };
}

/// The members of a presence object, in the order of rule H3.
#[cfg(feature = "details")]
pub(in crate::graph) const PROPERTIES: [&str; 7] =
    ["id", "availability", "activity", "outOfOfficeSettings", "statusMessage", "sequenceNumber", "workLocation"];

/// The members of a user object, with the bit of each in a [`Select`].
#[cfg(feature = "details")]
pub(in crate::graph) const USER_PROPERTIES: [(usize, &str); 3] =
    [(0, "id"), (PROPERTIES.len(), "userPrincipalName"), (PROPERTIES.len().saturating_add(1), "displayName")];

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
        Self::read(query, false)
    }

    /// Parses the `$select` of a query for a user object. Names of the many members that Graph has beside are ignored.
    pub(super) fn of_user(query: Query<'_>) -> Self {
        Self::read(query, true).unwrap_or(Self::ALL)
    }

    fn read(query: Query<'_>, is_of_user: bool) -> Result<Self, Error> {
        let Some(mut names) = query.option("$select") else { return Ok(Self::ALL) };
        let mut select = Self { properties: 0 };
        let mut is_at_end = names.clone().next().is_none();
        if is_at_end {
            return Ok(Self::ALL);
        }
        while !is_at_end {
            let mut name = heapless::Vec::<u8, { LONGEST + 1 }>::new();
            is_at_end = loop {
                match names.next() {
                    None => break true,
                    Some(b',') => break false,
                    Some(b' ' | b'+') => {}
                    // What does not fit is no name that is known, and neither is what does.
                    Some(byte) => drop(name.push(byte)),
                }
            };
            if name == *b"*" {
                select = Self::ALL;
                continue;
            }
            let is_it = |property: &str| property.as_bytes().eq_ignore_ascii_case(&name);
            let position = if is_of_user {
                USER_PROPERTIES.iter().find(|(_, property)| is_it(property)).map(|(position, _)| *position)
            } else {
                PROPERTIES.iter().position(|property| is_it(property))
            };
            match position {
                Some(position) => select.properties |= bit(position),
                None if is_of_user => {}
                None => return Err(Error::Malformed(Field::Select)),
            }
        }
        Ok(select)
    }

    /// Returns the members of a presence object that are selected.
    #[cfg(feature = "client")]
    pub(crate) fn names(self) -> impl Iterator<Item = &'static str> {
        PROPERTIES.iter().enumerate().filter(move |(position, _)| self.contains_at(*position)).map(|(_, name)| *name)
    }

    /// Reports whether a member is selected.
    #[must_use]
    pub fn contains(self, property: &str) -> bool {
        let presence = PROPERTIES.iter().position(|name| *name == property);
        let user = || USER_PROPERTIES.iter().find(|(_, name)| *name == property).map(|(position, _)| *position);
        presence.or_else(user).is_some_and(|position| self.contains_at(position))
    }

    pub(in crate::graph) fn contains_at(self, position: usize) -> bool {
        self.properties & bit(position) != 0
    }
}

#[cfg(feature = "details")]
fn bit(position: usize) -> u16 {
    1_u16.checked_shl(position as u32).unwrap_or(0)
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
        let user = |query: &str| {
            let select = Select::of_user(Query::new(query));
            USER_PROPERTIES.map(|(_, property)| select.contains(property))
        };
        for (query, expected) in [
            ("/me", [true; 3]),
            ("/me?$select=*", [true; 3]),
            ("/me?$select=id", [true, false, false]),
            ("/me?$select=DisplayName,mail,userprincipalname", [false, true, true]),
            ("/me?$select=mail,onPremisesDistinguishedName,availability,", [false; 3]),
            ("/me?$select=displayNameOfWhichThisIsTheBeginning", [false; 3]),
        ] {
            assert_eq!(user(query), expected, "{query}");
        }
        let error = Err(Error::Malformed(Field::Select));
        let long = "$select=outOfOfficeSettingsX";
        assert_eq!(selected(long), error, "{long}");
        for query in ["$select=x", "$select=id,", "$select=,id", "$select=id,,activity", "$select=idd", "$select=i"] {
            assert_eq!(selected(query), error, "{query}");
        }
    }
}
