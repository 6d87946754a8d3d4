//! Values of settings, with what has given them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

/// What has given a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// An option of the command line.
    Option,
    /// A variable of the environment, of this name.
    Variable(String),
    /// A line of a file.
    File(PathBuf, usize),
}

impl Source {
    /// Returns the name of a setting as this source gives it.
    pub fn name(&self, key: &str) -> String {
        match self {
            Self::Option => format!("--{key}"),
            Self::Variable(name) => name.clone(),
            Self::File(path, line) => format!("{}:{line}: {key}", path.display()),
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Option => f.write_str("the command line"),
            Self::Variable(name) => f.write_str(name),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
        }
    }
}

/// A value of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The value, as an option has it.
    pub value: OsString,
    /// What has given it.
    pub source: Source,
}

/// The values that one source gives, by the names of settings.
pub type Layer = BTreeMap<String, Vec<Given>>;

/// A setting that is wrong. What it says has no secret.
#[derive(Debug)]
pub enum SettingError {
    /// A file that cannot be read, with the setting that names it.
    Read(String, PathBuf, io::Error),
    /// A line of a file that is no TOML.
    Syntax(Source, String),
    /// A name in a file that no setting has, and the nearest one that a setting has.
    Unknown(Source, String, String),
    /// The setting that names the file, in the file.
    Inside(Source),
    /// A value that a setting may not have, and why.
    Value(Source, String, String),
    /// Values that cannot be together.
    Combination(String),
}

impl std::fmt::Display for SettingError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Read(name, path, error) => write!(f, "{name} {}: {error}", path.display()),
            Self::Syntax(source, problem) => write!(f, "{source}: {problem}"),
            Self::Unknown(source, key, nearest) => {
                write!(f, "{source}: \"{key}\" is no setting; the nearest is \"{nearest}\"")
            }
            Self::Inside(source) => write!(f, "{source}: \"config\" names the file, and cannot stand in it"),
            Self::Value(source, key, problem) => write!(f, "{}: {problem}", source.name(key)),
            Self::Combination(problem) => f.write_str(problem),
        }
    }
}

impl std::error::Error for SettingError {}
