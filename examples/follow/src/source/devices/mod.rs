//! Microphone and camera of this computer, as a source: a person whose microphone is in use is in a call. Linux alone.

mod delay;
mod dump;
mod pipewire;
mod proc;

#[cfg(all(test, target_os = "linux"))]
mod tests;

use self::delay::Delay;
use super::{News, Reporter};
use clap::Args;
use presence_core::client::Link;
use presence_core::{Duration, Instant, Presence};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The time between two looks.
const INTERVAL: Duration = Duration::from_secs(3);
/// The lease of a call: some looks, so that a slow one ends nothing.
const LEASE: Duration = Duration::from_secs(60);

/// The number of looks in a row without an answer after which there is nobody to ask.
const MISSES: u8 = 3;

/// Options of the devices
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Microphone and camera (Linux)")]
pub struct DevicesOptions {
    /// Show a call while a program records from a microphone or a camera
    ///
    /// Who records is asked of PipeWire (pw-dump), of the sound cards, and of who holds a camera open. Programs that only show
    /// a level, and recordings of what is played, do not count.
    #[arg(long)]
    pub devices: bool,
    /// The presence while a microphone is in use, or `none`
    #[arg(long, value_name = "PRESENCE", default_value = "InACall", value_parser = shown, requires = "devices")]
    pub microphone: Shown,
    /// The presence while a camera is in use, or `none`
    #[arg(long, value_name = "PRESENCE", default_value = "InACall", value_parser = shown, requires = "devices")]
    pub camera: Shown,
    /// The seconds for which a device must be in use to count, and not in use to end it
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(0..=3600), requires = "devices")]
    pub devices_delay: u64,
    /// A program that does not count, by the name that --verbose shows; may be given several times
    #[arg(long, value_name = "PROGRAM", requires = "devices")]
    pub ignore_program: Vec<String>,
    /// The directory that has proc and dev: for tests
    #[arg(long, value_name = "DIRECTORY", default_value = "/", hide = true, requires = "devices")]
    pub devices_root: PathBuf,
}

/// What a device in use shows: a presence, or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown(pub Option<Presence>);

fn shown(text: &str) -> Result<Shown, String> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(Shown(None));
    }
    let presence = text.parse().map_err(|_| "no such presence: InACall, Busy, DoNotDisturb, ... or none".to_owned())?;
    if presence < Presence::Away {
        return Err("a presence from Away up, or none".to_owned());
    }
    Ok(Shown(Some(presence)))
}

/// Who uses a microphone or a camera: names of programs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    pub microphone: BTreeSet<String>,
    pub camera: BTreeSet<String>,
}

impl Uses {
    fn and(mut self, mut other: Self) -> Self {
        self.microphone.append(&mut other.microphone);
        self.camera.append(&mut other.camera);
        self
    }

    fn without(mut self, programs: &[String]) -> Self {
        let counts = |name: &String| !programs.contains(name);
        self.microphone.retain(counts);
        self.camera.retain(counts);
        self
    }

    /// Returns the stronger of what is shown.
    fn presence(&self, options: &DevicesOptions) -> Option<Presence> {
        let microphone = options.microphone.0.filter(|_| !self.microphone.is_empty());
        let camera = options.camera.0.filter(|_| !self.camera.is_empty());
        microphone.max(camera)
    }
}

/// Checks that this computer is one whose devices can be looked at.
///
/// # Errors
///
/// A sentence that says why not.
pub fn check(options: &DevicesOptions) -> Result<(), String> {
    if options.devices && !options.devices_root.join("proc").is_dir() {
        return Err(
            "--devices is for Linux: on other systems there is no way to ask who uses a microphone or a camera.".into(),
        );
    }
    Ok(())
}

/// Returns who uses what; `None` if there is nobody to ask: no PipeWire that answers, and no device that the kernel knows.
fn look(root: &Path, dump: Option<Vec<u8>>) -> Option<Uses> {
    let pipewire = dump.and_then(|dump| pipewire::parse(&dump).ok());
    let kernel = proc::is_there(root).then(|| proc::look(root, pipewire.is_some()));
    match (pipewire, kernel) {
        (None, None) => None,
        (pipewire, kernel) => Some(pipewire.unwrap_or_default().and(kernel.unwrap_or_default())),
    }
}

/// Follows the devices until it is to stop.
pub fn run(reporter: &Reporter, options: &DevicesOptions) {
    let mut following = Following::default();
    loop {
        let uses = look(&options.devices_root, dump::pw_dump(&reporter.stop));
        let uses = uses.map(|uses| uses.without(&options.ignore_program));
        if following.uses != uses {
            reporter.console.detail(|| describe(uses.as_ref()));
        }
        for news in following.take(uses, options, reporter.clock.now()) {
            reporter.send(news);
        }
        if reporter.stop.wait(INTERVAL.into()) {
            return;
        }
    }
}

fn describe(uses: Option<&Uses>) -> String {
    let Some(uses) = uses else { return "devices: neither PipeWire nor a device answers".to_owned() };
    let names = |names: &BTreeSet<String>| {
        if names.is_empty() { "nobody".to_owned() } else { names.iter().cloned().collect::<Vec<_>>().join(", ") }
    };
    format!("devices: microphone: {}; camera: {}", names(&uses.microphone), names(&uses.camera))
}

/// What was seen and said so far.
#[derive(Default)]
struct Following {
    uses: Option<Uses>,
    delay: Option<Delay<Option<Presence>>>,
    said: Option<Option<Presence>>,
    link: Option<Link>,
    /// The number of looks since somebody answered.
    missed: u8,
}

impl Following {
    /// Takes who uses what, and returns what is new.
    ///
    /// If nobody answers, nothing is said of a presence: what was said ends with its lease.
    fn take(&mut self, uses: Option<Uses>, options: &DevicesOptions, now: Instant) -> Vec<News> {
        let mut news = Vec::new();
        if let Some(uses) = &uses {
            let now_used = uses.presence(options);
            // What is in use at the start has been for who knows how long.
            let delay = self.delay.get_or_insert(Delay::new(Duration::from_secs(options.devices_delay), now_used));
            let presence = delay.settle(now_used, now);
            match presence {
                Some(presence) => news.push(News::Presence { presence, lease: LEASE, is_out_of_office: false }),
                // Also the first time: somebody looked, and nobody is in a call.
                None if self.said != Some(None) => news.push(News::Ended),
                None => {}
            }
            self.said = Some(presence);
        }
        self.missed = if uses.is_some() { 0 } else { self.missed.saturating_add(1) };
        let link = match self.link {
            // A look may fail while the machine is busy.
            Some(Link::Ok) if self.missed < MISSES => Link::Ok,
            _ if uses.is_some() => Link::Ok,
            _ => Link::Down,
        };
        if self.link.replace(link) != Some(link) {
            news.push(News::Link(link));
        }
        self.uses = uses;
        news
    }
}
