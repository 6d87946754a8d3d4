//! The command `check-config`: whether a server would start with these options.

use crate::options::Options;
use crate::policies::Policies;
use crate::tokens::Tokens;
use std::error::Error;

/// Checks options as a start does. Listens nowhere, and touches no data.
///
/// # Errors
///
/// The first thing that keeps a server from starting with them.
pub fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    options.check()?;
    let grants = options.app_token.iter().chain(&options.user_token).chain(&options.dev_token);
    Tokens::new(grants.cloned())?;
    Policies::new(options.policy, options.app_policy.iter().copied())?;
    println!("the options are right");
    Ok(())
}
