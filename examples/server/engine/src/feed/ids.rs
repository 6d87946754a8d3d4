//! Ids of events: where a client stands that follows changes, so that it can resume there.
//!
//! An id is a checksum, the position of the scan or `live` after it, and the cursor in each shard in which the scan has begun:
//! `1d96c1f5e3a8b204-scan.1.384-17-9`. The checksum is keyed, with a key of this run of the server, so an id of another run,
//! or one that was changed on its way, is not accepted: it could make the client miss something.

use presence_core::directory::Cursor;
use std::fmt::Write;
use std::hash::{BuildHasher, RandomState};

/// The position of a scan of all users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanPosition {
    /// The shard.
    pub shard: usize,
    /// The offset of the next slot in the shard.
    pub offset: usize,
}

impl ScanPosition {
    /// The beginning of a scan.
    pub const START: Self = Self { shard: 0, offset: 0 };

    /// Returns the number of shards in which the scan has begun.
    pub fn begun(self) -> usize {
        self.shard + usize::from(self.offset > 0)
    }
}

/// The position of a page of a list of all users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PagePosition {
    /// The position in the slots.
    pub slot: ScanPosition,
    /// The generation of the shard's slots; of no meaning at its first.
    pub generation: u64,
}

impl PagePosition {
    /// The beginning of a list.
    pub const START: Self = Self { slot: ScanPosition::START, generation: 0 };
}

/// Where a client stands that follows changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The position of the scan; `None` when it is complete.
    pub scan: Option<ScanPosition>,
    /// The cursor in each shard in which the scan has begun: in all when it is complete.
    pub cursors: Vec<Cursor>,
}

/// The ids of this run of the server.
#[derive(Debug, Default)]
pub struct FeedIds {
    key: RandomState,
}

impl FeedIds {
    /// Formats a position as an id.
    pub fn format(&self, scan: Option<ScanPosition>, cursors: &[Cursor]) -> String {
        let mut text = match scan {
            Some(ScanPosition { shard, offset }) => format!("scan.{shard}.{offset}"),
            None => "live".to_owned(),
        };
        for cursor in cursors {
            // Writing to a string does not fail.
            let _ = write!(text, "-{}", cursor.to_number());
        }
        format!("{:016x}-{text}", self.checksum(&text))
    }

    /// Formats the position of a page of a list of all users as a token.
    pub fn format_page(&self, position: PagePosition) -> String {
        let PagePosition { slot: ScanPosition { shard, offset }, generation } = position;
        let text = format!("page.{shard}.{offset}.{generation}");
        format!("{:016x}-{text}", self.checksum(&text))
    }

    /// Parses a token of [`format_page`](Self::format_page), if it is of this run.
    pub fn parse_page(&self, token: &str, shards: usize) -> Option<PagePosition> {
        let (checksum, text) = token.split_once('-')?;
        let (shard, rest) = text.strip_prefix("page.")?.split_once('.')?;
        let (offset, generation) = rest.split_once('.')?;
        let slot = ScanPosition { shard: shard.parse().ok()?, offset: offset.parse().ok()? };
        let position = PagePosition { slot, generation: generation.parse().ok()? };
        (checksum == format!("{:016x}", self.checksum(text)) && slot.shard < shards).then_some(position)
    }

    /// Parses an id of [`format`](Self::format), if it is of this run and fits as many shards.
    pub fn parse(&self, id: &str, shards: usize) -> Option<Position> {
        let (checksum, text) = id.split_once('-')?;
        if checksum != format!("{:016x}", self.checksum(text)) {
            return None;
        }
        let mut parts = text.split('-');
        let scan = match parts.next()? {
            "live" => None,
            scan => {
                let (shard, offset) = scan.strip_prefix("scan.")?.split_once('.')?;
                Some(ScanPosition { shard: shard.parse().ok()?, offset: offset.parse().ok()? })
            }
        };
        let cursors: Vec<_> = parts.map(|part| part.parse().ok().map(Cursor::from_number)).collect::<Option<_>>()?;
        let is_consistent = match scan {
            Some(scan) => scan.shard < shards && cursors.len() == scan.begun(),
            None => cursors.len() == shards,
        };
        is_consistent.then_some(Position { scan, cursors })
    }

