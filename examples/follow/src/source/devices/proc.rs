//! What the kernel says: which process records from a sound card (`/proc/asound`), and which holds a camera open (`/dev/video*`).

use super::Uses;
use std::fs;
use std::path::{Path, PathBuf};

/// The sound servers: what they record is for others. They name them.
const SERVERS: [&str; 4] = ["pipewire", "wireplumber", "pipewire-media-", "pipewire-pulse"];

/// Returns who uses what. `pipewire_asked` tells whether PipeWire has said for whom it records.
pub fn look(root: &Path, pipewire_asked: bool) -> Uses {
    let counts = |name: &String| !(pipewire_asked && SERVERS.contains(&name.as_str()));
    Uses {
        microphone: recorders(root).into_iter().filter(counts).collect(),
        // A sound server holds cameras open to list them.
        camera: camera_holders(root).into_iter().filter(|name| !SERVERS.contains(&name.as_str())).collect(),
    }
}

/// Reports whether there is anything to look at.
pub fn is_there(root: &Path) -> bool {
    root.join("proc/asound").is_dir() || !cameras(root).is_empty()
}

/// Returns the processes that record from a sound card.
fn recorders(root: &Path) -> Vec<String> {
    let cards = entries(&root.join("proc/asound"), |name| name.starts_with("card"));
    // Capture devices end in a c, those for playback in a p.
    let devices = cards.iter().flat_map(|card| entries(card, |name| name.starts_with("pcm") && name.ends_with('c')));
    let streams = devices.flat_map(|device| entries(&device, |name| name.starts_with("sub")));
    streams
        .filter_map(|stream| owner(&fs::read_to_string(stream.join("status")).ok()?))
        .map(|id| name(root, id))
        .collect()
}

/// Returns the owner of a stream that is running, as its status says.
fn owner(status: &str) -> Option<u32> {
    let field = |name: &str| {
        let lines = status.lines().filter_map(|line| line.split_once(':'));
        lines.into_iter().find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
    };
    if field("state") != Some("RUNNING") {
        return None;
    }
    field("owner_pid")?.parse().ok()
}

/// Returns the name of a process, by its own id or one of its threads.
fn name(root: &Path, id: u32) -> String {
    let proc = root.join("proc");
    let status = fs::read_to_string(proc.join(id.to_string()).join("status")).unwrap_or_default();
    let process = status
        .lines()
        .find_map(|line| line.strip_prefix("Tgid:"))
        .map_or_else(|| id.to_string(), |id| id.trim().to_owned());
    let name = fs::read_to_string(proc.join(process).join("comm")).unwrap_or_default();
    if name.trim().is_empty() { format!("process {id}") } else { name.trim().to_owned() }
}

fn cameras(root: &Path) -> Vec<PathBuf> {
    entries(&root.join("dev"), is_camera)
}

fn is_camera(name: &str) -> bool {
    name.strip_prefix("video")
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Returns the processes that hold a camera open: those that this user may look into.
fn camera_holders(root: &Path) -> Vec<String> {
    if cameras(root).is_empty() {
        return Vec::new();
    }
    let processes = entries(&root.join("proc"), |name| name.bytes().all(|byte| byte.is_ascii_digit()));
    let holding = processes
        .into_iter()
        .filter(|process| entries(&process.join("fd"), |_| true).iter().any(|file| opens_camera(file)));
    let ids = holding.filter_map(|process| process.file_name()?.to_str()?.parse().ok());
    ids.map(|id| name(root, id)).collect()
}

fn opens_camera(file: &Path) -> bool {
    let target = fs::read_link(file).unwrap_or_default();
    let name = target.strip_prefix("/dev").ok().and_then(|name| name.to_str());
    name.is_some_and(is_camera)
}

/// Returns the entries of a directory that have such names; none of one that is not there, or is not for this user.
fn entries(directory: &Path, wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_name().to_str().is_some_and(&wanted)).map(|entry| entry.path()).collect()
}
