//! The command line.

use crate::sign_in::AccountOptions;
use crate::sink::SinkOptions;
use crate::source::LocalOptions;
use crate::source::graph::GraphOptions;
use crate::source::server::ServerOptions;
use clap::Parser;

/// Follows a presence, of Teams or of other sources, and shows it on a lamp.
///
/// Each source says what it knows, and the strongest presence is shown: in this terminal, and wherever else you say. The first
/// start asks you to sign in, in your browser; later ones do not.
#[derive(Clone, Debug, Parser)]
#[command(name = "presence-follow", version, after_help = EXAMPLES)]
pub struct Options {
    /// Print the presence as one line of JSON, and end: with code 0 if it is known, 3 if somebody has to sign in, 4 if no source
    /// answers
    #[arg(long)]
    pub once: bool,
    /// Sign in, and end: for a program that runs without a terminal
    #[arg(long, requires = "client_id", conflicts_with = "once")]
    pub sign_in: bool,
    /// Forget the sign-in, and end
    #[arg(long, conflicts_with_all = ["once", "sign_in"])]
    pub sign_out: bool,
    /// Show nothing in the terminal but messages
    #[arg(long)]
    pub quiet: bool,
    /// Say what is sent and received, without tokens and codes
    #[arg(long)]
    pub verbose: bool,
    #[command(flatten)]
    pub account: AccountOptions,
    #[command(flatten)]
    pub graph: GraphOptions,
    #[command(flatten)]
    pub server: ServerOptions,
    #[command(flatten)]
    pub local: LocalOptions,
    #[command(flatten)]
    pub sinks: SinkOptions,
}

const EXAMPLES: &str = "Examples:
  presence-follow --client-id 11111111-2222-3333-4444-555555555555 --tenant contoso.com
      your Teams presence, in the terminal
  presence-follow --client-id ID --once
      the same, once, for a script

What to register for --client-id, and what works without it, is in README.md.";
