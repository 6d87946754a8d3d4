//! What counts as a call: by dumps of a real PipeWire, by files as the kernel writes them, and over time.

use super::*;
use crate::source::devices::delay::Delay;
use proptest::prelude::*;
use std::fs;
use std::os::unix::fs::symlink;

fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.into_iter().map(str::to_owned).collect()
}

fn dump(name: &str) -> Uses {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("devices");
    pipewire::parse(&fs::read(directory.join(name).with_extension("json")).unwrap()).unwrap()
}

#[test]
fn who_records_from_a_microphone_is_in_a_call() {
    let recording = Uses { microphone: names(["pw-record"]), camera: names([]) };
    assert_eq!(dump("recording"), recording);
    for nobody in ["idle", "level-meter", "what-is-played"] {
        assert_eq!(dump(nobody), Uses::default(), "{nobody}");
    }
}

/// A node, and a link between two, as `pw-dump` writes them.
fn node(id: u32, state: &str, class: &str, props: &str) -> String {
    format!(
        r#"{{"id":{id},"type":"PipeWire:Interface:Node","info":{{"state":"{state}","props":{{"media.class":"{class}"{props}}}}}}}"#
    )
}

fn link(from: u32, to: u32, state: &str) -> String {
    format!(
        r#"{{"id":99,"type":"PipeWire:Interface:Link","info":{{"output-node-id":{from},"input-node-id":{to},"state":"{state}"}}}}"#
    )
}

fn uses(objects: &[String]) -> Uses {
    pipewire::parse(format!("[{}]", objects.join(",")).as_bytes()).unwrap()
}

