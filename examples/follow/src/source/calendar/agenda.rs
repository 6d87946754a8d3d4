//! What a calendar shows, and from when on: the strongest of what lasts at a moment, and when that changes.

use chrono::{DateTime, Utc};
use presence_core::Presence;
use std::collections::BTreeMap;

/// What one event shows, or all of them together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// The presence; `None` if nothing lasts.
    pub presence: Option<Presence>,
    /// Whether the owner is out of the office.
    pub out_of_office: bool,
}

impl Shown {
    /// Out of the office: away, and weaker than whatever else says that the owner is there.
    pub const OUT_OF_OFFICE: Self = Self { presence: Some(Presence::Away), out_of_office: true };

    /// Returns a presence in the office.
    pub const fn presence(presence: Presence) -> Self {
        Self { presence: Some(presence), out_of_office: false }
    }
}

/// A span of time that one occurrence of an event takes, without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence {
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
    pub shown: Shown,
}

/// What is shown when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agenda {
    /// What is shown from a moment on, in order; before the first, nothing.
    pub(super) changes: Vec<(DateTime<Utc>, Shown)>,
}

impl Agenda {
    /// Creates an agenda of occurrences in any order.
    pub fn new(occurrences: &[Occurrence]) -> Self {
        let mut edges: BTreeMap<DateTime<Utc>, Vec<(bool, Shown)>> = BTreeMap::new();
        for occurrence in occurrences.iter().filter(|occurrence| occurrence.start < occurrence.end) {
            edges.entry(occurrence.start).or_default().push((true, occurrence.shown));
            edges.entry(occurrence.end).or_default().push((false, occurrence.shown));
        }
        let mut lasting = Lasting::default();
        let mut agenda = Self::default();
        for (at, edges) in edges {
            for (begins, shown) in edges {
                lasting.count(begins, shown);
            }
            let shown = lasting.shown();
            if agenda.changes.last().map_or(Shown::default(), |(_, last)| *last) != shown {
                agenda.changes.push((at, shown));
            }
        }
        agenda
    }

    /// Returns what is shown at a moment.
    pub fn at(&self, now: DateTime<Utc>) -> Shown {
        let past = self.changes.partition_point(|(at, _)| *at <= now);
        past.checked_sub(1).and_then(|last| self.changes.get(last)).map_or(Shown::default(), |(_, shown)| *shown)
    }

    /// Returns when what is shown changes next.
    pub fn next_change(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.changes.get(self.changes.partition_point(|(at, _)| *at <= now)).map(|(at, _)| *at)
    }
}

/// How many occurrences last that show what.
#[derive(Default)]
struct Lasting {
    presences: BTreeMap<Presence, usize>,
    out_of_office: usize,
}

impl Lasting {
    fn count(&mut self, begins: bool, shown: Shown) {
        let step = |count: usize| if begins { count.saturating_add(1) } else { count.saturating_sub(1) };
        if shown.out_of_office {
            self.out_of_office = step(self.out_of_office);
        }
        if let Some(presence) = shown.presence {
            let count = self.presences.entry(presence).or_default();
            *count = step(*count);
        }
    }

    fn shown(&self) -> Shown {
        let strongest = self.presences.iter().rev().find(|(_, count)| **count > 0);
        Shown { presence: strongest.map(|(presence, _)| *presence), out_of_office: self.out_of_office > 0 }
    }
}
