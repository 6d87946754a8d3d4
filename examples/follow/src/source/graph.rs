//! Microsoft Graph: the presence of a Teams account.

use super::Reporter;
use super::mirror::Mirror;
use crate::http::{Address, Http};
use crate::sign_in::{Account, Way};
use clap::Args;
use presence_core::Duration;
use presence_core::client::{SignInEnd, Step};
use std::time::Duration as StdDuration;

/// The longest sleep: the file of the sign-in may change, and timers do not run while a computer is suspended.
const NAP: StdDuration = StdDuration::from_secs(5);

/// How Graph is followed.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Teams account")]
pub struct GraphOptions {
    /// Address of Graph, or of a server like it, with its version
    #[arg(long, value_name = "URL", default_value = "https://graph.microsoft.com/v1.0")]
    pub graph_url: String,
    /// Seconds between two requests
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub interval: u64,
}

/// A Teams account to follow.
pub(crate) struct Graph {
    pub(crate) account: Account,
    pub(crate) http: Http,
    pub(crate) server: Address,
    pub(crate) interval: Duration,
    /// The way in which a person signs in, if one is there to do so.
    pub(crate) way: Option<Way>,
}

/// Follows the account until it is to stop.
pub(crate) fn run(reporter: &Reporter, mut graph: Graph) {
    let mut mirror = Mirror::new(reporter, graph.interval);
    let mut told = None;
    loop {
        let mut wake = match graph.account.step() {
            Ok(wake) => wake,
            Err(end) => {
                mirror.follower.sign_in_needed();
                mirror.tell_link(false);
                sign_in(reporter, &mut graph, end, &mut told);
                reporter.clock.now()
            }
        };
        if let Some(authorization) = graph.account.authorization().map(String::from) {
            told = None;
            mirror.follower.signed_in();
            match mirror.next() {
                Step::Wait(until) => wake = wake.min(until),
                Step::Ask { .. } => {
                    if let Some(status) = mirror.poll(&graph.http, &graph.server, &authorization) {
                        graph.account.answered(status);
                    }
                    wake = reporter.clock.now();
                }
            }
        }
        mirror.tell_link(graph.account.is_down());
        if reporter.stop.wait(reporter.clock.until(wake).min(NAP)) {
            return;
        }
    }
}

/// Begins to sign the person in, or waits until somebody else has.
fn sign_in(reporter: &Reporter, graph: &mut Graph, end: SignInEnd, told: &mut Option<SignInEnd>) {
    if let Some(way) = graph.way.take() {
        if end != SignInEnd::NotBegun {
            reporter.console.say(&graph.account.explain(end));
        }
        if let Err(error) = graph.account.begin(way, &reporter.stop) {
            reporter.console.say(&error);
        }
        return;
    }
    if told.replace(end) != Some(end) {
        reporter.console.say(&graph.account.explain(end));
    }
    // A `presence-follow --sign-in` elsewhere stores the sign-in.
    match graph.account.reload() {
        Ok(true) => {}
        Ok(false) => _ = reporter.stop.wait(NAP),
        Err(error) => {
            reporter.console.detail(|| error);
            _ = reporter.stop.wait(NAP);
        }
    }
}
