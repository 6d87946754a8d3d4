//! The command line.

use crate::sink::SinkOptions;
use clap::Parser;

/// Follows a presence, of Teams or of other sources, and shows it on a lamp.
#[derive(Clone, Debug, Parser)]
#[command(name = "presence-follow", version)]
pub struct Options {
    /// Say what is sent and received, without tokens and codes
    #[arg(long)]
    pub verbose: bool,

    /// The sinks
    #[command(flatten)]
    pub sinks: SinkOptions,
}
