//! The files of the data directory, which belong to the server's user alone.
//!
//! They tell who was where and what somebody wrote, so no other user of the machine may read them; and they are written under
//! the server's rights, so nobody else may choose where a name leads. The modes are given to the calls that create files, not
//! set afterwards, so there is no moment at which a file is open to others.

use rustix::fs::OFlags;
use rustix::process::geteuid;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The mode of the directory.
pub const DIRECTORY: u32 = 0o700;
/// The mode of each file.
pub const FILE: u32 = 0o600;
/// The permissions of a file that others have.
const OTHERS: u32 = 0o077;
/// The mode of a directory in which only owners rename and remove files.
const STICKY: u32 = 0o1000;
/// The number of the user who may do everything anyway.
const ROOT: u32 = 0;
/// The most links on the way to the directory, as in Linux.
const MAX_LINKS: u32 = 40;

/// A file or directory that the server does not use.
#[derive(Debug)]
pub enum FileError {
    /// An error of the file system.
    Io(io::Error),
    /// A directory that others may write.
    Writable {
        /// Its path.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A file or directory that another user owns.
    Owner {
        /// Its path.
        path: PathBuf,
        /// The number of the owner.
        owner: u32,
        /// The number of the server's user.
        user: u32,
    },
    /// Links on the way to the directory that lead to each other.
    Links,
    /// A symbolic link in place of a file.
    Link,
    /// A file with a second name, which another user may have given it.
    SecondName,
    /// A pipe, a device or a directory in place of a file.
    NotAFile,
}

impl std::fmt::Display for FileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Writable { path, mode } => {
                let path = path.display();
                write!(f, "refused, because other users may write {path}, which has mode {:04o}", mode & 0o7777)
            }
            Self::Owner { path, owner, user } => {
                write!(
                    f,
                    "refused, because {} is owned by user {owner}, and the server runs as user {user}",
                    path.display()
                )
            }
            Self::Links => f.write_str("too many symbolic links"),
            Self::Link => f.write_str("a symbolic link, which the server does not follow"),
            Self::SecondName => f.write_str("a file with a second name (a hard link), which the server does not write"),
            Self::NotAFile => f.write_str("not a regular file"),
        }
    }
}

impl std::error::Error for FileError {}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Creates a directory, or takes an existing one, for the server's user alone. Returns its path without links.
///
/// A directory that others may only read was made by an earlier version of the server, and is closed to them.
///
/// # Errors
///
/// [`FileError::Writable`] and [`FileError::Owner`] if another user may write or owns the directory or one above it.
pub fn directory(path: &Path) -> Result<PathBuf, FileError> {
    let user = geteuid().as_raw();
    let path = resolve(&std::path::absolute(path)?, user)?;
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW;
    let directory = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(&path)?;
    let found = directory.metadata()?;
    if found.uid() != user {
        return Err(FileError::Owner { path, owner: found.uid(), user });
    }
    // The sticky bit keeps others from renaming files, not from creating them.
    if found.mode() & writable_by_others(&found, user) != 0 {
        return Err(FileError::Writable { path, mode: found.mode() });
    }
    close_to_others(&directory, &path, &found, DIRECTORY)?;
    Ok(path)
}

/// Follows a path from the root, and creates the directories that are missing. Returns it without links.
///
/// Nobody but the user and root may own or write anything on the way: they could put another directory in the place of one. In a
/// directory with the sticky bit, such as `/tmp`, they cannot.
fn resolve(path: &Path, user: u32) -> Result<PathBuf, FileError> {
    let owned = |path: &Path| path.components().rev().map(|part| part.as_os_str().to_owned()).collect::<Vec<_>>();
    let (mut way, mut rest, mut links) = (PathBuf::new(), owned(path), 0);
    while let Some(part) = rest.pop() {
        match part.as_encoded_bytes() {
            b"." => continue,
            b".." => {
                way.pop();
                continue;
            }
            // The root replaces what was before it.
            _ => way.push(part),
        }
        let found = match fs::symlink_metadata(&way) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                DirBuilder::new().mode(DIRECTORY).create(&way)?;
                fs::symlink_metadata(&way)?
            }
            found => found?,
        };
        if found.uid() != user && found.uid() != ROOT {
            return Err(FileError::Owner { path: way, owner: found.uid(), user });
        }
        if found.is_symlink() {
            links += 1;
            if links > MAX_LINKS {
                return Err(FileError::Links);
            }
            rest.extend(owned(&fs::read_link(&way)?));
            way.pop();
        } else if found.mode() & STICKY == 0 && found.mode() & writable_by_others(&found, user) != 0 {
            return Err(FileError::Writable { path: way, mode: found.mode() });
        }
    }
    Ok(way)
}

/// Returns the permissions with which others may write a file: those of its group too, unless it is the user's own.
///
/// Where every user has a group, it has the user's number, and a umask of 002 is usual.
fn writable_by_others(found: &fs::Metadata, user: u32) -> u32 {
    if found.gid() == user { 0o002 } else { 0o022 }
}

/// Opens a file of the directory to be read and written, without a change to its content.
///
/// # Errors
///
/// [`FileError`] if it is anything but a file of the server's user with this one name; [`ErrorKind::NotFound`] if there is none.
pub fn open(path: &Path) -> Result<File, FileError> {
    open_with(path, &mut OpenOptions::new())
}

/// Does the same, and creates the file if there is none.
pub fn open_or_create(path: &Path) -> Result<File, FileError> {
    open_with(path, OpenOptions::new().create(true))
}

fn open_with(path: &Path, options: &mut OpenOptions) -> Result<File, FileError> {
    // A pipe would keep the server waiting.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let options = options.read(true).write(true).mode(FILE).custom_flags(flags.bits().cast_signed());
    let file = match options.open(path) {
        Err(_) if fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) => return Err(FileError::Link),
        Err(error) if error.kind() == ErrorKind::IsADirectory => return Err(FileError::NotAFile),
        opened => opened?,
    };
    let (found, user) = (file.metadata()?, geteuid().as_raw());
    if found.uid() != user {
        return Err(FileError::Owner { path: path.to_owned(), owner: found.uid(), user });
    }
    if !found.is_file() {
        return Err(FileError::NotAFile);
    }
    if found.nlink() > 1 {
        return Err(FileError::SecondName);
    }
    close_to_others(&file, path, &found, FILE)?;
    Ok(file)
}

/// Creates a file that is written at once and then renamed or removed. What an interrupted run has left there is removed.
///
/// # Errors
///
/// An error of the file system.
pub fn create_anew(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // A new file never comes from following a link.
    OpenOptions::new().write(true).create_new(true).mode(FILE).open(path)
}

/// Takes all permissions of others from a file or directory.
fn close_to_others(file: &File, path: &Path, found: &fs::Metadata, mode: u32) -> io::Result<()> {
    if found.mode() & OTHERS == 0 {
        return Ok(());
    }
    tracing::info!("{}: mode {:03o} changed to {mode:03o}", path.display(), found.mode() & 0o777);
    file.set_permissions(Permissions::from_mode(mode))
}
