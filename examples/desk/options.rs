//! The command line.

use presence_core::{Instant, Policy, UserId};
use std::ffi::OsString;
use std::io::{IsTerminal, stdin};
use std::path::PathBuf;

pub(crate) const HELP: &str = "\
A presence light for a desk, in the terminal.

usage: desk [OPTIONS] [FILE]

It reads requests from FILE or standard input, one JSON object a line, each an element of a Graph batch:
  {\"id\":\"1\",\"method\":\"GET\",\"url\":\"/users/fa8bf3dc-eca7-46b7-bad1-db199b62afc3/presence\"}
and prints a line for each response, and one for each change of a published presence. A presence alone (Busy, InACall PT1H,
Offline) is about a session of /me that is the line's own; Graph's presence object is mirrored in another one. On a terminal
it draws the light instead; there, without FILE, it plays a day, fast-forward.

  --replay FILE     run on a virtual clock: a line may say \"at\", in seconds since start (- for standard input)
  --until SECONDS   let a replay's time run on to this moment at the end
  --timeline FILE   draw what happened as a picture (SVG)
  --policy NAME     graph (the default), desk or mirror
  --me GUID         who /me is (fa8bf3dc-eca7-46b7-bad1-db199b62afc3 if not given)
  --help            this
";

/// Printed when no line came from a standard input that is no terminal.
pub(crate) const NOTHING_TO_READ: &str = "desk: nothing to read: run it on a terminal to see a day in a presence light's life, or send it requests, one a line (desk --help)";

/// The user whom `/me` means unless `--me` says otherwise: the same as on the firmware, and the user of the day.
pub(crate) const OWNER: UserId = match UserId::parse("fa8bf3dc-eca7-46b7-bad1-db199b62afc3") {
    Ok(owner) => owner,
    Err(_) => panic!("not a GUID"),
};

/// The source of the requests.
pub(crate) enum Source {
    /// The day that comes with the example, on a virtual clock.
    Day,
    /// A file, or standard input, on a virtual clock.
    Replay(Option<PathBuf>),
    /// A file, or standard input, in real time.
    Live(Option<PathBuf>),
}

pub(crate) struct Options {
    pub(crate) source: Source,
    pub(crate) until: Option<Instant>,
    pub(crate) timeline: Option<PathBuf>,
    pub(crate) policy: Policy,
    pub(crate) me: Option<UserId>,
}

impl Options {
    /// Parses the arguments; `None` if they ask for help.
    pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Option<Self>, String> {
        let (mut file, mut replay, mut until, mut timeline, mut policy, mut me) = (None, None, None, None, None, None);
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            let name = argument.to_string_lossy().into_owned();
            let mut value = || arguments.next().ok_or_else(|| format!("{name} takes a value"));
            let text = |value: OsString| value.to_string_lossy().into_owned();
            match name.as_str() {
                "--help" | "-h" => return Ok(None),
                "--replay" => replay = Some(value()?),
                "--timeline" => timeline = Some(PathBuf::from(value()?)),
                "--until" => {
                    let value = text(value()?);
                    until =
                        Some(crate::input::seconds(&value).ok_or_else(|| format!("--until {value}: no such moment"))?);
                }
                "--policy" => {
                    policy = Some(match text(value()?).as_str() {
                        "graph" => Policy::GRAPH,
                        "desk" => Policy::DESK,
                        "mirror" => Policy::MIRROR,
                        other => return Err(format!("--policy {other}: none of graph, desk and mirror")),
                    });
                }
                "--me" => {
                    let value = text(value()?);
                    me = Some(value.parse().map_err(|error| format!("--me {value}: {error}"))?);
                }
                other if other.starts_with("--") => return Err(format!("{other}: no such option (try --help)")),
                _ if file.is_none() => file = Some(argument),
                other => return Err(format!("{other}: one file is enough")),
            }
        }
        let path = |name: OsString| (name != "-").then(|| PathBuf::from(name));
        let source = match (replay, file) {
            (Some(_), Some(_)) => return Err("--replay takes the place of a file".into()),
            (Some(replay), None) => Source::Replay(path(replay)),
            (None, Some(file)) => Source::Live(path(file)),
            (None, None) if stdin().is_terminal() => Source::Day,
            (None, None) => Source::Live(None),
        };
        if until.is_some() && matches!(source, Source::Live(_)) {
            return Err("--until goes with --replay".into());
        }
        let usual = if matches!(source, Source::Day) { Policy::DESK } else { Policy::GRAPH };
        Ok(Some(Self { source, until, timeline, policy: policy.unwrap_or(usual), me }))
    }
}
