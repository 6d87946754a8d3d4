//! The limit of open files, within which connections must fit.

use crate::options::{CONNECTIONS, Options};
use presence_engine::data;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The open files beside connections and journals: sockets to listen at, standard streams, the lock, the runtime's own.
const OTHERS: u64 = 64;
/// The open files of a journal: the database, its log, and one while room is looked for.
const JOURNAL: u64 = 4;

/// More connections than there may be open files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyConnections {
    wanted: u32,
    most: u32,
}

impl std::fmt::Display for TooManyConnections {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "--connections {} is more than the limit of open files has room for: {}", self.wanted, self.most)
    }
}

impl std::error::Error for TooManyConnections {}

/// Raises the soft limit of open files to the hard one. Returns the limit; `None` if there is none.
fn raise_limit() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    // What cannot be raised stays.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    getrlimit(Resource::Nofile).current
}

/// Raises the limit of open files, and returns how many connections to accept at a time.
///
/// # Errors
///
/// [`TooManyConnections`] if more are wanted than fit.
pub fn fitting(options: &Options) -> Result<u32, TooManyConnections> {
    let shards = data::shards_for(options.users as usize);
    connections(options.connections, CONNECTIONS, raise_limit(), shards)
}

/// Returns how many connections to accept at a time: as many as wanted, or as fit if it is not said how many.
///
/// # Errors
///
/// [`TooManyConnections`] if not all that are wanted fit.
fn connections(
    wanted: Option<u32>,
    default: u32,
    limit: Option<u64>,
    journals: usize,
) -> Result<u32, TooManyConnections> {
    let others = OTHERS + JOURNAL * journals as u64;
    let most = limit.map_or(u64::MAX, |limit| limit.saturating_sub(others)).max(1);
    let most = u32::try_from(most).unwrap_or(u32::MAX);
    match wanted {
        Some(wanted) if wanted > most => Err(TooManyConnections { wanted, most }),
        Some(wanted) => Ok(wanted),
        None => {
            if most < default {
                tracing::warn!("at most {most} connections at a time, because of the limit of open files");
            }
            Ok(default.min(most))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_fit_the_limit_of_open_files() {
        for (wanted, limit, expected) in [
            (None, None, Ok(8192)),
            (None, Some(1 << 20), Ok(8192)),
            (None, Some(1024), Ok(1024 - 64 - 8)),
            (None, Some(10), Ok(1)),
            (Some(952), Some(1024), Ok(952)),
            (Some(953), Some(1024), Err(TooManyConnections { wanted: 953, most: 952 })),
            (Some(60_000), None, Ok(60_000)),
        ] {
            assert_eq!(connections(wanted, 8192, limit, 2), expected, "{wanted:?} {limit:?}");
        }
    }
}
