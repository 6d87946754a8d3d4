//! The manifest of a backup, `backup.json`: its files with their lengths and checksums. It is written last, so a backup that has
//! none is not complete.

use crate::data::spread::Spread;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

/// The name of the file.
pub const NAME: &str = "backup.json";
/// The format version of backups.
pub const FORMAT: u32 = 1;
/// The most bytes of a manifest that is read.
const MAX_LEN: u64 = 1 << 20;
/// The bytes that are read at a time.
const CHUNK: usize = 1 << 16;

/// A list of the files of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The format version of the backup.
    pub format: u32,
    /// The moment at which the copies were complete, as `2026-11-24T17:05:33Z`.
    pub created: String,
    /// The files, but for this one.
    pub files: Vec<Entry>,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The name of the file.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// The SHA-256 of its content, in hexadecimal digits.
    pub sha256: String,
}

/// The format version alone, which every manifest has.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

/// A manifest that cannot be used.
#[derive(Debug)]
pub enum ManifestError {
    /// An error of the file.
    Io(io::Error),
    /// What is no manifest, or names other files than those of a backup.
    Malformed,
    /// The format version of another server.
    Format(u32),
}

impl std::fmt::Display for ManifestError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io(error) if error.kind() == io::ErrorKind::NotFound => {
                f.write_str("missing, so this is no backup, or one that is not complete")
            }
            Self::Io(error) => error.fmt(f),
            Self::Malformed => f.write_str("damaged: not the list of a backup's files"),
            Self::Format(format) if *format > FORMAT => {
                write!(f, "format {format} is newer than this program knows, which is {FORMAT}: use a newer one")
            }
            Self::Format(format) => write!(f, "format {format} is not known"),
        }
    }
}

impl std::error::Error for ManifestError {}

impl Manifest {
    /// Reads the manifest in a directory.
    ///
    /// # Errors
    ///
    /// [`ManifestError`] if there is none, or it is damaged, or of another format.
    pub fn read(directory: &Path) -> Result<Self, ManifestError> {
        let file = super::open_to_read(&directory.join(NAME)).map_err(ManifestError::Io)?;
        let mut text = String::new();
        file.take(MAX_LEN).read_to_string(&mut text).map_err(ManifestError::Io)?;
        let Version { format } = serde_json::from_str(&text).map_err(|_| ManifestError::Malformed)?;
        if format != FORMAT {
            return Err(ManifestError::Format(format));
        }
        serde_json::from_str(&text).map_err(|_| ManifestError::Malformed)
    }

    /// Writes the manifest into a directory, where it is on the disk when this returns.
    ///
    /// # Errors
    ///
    /// An error of the file system.
    pub fn write(&self, directory: &Path) -> io::Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        super::write_new(&directory.join(NAME), text.as_bytes())
    }

    /// Returns the entry of a file.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.files.iter().find(|entry| entry.name == name)
    }

    /// Returns the names of the files of a backup whose users are spread like this.
    pub fn names(spread: Spread) -> impl Iterator<Item = String> {
        (0..spread.len()).map(move |shard| spread.journal(Path::new(""), shard).display().to_string())
    }
}

impl Entry {
    /// Makes a file's content durable, and describes it.
    ///
    /// # Errors
    ///
    /// An error of the file system.
    pub fn of(directory: &Path, name: String) -> io::Result<Self> {
        let file = super::open_to_read(&directory.join(&name))?;
        file.sync_all()?;
        let (bytes, sha256) = copy_hashed(file, &mut io::sink())?;
        Ok(Self { name, bytes, sha256 })
    }

    /// Copies the file out of a directory. Reports whether it is undamaged.
    ///
    /// # Errors
    ///
    /// An error of the file system.
    pub fn copy(&self, directory: &Path, to: &mut dyn Write) -> io::Result<bool> {
        let (bytes, sha256) = copy_hashed(super::open_to_read(&directory.join(&self.name))?, to)?;
        Ok((bytes, &sha256) == (self.bytes, &self.sha256))
    }
}

/// Copies a file. Returns its length and SHA-256.
fn copy_hashed(mut from: File, to: &mut dyn Write) -> io::Result<(u64, String)> {
    let (mut hash, mut chunk, mut bytes) = (Sha256::new(), vec![0; CHUNK], 0);
    loop {
        let read = from.read(&mut chunk)?;
        let Some(some) = chunk.get(..read).filter(|some| !some.is_empty()) else { break };
        hash.update(some);
        to.write_all(some)?;
        bytes += read as u64;
    }
    let digits = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((bytes, digits))
}
