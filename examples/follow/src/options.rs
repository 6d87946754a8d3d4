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

#[cfg(test)]
mod tests {
    use super::*;

    /// What a reader puts in where an id is to be.
    const ID: &str = "22553876-f5ab-4529-bffb-cfe50aa89f87";

    /// Returns the arguments of each command that begins with the program's name, in a text; “…” stands for others.
    fn commands(text: &str) -> Vec<Vec<String>> {
        let lines = text.lines().filter_map(|line| line.trim_start().strip_prefix("presence-follow "));
        let shell = lines.filter_map(|line| line.split('#').next());
        shell
            .map(|line| {
                line.split_whitespace()
                    .filter(|word| *word != "…")
                    .map(|word| word.trim_matches('"').replace("USER_ID", ID).replace("APPLICATION_ID", ID))
                    .collect()
            })
            .collect()
    }

    #[test]
    fn every_command_in_the_documentation_is_one() {
        let readme = include_str!("../README.md");
        let documented = [commands(readme), commands(EXAMPLES)].concat();
        assert!(documented.len() >= 6, "{documented:?}");
        for arguments in documented {
            let words = std::iter::once("presence-follow".to_string()).chain(arguments.clone());
            if let Err(error) = Options::try_parse_from(words) {
                panic!("{arguments:?}: {error}");
            }
        }
    }

    #[test]
    fn every_option_in_the_documentation_is_one() {
        let readme = include_str!("../README.md");
        let known: Vec<_> = <Options as clap::CommandFactory>::command()
            .get_opts()
            .filter_map(|o| o.get_long().map(String::from))
            .collect();
        let words = readme.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-');
        let options: Vec<_> = words
            .filter_map(|word| word.strip_prefix("--"))
            .filter(|word| word.starts_with(char::is_alphabetic))
            .collect();
        assert!(options.len() > 20);
        // Of cargo, systemctl, journalctl and the server.
        let others =
            ["app-policy", "app-token", "enable", "help", "locked", "manifest-path", "now", "path", "release", "user"];
        for option in options {
            assert!(known.iter().any(|known| known == option) || others.contains(&option), "--{option}");
        }
    }

    #[test]
    fn the_service_is_started_with_options_from_a_file() {
        let service = include_str!("../presence-follow.service");
        assert!(service.contains("\nExecStart=%h/.cargo/bin/presence-follow $OPTIONS\n"));
        assert!(service.contains("\nEnvironmentFile=%h/.config/presence-follow/options\n"));
        // The exit code of clap for options that are wrong.
        assert!(service.contains("\nRestartPreventExitStatus=2\n"));
        assert_eq!(Options::try_parse_from(["presence-follow", "--unknown"]).unwrap_err().exit_code(), 2);
    }
}