#[test]
fn a_camera_counts_and_a_shared_screen_does_not() {
    let stream = node(2, "running", "Stream/Input/Video", r#","application.name":"Firefox""#);
    let camera = node(1, "running", "Video/Source", r#","media.role":"Camera""#);
    let by_device = node(1, "running", "Video/Source", r#","device.api":"libcamera""#);
    let screen = node(1, "running", "Video/Source", r#","node.name":"gnome-shell""#);
    let firefox = Uses { microphone: names([]), camera: names(["Firefox"]) };
    assert_eq!(uses(&[stream.clone(), camera.clone(), link(1, 2, "active")]), firefox);
    assert_eq!(uses(&[stream.clone(), by_device, link(1, 2, "active")]), firefox);
    assert_eq!(uses(&[stream.clone(), screen, link(1, 2, "active")]), Uses::default());
    assert_eq!(uses(&[stream, camera, link(1, 2, "paused")]), Uses::default());
}

#[test]
fn what_does_not_record_for_a_person_does_not_count() {
    let microphone = node(1, "running", "Audio/Source", "");
    let virtual_one = node(1, "running", "Audio/Source/Virtual", "");
    let headset = node(1, "running", "Audio/Duplex", "");
    let speaker = node(1, "running", "Audio/Sink", "");
    let records = |state: &str, props: &str| node(2, state, "Stream/Input/Audio", props);
    let active = link(1, 2, "active");
    for one in [&microphone, &virtual_one, &headset] {
        let recorded = uses(&[one.clone(), records("running", ""), active.clone()]);
        assert_eq!(recorded.microphone, names(["an application"]));
    }
    for nobody in [
        vec![microphone.clone(), records("idle", ""), active.clone()],
        vec![microphone.clone(), records("running", r#","stream.monitor":true"#), active.clone()],
        vec![microphone.clone(), records("running", r#","stream.monitor":"true""#), active.clone()],
        vec![microphone.clone(), records("running", r#","stream.capture.sink":true"#), active.clone()],
        vec![microphone.clone(), records("running", r#","node.link-group":"loopback-1""#), active.clone()],
        vec![speaker, records("running", ""), active.clone()],
        vec![microphone.clone(), records("running", "")],
        vec![records("running", ""), active],
    ] {
        assert_eq!(uses(&nobody), Uses::default(), "{nobody:?}");
    }
    for broken in ["", "[", "[{}]", "[]]", "{}"] {
        assert!(pipewire::parse(broken.as_bytes()).is_err(), "{broken}");
    }
    assert!(pipewire::parse(b"[{\"id\":1,\"info\":null}]").is_ok());
}

#[test]
fn what_changes_while_it_is_written_counts_as_it_is_last() {
    let microphone = node(1, "running", "Audio/Source", "");
    let records = |state: &str| node(2, state, "Stream/Input/Audio", "");
    let dump = |later: &str| format!("[{microphone},{},{}]\n{later}", records("running"), link(1, 2, "active"));
    let uses = |later: &str| pipewire::parse(dump(later).as_bytes()).unwrap().microphone.len();
    assert_eq!(uses(""), 1);
    assert_eq!(uses("[]"), 1);
    assert_eq!(uses(&format!("[{}]", records("idle"))), 0);
    assert_eq!(uses(r#"[{"id":99,"type":"PipeWire:Interface:Link","info":null}] [{"id":2,"info":null}]"#), 0);
    assert_eq!(uses(&format!("[{}][{}]", records("idle"), records("running"))), 1);
}

/// A directory with what the kernel would have in `/proc` and `/dev`.
struct Kernel(tempfile::TempDir);

impl Kernel {
    fn new() -> Self {
        let kernel = Self(tempfile::tempdir().unwrap());
        kernel.write("proc/asound/card0/id", "PCH\n");
        kernel
    }

    fn root(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn process(&self, id: u32, name: &str) {
        self.write(&format!("proc/{id}/comm"), &format!("{name}\n"));
        self.write(&format!("proc/{id}/status"), &format!("Name:\t{name}\nTgid:\t{id}\nPid:\t{id}\n"));
    }

    fn stream(&self, device: &str, state: &str, owner: u32) {
        let status = format!(
            "state: {state}\nowner_pid   : {owner}\ntrigger_time: 84.306526000\ntstamp      : 0.000000000\ndelay       : 0\n"
        );
        self.write(
            &format!("proc/asound/card0/{device}/sub0/status"),
            if state == "closed" { "closed\n" } else { &status },
        );
    }

    fn opens(&self, id: u32, file: u32, target: &str) {
        let directory = self.root().join(format!("proc/{id}/fd"));
        fs::create_dir_all(&directory).unwrap();
        symlink(target, directory.join(file.to_string())).unwrap();
    }
}

#[test]
fn a_sound_card_tells_who_records() {
    let kernel = Kernel::new();
    assert_eq!(proc::look(kernel.root(), false), Uses::default());
    kernel.process(70, "zoom");
    kernel.stream("pcm0c", "RUNNING", 70);
    assert_eq!(proc::look(kernel.root(), true).microphone, names(["zoom"]));
    for state in ["closed", "SETUP", "PREPARED", "XRUN"] {
        kernel.stream("pcm0c", state, 70);
        assert_eq!(proc::look(kernel.root(), true), Uses::default(), "{state}");
    }
    kernel.stream("pcm0p", "RUNNING", 70);
    assert_eq!(proc::look(kernel.root(), true), Uses::default());
    // A thread names its process, and whose process is not to be seen counts as well.
    kernel.write("proc/71/status", "Name:\tdata-loop.0\nTgid:\t70\nPid:\t71\n");
    kernel.stream("pcm0c", "RUNNING", 71);
    assert_eq!(proc::look(kernel.root(), true).microphone, names(["zoom"]));
    kernel.stream("pcm0c", "RUNNING", 72);
    assert_eq!(proc::look(kernel.root(), true).microphone, names(["process 72"]));
}

#[test]
fn what_a_sound_server_records_counts_only_if_it_does_not_say_for_whom() {
    let kernel = Kernel::new();
    kernel.process(80, "pipewire");
    kernel.stream("pcm0c", "RUNNING", 80);
    assert_eq!(proc::look(kernel.root(), true), Uses::default());
    assert_eq!(proc::look(kernel.root(), false).microphone, names(["pipewire"]));
}

#[test]
fn who_holds_a_camera_open_uses_it() {
    let kernel = Kernel::new();
    kernel.process(90, "firefox");
    kernel.opens(90, 3, "/dev/null");
    kernel.opens(90, 4, "socket:[12345]");
    kernel.opens(90, 5, "/dev/video0");
    // There is no camera any more: what is left of it is not looked for.
    assert_eq!(proc::look(kernel.root(), true), Uses::default());
    kernel.write("dev/video0", "");
    assert_eq!(proc::look(kernel.root(), true).camera, names(["firefox"]));
    kernel.process(91, "wireplumber");
    kernel.opens(91, 7, "/dev/video0");
    kernel.process(92, "editor");
    kernel.opens(92, 7, "/dev/video-notes");
    assert_eq!(proc::look(kernel.root(), true).camera, names(["firefox"]));
}

#[test]
fn if_nobody_answers_nothing_is_known() {
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(look(empty.path(), None), None);
    assert_eq!(look(empty.path(), Some(b"no JSON".to_vec())), None);
    assert_eq!(look(empty.path(), Some(b"[]".to_vec())), Some(Uses::default()));
    assert_eq!(look(Kernel::new().root(), None), Some(Uses::default()));
    assert!(check(&options(0)).is_ok());
    assert!(check(&DevicesOptions { devices_root: empty.path().to_owned(), ..options(0) }).is_err());
}

fn options(devices_delay: u64) -> DevicesOptions {
    DevicesOptions {
        devices: true,
        microphone: Shown(Some(Presence::InACall)),
        camera: Shown(Some(Presence::Busy)),
        devices_delay,
        ignore_program: Vec::new(),
        devices_root: "/".into(),
    }
}

fn microphone() -> Option<Uses> {
    Some(Uses { microphone: names(["zoom"]), camera: names([]) })
}

#[test]
fn a_call_is_said_again_and_ends_and_silence_ends_nothing() {
    let options = options(5);
    let call = News::Presence { presence: Presence::InACall, lease: LEASE, is_out_of_office: false };
    let mut following = Following::default();
    let mut take = |uses, seconds| following.take(uses, &options, Instant::from_secs(seconds));
    assert_eq!(take(Some(Uses::default()), 0), [News::Ended, News::Link(Link::Ok)]);
    assert_eq!(take(microphone(), 3), []);
    assert_eq!(take(microphone(), 6), []);
    assert_eq!(take(microphone(), 9), [call]);
    assert_eq!(take(microphone(), 12), [call]);
    // One look, or two, may fail.
    assert_eq!(take(None, 15), []);
    assert_eq!(take(microphone(), 18), [call]);
    for (seconds, news) in [(21, vec![]), (24, vec![]), (27, vec![News::Link(Link::Down)]), (30, vec![])] {
        assert_eq!(take(None, seconds), news);
    }
    assert_eq!(take(Some(Uses::default()), 33), [call, News::Link(Link::Ok)]);
    assert_eq!(take(Some(Uses::default()), 38), [News::Ended]);
    assert_eq!(take(Some(Uses::default()), 41), []);
    assert_eq!(Following::default().take(None, &options, Instant::ZERO), [News::Link(Link::Down)]);
    // At the start nobody knows for how long it has been in use.
    assert_eq!(Following::default().take(microphone(), &options, Instant::ZERO), [call, News::Link(Link::Ok)]);
}

#[test]
fn the_stronger_device_shows_and_programs_can_be_left_out() {
    let both = Uses { microphone: names(["zoom"]), camera: names(["guvcview"]) };
    assert_eq!(both.presence(&options(0)), Some(Presence::InACall));
    let without = both.clone().without(&["zoom".to_owned()]);
    assert_eq!(without.presence(&options(0)), Some(Presence::Busy));
    assert_eq!(both.presence(&DevicesOptions { microphone: Shown(None), ..options(0) }), Some(Presence::Busy));
    assert_eq!(shown("none"), Ok(Shown(None)));
    assert_eq!(shown("doNotDisturb"), Ok(Shown(Some(Presence::DoNotDisturb))));
    assert!(shown("Offline").is_err() && shown("Lunch").is_err());
}

proptest! {
    /// A naive delay: the newest value that was seen at each look of a whole delay, or what there was before.
    #[test]
    fn a_delay_follows_what_has_lasted(time in 0u64..6, looks in prop::collection::vec((0u64..4, 0u8..3), 1..40)) {
        let mut delay = Delay::new(Duration::from_secs(time), 0);
        let (mut now, mut seen, mut settled) = (0, Vec::<(u64, u8)>::new(), 0);
        for (pause, value) in looks {
            now += pause;
            seen.push((now, value));
            let since = seen.iter().rev().take_while(|(_, other)| *other == value).last().unwrap().0;
            if now - since >= time {
                settled = value;
            }
            prop_assert_eq!(delay.settle(value, Instant::from_secs(now)), settled);
        }
    }
}
