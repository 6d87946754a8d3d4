//! The file with the refresh token: only its owner reads it, and it is replaced as a whole.

use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// The longest file that is read.
const LONGEST: u64 = 1 << 16;

/// What is stored: a refresh token, and for whom it is good.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stored {
    /// The issuer's address. The token is sent to no other.
    pub issuer: String,
    /// The application's id.
    pub client_id: String,
    /// The refresh token.
    pub refresh_token: String,
}

/// Names the issuer alone: tokens do not belong in logs.
impl std::fmt::Debug for Stored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stored").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// A file of tokens.
#[derive(Clone, Debug)]
pub struct TokenFile {
    path: PathBuf,
}

impl TokenFile {
    /// Creates the name of a file, which need not be there.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Returns where the file is unless it is said otherwise; `None` if this account has no home.
    #[must_use]
    pub fn usual() -> Option<PathBuf> {
        let directory = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let state = if cfg!(windows) {
            directory("LOCALAPPDATA")
        } else if cfg!(target_os = "macos") {
            std::env::home_dir().map(|home| home.join("Library/Application Support"))
        } else {
            directory("XDG_STATE_HOME").or_else(|| std::env::home_dir().map(|home| home.join(".local/state")))
        };
        state.map(|state| state.join("presence-follow").join("tokens.json"))
    }

    /// Returns the path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads what is stored for this issuer and application; `None` if there is nothing.
    ///
    /// # Errors
    ///
    /// A sentence, also for a file that another user can read.
    pub fn load(&self, issuer: &str, client_id: &str) -> Result<Option<Stored>, String> {
        let told = |error: std::io::Error| format!("Cannot read {}: {error}.", self.path.display());
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(told(error)),
        };
        if is_open_to_others(&file).map_err(told)? {
            return Err(format!(
                "Other users can read {0}: its token may be known. Delete it, and run `presence-follow --sign-in`.",
                self.path.display()
            ));
        }
        let mut text = String::new();
        file.take(LONGEST).read_to_string(&mut text).map_err(told)?;
        let stored: Stored = serde_json::from_str(&text)
            .map_err(|_| format!("{} is not understood: delete it, and sign in again.", self.path.display()))?;
        Ok(Some(stored).filter(|stored| stored.issuer == issuer && stored.client_id == client_id))
    }

    /// Stores tokens in place of what was stored, on disk when it returns.
    ///
    /// # Errors
    ///
    /// A sentence. What was stored is still there.
    pub fn save(&self, stored: &Stored) -> Result<(), String> {
        let told = |error: std::io::Error| format!("Cannot store the sign-in in {}: {error}.", self.path.display());
        let directory = self.directory();
        create_directory(directory).map_err(told)?;
        // Created for its owner alone.
        let mut file = tempfile::NamedTempFile::new_in(directory).map_err(told)?;
        let text = serde_json::to_vec(stored).map_err(|error| told(error.into()))?;
        file.write_all(&text).and_then(|()| file.as_file().sync_all()).map_err(told)?;
        file.persist(&self.path).map_err(|error| told(error.error))?;
        Ok(())
    }

    /// Reports whether there is no file.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self.path.try_exists(), Ok(false))
    }

    /// Forgets what is stored, also what a process that is renewing it is about to store.
    ///
    /// # Errors
    ///
    /// A sentence.
    pub fn forget(&self) -> Result<(), String> {
        if self.is_missing() {
            return Ok(());
        }
        let _lock = self.lock()?;
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(format!("Cannot delete {}: {error}.", self.path.display()))
            }
            _ => Ok(()),
        }
    }

    /// Waits until no other process of this program renews its tokens, and keeps others waiting until the file is dropped: an
    /// issuer may take a sign-in back when a refresh token is used twice.
    ///
    /// # Errors
    ///
    /// A sentence.
    pub fn lock(&self) -> Result<File, String> {
        let path = self.path.with_extension("lock");
        let locked = create_directory(self.directory()).and_then(|()| {
            let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
            match file.lock() {
                // Some file systems have no locks: then two processes at once are the person's own affair.
                Err(error) if error.kind() != ErrorKind::Unsupported => Err(error),
                _ => Ok(file),
            }
        });
        locked.map_err(|error| format!("Cannot lock {}: {error}.", path.display()))
    }

    fn directory(&self) -> &Path {
        self.path.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }
}

/// Creates a directory and those above it, for their owner alone, where they are not there.
fn create_directory(path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Reports whether other users can read a file.
#[cfg(unix)]
fn is_open_to_others(file: &File) -> std::io::Result<bool> {
    Ok(std::os::unix::fs::MetadataExt::mode(&file.metadata()?) & 0o077 != 0)
}

/// Reports that other users cannot read a file: on Windows, a user's directory is closed to them.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps)]
const fn is_open_to_others(_: &File) -> std::io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(token: &str) -> Stored {
        Stored { issuer: "https://a.b".into(), client_id: "7".into(), refresh_token: token.into() }
    }

    #[test]
    fn tokens_are_read_by_their_issuer_and_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let file = TokenFile::new(directory.path().join("new/place/tokens.json"));
        assert!(file.load("https://a.b", "7").unwrap().is_none());
        file.save(&stored("first")).unwrap();
        file.save(&stored("second")).unwrap();
        assert_eq!(file.load("https://a.b", "7").unwrap().unwrap().refresh_token, "second");
        assert!(file.load("https://evil.example", "7").unwrap().is_none());
        assert!(file.load("https://a.b", "8").unwrap().is_none());
        // Nothing is left beside it.
        assert_eq!(fs::read_dir(file.directory()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(file.path()), mode(file.directory())), (0o600, 0o700));
            fs::set_permissions(file.path(), fs::Permissions::from_mode(0o640)).unwrap();
            assert!(file.load("https://a.b", "7").unwrap_err().starts_with("Other users can read"));
        }
        assert!(!file.is_missing());
        file.forget().unwrap();
        file.forget().unwrap();
        assert!(file.is_missing());
        assert!(file.load("https://a.b", "7").unwrap().is_none());
    }

    /// Who signs out while another process renews deletes what that one stores, too: not only what was there before.
    #[test]
    fn a_sign_out_waits_for_a_renewal() {
        let directory = tempfile::tempdir().unwrap();
        let file = TokenFile::new(directory.path().join("tokens.json"));
        file.save(&stored("old")).unwrap();
        let lock = file.lock().unwrap();
        let other = file.clone();
        let sign_out = std::thread::spawn(move || other.forget());
        // One that does not wait has deleted it by now, most likely; one that does may take its time.
        let end = std::time::Instant::now() + std::time::Duration::from_millis(200);
        while !file.is_missing() && std::time::Instant::now() < end {
            std::thread::yield_now();
        }
        file.save(&stored("new")).unwrap();
        drop(lock);
        sign_out.join().unwrap().unwrap();
        assert!(file.is_missing());
    }

    #[test]
    fn one_process_renews_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let file = TokenFile::new(directory.path().join("tokens.json"));
        let lock = file.lock().unwrap();
        let other = OpenOptions::new().write(true).open(file.path().with_extension("lock")).unwrap();
        assert!(other.try_lock().is_err());
        drop(lock);
        other.try_lock().unwrap();
    }
}
