//! The command `restore`: makes a data directory of a backup.

use clap::Args;
use presence_engine::backup::{Restored, restore};
use std::error::Error;
use std::path::PathBuf;

/// The options of the command.
#[derive(Debug, Args)]
pub struct RestoreOptions {
    /// The directory of the backup, which is only read
    #[arg(value_name = "BACKUP")]
    backup: PathBuf,

    /// The directory to make, in which there may be no data yet
    #[arg(long, value_name = "DIR", default_value = "presence-data")]
    data: PathBuf,
}

/// Restores a backup, and says what is in it.
///
/// # Errors
///
/// What is wrong with the backup, or with the directory.
pub fn run(options: &RestoreOptions) -> Result<(), Box<dyn Error>> {
    let Restored { path, created, users } = restore(&options.backup, &options.data)?;
    let users = if users == 1 { "1 user".to_owned() } else { format!("{users} users") };
    println!("{}: {users}, as of {created}", path.display());
    Ok(())
}
