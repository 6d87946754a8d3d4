//! The places of logs: standard output, standard error, or a file.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Where a log is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogPlace {
    /// To standard output, after the address.
    Stdout,
    /// To standard error, between the messages.
    Stderr,
    /// To the end of a file.
    File(PathBuf),
}

impl FromStr for LogPlace {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "" => Err("expected a file, stdout or stderr"),
            "stdout" => Ok(Self::Stdout),
            "stderr" => Ok(Self::Stderr),
            path => Ok(Self::File(path.into())),
        }
    }
}

impl std::fmt::Display for LogPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stdout => f.write_str("stdout"),
            Self::Stderr => f.write_str("stderr"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

impl LogPlace {
    /// Opens the place to append to it. A new file is its owner's alone, for it tells who did what.
    ///
    /// # Errors
    ///
    /// That of the system; [`ErrorKind::InvalidInput`] for what could make the start wait, as a pipe does.
    pub fn open(&self) -> io::Result<Output> {
        match self {
            // Not the locked one of the library, which would buffer lines.
            Self::Stdout => Ok(Output::File(File::from(io::stdout().as_fd().try_clone_to_owned()?))),
            Self::Stderr => Ok(Output::Stderr),
            Self::File(path) => open_file(path).map(Output::File),
        }
    }
}

fn open_file(path: &Path) -> io::Result<File> {
    let is_waiting = |found: std::fs::Metadata| found.file_type().is_fifo() || found.file_type().is_socket();
    if std::fs::metadata(path).is_ok_and(is_waiting) {
        return Err(io::Error::new(ErrorKind::InvalidInput, "expected a file, no pipe and no socket"));
    }
    let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    if !ends_line(&mut file)? {
        file.write_all(b"\n")?;
    }
    Ok(file)
}

/// Reports whether a file ends with the end of a line. A kill may have cut its last one.
fn ends_line(file: &mut File) -> io::Result<bool> {
    if !file.metadata()?.is_file() || file.seek(SeekFrom::End(0))? == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// An open place.
#[derive(Debug)]
pub enum Output {
    /// A file, or standard output.
    File(File),
    /// Standard error, whose lock keeps lines and messages apart.
    Stderr,
}

impl Output {
    /// Writes bytes to the system, and returns how many it has taken, with the error that has stopped it.
    pub fn write(&mut self, bytes: &[u8]) -> (usize, Option<io::Error>) {
        match self {
            Self::File(file) => write_to(file, bytes),
            Self::Stderr => write_to(&mut io::stderr().lock(), bytes),
        }
    }
}

fn write_to(output: &mut impl Write, bytes: &[u8]) -> (usize, Option<io::Error>) {
    let mut written = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        match output.write(rest) {
            Ok(0) => return (written, Some(ErrorKind::WriteZero.into())),
            Ok(count) => written += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return (written, Some(error)),
        }
    }
    (written, None)
}
