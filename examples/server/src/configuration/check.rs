//! Whether settings go together.

use super::grants::Grants;
use crate::options::Options;
use crate::tokens::Grant;
use std::collections::HashSet;

/// Settings that exclude each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckError {
    /// A development token, given here, at a place that other machines can reach.
    DevelopmentOffLoopback(String, String),
    /// A virtual clock that no token may advance.
    VirtualWithoutDevelopment,
    /// A virtual clock, and one that is to be reset.
    VirtualAndReset,
    /// A place that other machines can reach, and no token.
    NoToken(String),
    /// A token, given here, that could be guessed, at a place that other machines can reach.
    ShortToken(String, String),
    /// A collector of traces, for a program that sends none.
    #[cfg_attr(feature = "otlp", expect(dead_code, reason = "only a build without the feature tells it"))]
    NoTraces,
    /// A user principal name that is given twice, in any case.
    RepeatedName(String),
}

impl std::fmt::Display for CheckError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::DevelopmentOffLoopback(given, listen) => {
                write!(f, "{given}: a development token needs a loopback address; --listen is {listen}")
            }
            Self::VirtualWithoutDevelopment => {
                f.write_str("--virtual-clock needs a development token, with which --dev-token lets it be advanced")
            }
            Self::VirtualAndReset => f.write_str("--reset-clock cannot be used with --virtual-clock"),
            Self::NoToken(listen) => write!(
                f,
                "--listen {listen} is not a loopback address: without --app-token or --user-token, or a file of them, no \
                 request could be authorised"
            ),
            Self::ShortToken(given, listen) => write!(
                f,
                "{given}: a token has {} characters at least, unless --listen is a loopback address; it is {listen}",
                Grant::MIN_TOKEN
            ),
            Self::NoTraces => f.write_str("--otlp-endpoint needs a build with the feature otlp"),
            Self::RepeatedName(name) => write!(f, "--user-name {name} is given twice"),
        }
    }
}

impl std::error::Error for CheckError {}

/// Checks that settings go together, with the grants that they name.
pub fn check(options: &Options, grants: &Grants) -> Result<(), CheckError> {
    let listen = || options.listen.to_string();
    let is_loopback = options.listen.is_loopback();
    let mut development = grants.development();
    if options.virtual_clock && options.reset_clock {
        return Err(CheckError::VirtualAndReset);
    }
    match development.next() {
        Some(given) if !is_loopback => return Err(CheckError::DevelopmentOffLoopback(given.place.clone(), listen())),
        None if options.virtual_clock => return Err(CheckError::VirtualWithoutDevelopment),
        _ => {}
    }
    if grants.is_empty() && !is_loopback {
        return Err(CheckError::NoToken(listen()));
    }
    if let Some(given) = grants.iter().find(|given| !is_loopback && given.grant.is_short()) {
        return Err(CheckError::ShortToken(given.place.clone(), listen()));
    }
    #[cfg(not(feature = "otlp"))]
    if options.otlp_endpoint.is_some() {
        return Err(CheckError::NoTraces);
    }
    let mut names = HashSet::new();
    match options.user_name.iter().find(|(name, _)| !names.insert(name.to_lowercase())) {
        Some((name, _)) => Err(CheckError::RepeatedName(name.to_lowercase())),
        None => Ok(()),
    }
}
