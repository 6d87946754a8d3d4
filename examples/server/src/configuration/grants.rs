//! The tokens of a configuration: of options, of files that options name, and of systemd's credentials.

use crate::settings::Settings;
use crate::tokens::{Grant, GrantError};
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The variable with the directory in which systemd puts a service's credentials, each a file.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";
/// The permission of everybody to read a file.
const EVERYBODY: u32 = 0o004;

/// A token, with the place where it is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The token, and whose it is.
    pub grant: Grant,
    /// The option, the variable, or the line of a file.
    pub place: String,
}

/// A file of tokens that is wrong.
#[derive(Debug)]
pub enum GrantsError {
    /// A file that cannot be read, with the setting that names it.
    Read(String, PathBuf, io::Error),
    /// A line of a file that is no token.
    Line(PathBuf, usize, GrantError),
    /// A file without a token: it was emptied, or is being written.
    Empty(PathBuf),
}

impl std::fmt::Display for GrantsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Read(name, path, error) => write!(f, "{name} {}: {error}", path.display()),
            Self::Line(path, line, error) => write!(f, "{}:{line}: {error}", path.display()),
            Self::Empty(path) => write!(f, "{}: no token is in it", path.display()),
        }
    }
}

impl std::error::Error for GrantsError {}

/// All tokens of a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    applications: Vec<Given>,
    users: Vec<Given>,
    development: Vec<Given>,
}

impl Grants {
    /// Collects the tokens of settings, of the files that they name, and of credentials.
    ///
    /// # Errors
    ///
    /// [`GrantsError`] with the file and the line.
    pub fn collect(settings: &Settings) -> Result<Self, GrantsError> {
        let options = &settings.options;
        let credentials = std::env::var_os(CREDENTIALS).map(PathBuf::from);
        let collect = |key: &str, own: &[Grant], files: &[PathBuf], parse| {
            let from = Origin { settings, key, credentials: credentials.as_deref() };
            from.collect(own, files, parse)
        };
        Ok(Self {
            applications: collect("app-token", &options.app_token, &options.app_token_file, Grant::application)?,
            users: collect("user-token", &options.user_token, &options.user_token_file, Grant::delegated)?,
            development: collect("dev-token", &options.dev_token, &options.dev_token_file, Grant::development)?,
        })
    }

    /// Returns all of them.
    pub fn iter(&self) -> impl Iterator<Item = &Given> {
        self.applications.iter().chain(&self.users).chain(&self.development)
    }

    /// Returns the development tokens.
    pub fn development(&self) -> impl Iterator<Item = &Given> {
        self.development.iter()
    }

    /// Reports whether there is no token.
    pub const fn is_empty(&self) -> bool {
        self.applications.is_empty() && self.users.is_empty() && self.development.is_empty()
    }

    /// Adds a development token.
    pub fn add_development(&mut self, given: Given) {
        self.development.push(given);
    }
}

/// Where tokens of one kind are given.
struct Origin<'a> {
    settings: &'a Settings,
    key: &'a str,
    credentials: Option<&'a Path>,
}

impl Origin<'_> {
    fn collect(
        &self,
        own: &[Grant],
        files: &[PathBuf],
        parse: fn(&str) -> Result<Grant, GrantError>,
    ) -> Result<Vec<Given>, GrantsError> {
        let mut all: Vec<_> = own
            .iter()
            .enumerate()
            .map(|(index, grant)| Given { grant: grant.clone(), place: self.name(self.key, index) })
            .collect();
        let file_key = format!("{}-file", self.key);
        for (index, file) in files.iter().enumerate() {
            let failed = |error| GrantsError::Read(self.name(&file_key, index), file.clone(), error);
            all.extend(read(file, parse, failed)?);
        }
        if let Some(credential) = self.credentials.map(|directory| directory.join(self.key)) {
            let failed = |error| GrantsError::Read(CREDENTIALS.to_owned(), credential.clone(), error);
            match read(&credential, parse, failed) {
                Err(GrantsError::Read(_, _, error)) if error.kind() == ErrorKind::NotFound => {}
                found => all.extend(found?),
            }
        }
        Ok(all)
    }

    /// Returns the name of a setting as it was given.
    fn name(&self, key: &str, index: usize) -> String {
        self.settings.source(key, index).map_or_else(|| format!("--{key}"), |source| source.name(key))
    }
}

/// Reads a file with a token in each line.
fn read(
    path: &Path,
    parse: fn(&str) -> Result<Grant, GrantError>,
    failed: impl Fn(io::Error) -> GrantsError,
) -> Result<Vec<Given>, GrantsError> {
    let text = fs::read_to_string(path).map_err(&failed)?;
    warn_if_open(path);
    let lines = text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let found = lines
        .map(|(index, line)| {
            let wrong = |error| GrantsError::Line(path.to_owned(), index + 1, error);
            let grant = parse(line).map_err(wrong)?;
            Ok(Given { grant, place: format!("{}:{}", path.display(), index + 1) })
        })
        .collect::<Result<Vec<_>, _>>()?;
    // Without any token a server makes a development token: nobody means that who names a file.
    if found.is_empty() { Err(GrantsError::Empty(path.to_owned())) } else { Ok(found) }
}

/// Warns of a file with tokens that every user of the machine may read.
///
/// It is no error: a container's files are often readable to all, and nobody else is in the container.
pub fn warn_if_open(path: &Path) {
    if let Some(mode) = fs::metadata(path).ok().map(|found| found.mode()).filter(|mode| mode & EVERYBODY != 0) {
        tracing::warn!("{} has tokens, and mode {:04o} lets every user read them", path.display(), mode & 0o7777);
    }
}
