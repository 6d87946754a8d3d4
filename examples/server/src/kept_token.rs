//! The development token of a first try, which is kept in the data directory so that it survives a restart.

use crate::configuration::Given;
use crate::tokens::{Grant, GrantError};
use presence_engine::data::journal_set::write_durably;
use presence_engine::files::{self, FileError};
use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// The name of its file.
pub const FILE: &str = "dev-token";

/// A file that cannot be the development token.
#[derive(Debug)]
pub enum KeptTokenError {
    /// A file that the server does not use.
    File(PathBuf, FileError),
    /// A file that cannot be read or written.
    Io(PathBuf, io::Error),
    /// A text that is no token.
    Token(PathBuf, GrantError),
}

impl fmt::Display for KeptTokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Token(path, error) => {
                write!(f, "{}: {error}; without the file the next start creates another token", path.display())
            }
        }
    }
}

impl std::error::Error for KeptTokenError {}

/// A development token, and where it is kept.
#[derive(Debug)]
pub struct KeptToken {
    /// The token itself, to be shown to who has started the server.
    pub text: String,
    /// Its grant.
    pub given: Given,
}

impl KeptToken {
    /// Creates a token that is kept nowhere.
    ///
    /// # Errors
    ///
    /// None in practice: what it creates is a token.
    pub fn unkept() -> Result<Self, KeptTokenError> {
        Self::new(fresh(), Path::new(FILE))
    }

    /// Reads the token of a data directory, or creates one, its owner's alone. Logs where it is.
    ///
    /// The directory is open, which its lock proves: no other server creates the file meanwhile.
    ///
    /// # Errors
    ///
    /// [`KeptTokenError`] if the file is anything but one of the server's user with a token in it.
    pub fn of(directory: &Path, _lock: &File) -> Result<Self, KeptTokenError> {
        let unsafe_at = |path: &Path| {
            let path = path.to_owned();
            move |error| KeptTokenError::File(path, error)
        };
        let directory = files::directory(directory).map_err(unsafe_at(directory))?;
        let path = directory.join(FILE);
        let failed = |error| KeptTokenError::Io(path.clone(), error);
        let mut text = String::new();
        match files::open(&path) {
            Err(FileError::Io(error)) if error.kind() == ErrorKind::NotFound => {
                text = fresh();
                write_durably(&directory, &path, &format!("{text}\n")).map_err(failed)?;
                tracing::info!(
                    "created a development token in {}, which later starts take as well; without the file the next start \
                     creates another",
                    path.display()
                );
            }
            opened => {
                opened.map_err(unsafe_at(&path))?.read_to_string(&mut text).map_err(failed)?;
                tracing::info!("the development token is that of {}", path.display());
            }
        }
        Self::new(text.trim().to_owned(), &path)
    }

    fn new(text: String, path: &Path) -> Result<Self, KeptTokenError> {
        let grant = Grant::development(&text).map_err(|error| KeptTokenError::Token(path.to_owned(), error))?;
        Ok(Self { text, given: Given { grant, place: path.display().to_string() } })
    }
}

/// Returns a token that nobody can guess.
fn fresh() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
