//! What an engine is opened with.

use crate::data;
use crate::data::spread::{MAX_SHARDS, Spread};
use crate::journal::Journal;
use crate::metrics::Metrics;
use crate::shard::LoadError;
use crate::shard::users::SESSIONS;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Where an engine stores its users.
#[derive(Debug)]
pub enum Store {
    /// A directory, which is created if it is missing: a file for each shard. One engine at a time uses it.
    Directory(PathBuf),
    /// These journals, one for each shard, over which users are spread in the same way each time.
    Journals(Vec<Box<dyn Journal>>, Spread),
    /// Nowhere: users are forgotten when the engine stops.
    Nothing,
}

/// What an engine is opened with.
#[derive(Debug)]
#[non_exhaustive]
pub struct Options {
    /// Where users are stored.
    pub store: Store,
    /// The most users of whom something is stored; 100,000 unless set. Memory for all of them is allocated at the start.
    pub users: usize,
    /// The most users that count for one application; no limit unless set.
    pub users_per_application: usize,
    /// The most sessions of a user, one of [`SESSIONS`](crate::shard::users::SESSIONS); 8 unless set.
    pub sessions: usize,
    /// The number of shards, each with two threads, 64 at most; unless set, one for each core, and one in all for few users. Given
    /// journals decide it themselves.
    pub shards: Option<usize>,
    /// True if only [`Engine::advance`](super::Engine::advance) moves the clock.
    pub is_clock_virtual: bool,
    /// True to shift data that is ahead of the wall clock back to it. A matter of operators: a machine may learn the time only
    /// after the start.
    pub resets_clock: bool,
    /// What the engine counts and measures.
    pub metrics: Arc<Metrics>,
}

impl Options {
    /// Creates the default options for a store.
    pub fn new(store: Store) -> Self {
        Self {
            store,
            users: 100_000,
            users_per_application: usize::MAX,
            sessions: SESSIONS[0],
            shards: None,
            is_clock_virtual: false,
            resets_clock: false,
            metrics: Arc::default(),
        }
    }

    /// Returns the number of shards, if the store does not decide it.
    pub(super) fn shards(&self) -> usize {
        self.shards.unwrap_or_else(|| data::shards_for(self.users))
    }

    /// Checks that an engine can be opened with these options, and its data be opened again.
    pub(super) fn check(&self) -> Result<(), OpenError> {
        if !SESSIONS.contains(&self.sessions) {
            return Err(OpenError::Options("a user may have 8, 16, 32 or 64 sessions"));
        }
        match &self.store {
            Store::Journals(journals, spread) if journals.is_empty() || journals.len() != spread.len() => {
                Err(OpenError::Options("there must be a journal for each shard of the spread"))
            }
            Store::Journals(..) => Ok(()),
            _ if (1..=MAX_SHARDS).contains(&self.shards()) => Ok(()),
            _ => Err(OpenError::Options("there may be 1 to 64 shards")),
        }
    }
}

/// An engine that cannot be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// Options that no engine can be opened with, and why. Nothing was opened.
    Options(&'static str),
    /// A data directory that cannot be opened.
    Data(data::LayoutError),
    /// Stored data that cannot be served.
    Load(LoadError),
    /// Threads or random numbers that the system does not give.
    System(io::Error),
}

impl std::fmt::Display for OpenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Options(why) => f.write_str(why),
            Self::Data(error) => error.fmt(f),
            Self::Load(error) => error.fmt(f),
            Self::System(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for OpenError {}

impl From<data::LayoutError> for OpenError {
    fn from(error: data::LayoutError) -> Self {
        Self::Data(error)
    }
}

impl From<LoadError> for OpenError {
    fn from(error: LoadError) -> Self {
        Self::Load(error)
    }
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}