    fn checksum(&self, text: &str) -> u64 {
        self.key.hash_one(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursors(numbers: &[u64]) -> Vec<Cursor> {
        numbers.iter().copied().map(Cursor::from_number).collect()
    }

    fn positions() -> Vec<Position> {
        let scan = |shard, offset, numbers: &[u64]| Position {
            scan: Some(ScanPosition { shard, offset }),
            cursors: cursors(numbers),
        };
        vec![
            scan(0, 0, &[]),
            scan(0, 7, &[3]),
            scan(1, 0, &[3]),
            scan(2, 384, &[3, 0, u64::MAX]),
            Position { scan: None, cursors: cursors(&[7, 12, 0]) },
        ]
    }

    #[test]
    fn ids_of_this_run_are_parsed_and_no_others() {
        let (ids, others) = (FeedIds::default(), FeedIds::default());
        for position in positions() {
            let id = ids.format(position.scan, &position.cursors);
            assert_eq!(ids.parse(&id, 3).as_ref(), Some(&position), "{id}");
            assert_eq!(others.parse(&id, 3), None, "another run");
            for shards in [0, 1, 2, 4, 64] {
                let is_begun = position.scan.is_some_and(|scan| scan.shard < shards);
                assert_eq!(ids.parse(&id, shards).is_some(), is_begun, "{id} for {shards} shards");
            }
        }
    }

    #[test]
    fn tokens_of_pages_of_this_run_are_parsed_and_no_others() {
        let (ids, others) = (FeedIds::default(), FeedIds::default());
        for (shard, offset, generation) in [(0, 0, 0), (0, 7, 3), (2, 384, u64::MAX)] {
            let position = PagePosition { slot: ScanPosition { shard, offset }, generation };
            let token = ids.format_page(position);
            assert_eq!(others.parse_page(&token, 3), None, "another run");
            assert_eq!(ids.parse(&token, 3), None, "no id of an event");
            for shards in [0, 1, 2, 3, 64] {
                assert_eq!(
                    ids.parse_page(&token, shards),
                    Some(position).filter(|_| shard < shards),
                    "{token} {shards}"
                );
            }
            for at in 0..token.len() {
                assert_eq!(ids.parse_page(&token[..at], 3), None, "cut off at {at}");
                let changed = format!(
                    "{}{}{}",
                    &token[..at],
                    if token[at..].starts_with('1') { '2' } else { '1' },
                    &token[at + 1..]
                );
                assert_eq!(ids.parse_page(&changed, 3), None, "{changed}");
            }
        }
    }

    #[test]
    fn ids_that_were_changed_are_not_accepted() {
        let ids = FeedIds::default();
        for position in positions() {
            let id = ids.format(position.scan, &position.cursors);
            for at in 0..id.len() {
                assert_eq!(ids.parse(&id[..at], 3), None, "cut off at {at}");
                for other in "0123456789abcdef.-sé\n".chars().filter(|other| !id[at..].starts_with(*other)) {
                    let changed = format!("{}{other}{}", &id[..at], &id[at + 1..]);
                    assert_eq!(ids.parse(&changed, 3), None, "{changed:?}");
                }
            }
            assert_eq!(ids.parse(&format!("{id}-0"), 3), None);
            assert_eq!(ids.parse(&id.to_uppercase(), 3), None);
        }
        for id in ["", "-", "x", "0", "0-live", "00000000000000ff-0-1", &"-".repeat(10_000), &"9".repeat(10_000)] {
            assert_eq!(ids.parse(id, 3), None);
        }
    }

    /// Ids with a right checksum, which only the server can make, are checked too.
    #[test]
    fn numbers_that_do_not_fit_are_not_accepted() {
        let ids = FeedIds::default();
        for text in
            ["", "live", "live-1-2-x", "live-1-2--3", "scan", "scan.0", "scan.0.1", "scan.-1.0", "scan.3.0-1-2-3"]
        {
            assert_eq!(ids.parse(&format!("{:016x}-{text}", ids.checksum(text)), 3), None, "{text}");
        }
    }

    #[test]
    fn an_id_fits_into_a_header_whatever_the_number_of_shards() {
        let cursors = cursors(&[u64::MAX; crate::data::spread::MAX_SHARDS]);
        let scan = ScanPosition { shard: cursors.len() - 1, offset: usize::MAX };
        let ids = FeedIds::default();
        let id = ids.format(Some(scan), &cursors);
        assert!(id.len() < 1400, "{}", id.len());
        assert_eq!(ids.parse(&id, cursors.len()), Some(Position { scan: Some(scan), cursors }));
    }
}
