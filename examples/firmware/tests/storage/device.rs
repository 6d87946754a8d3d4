//! A device and its storage, over a loss of power: rules L5 and U3.

use super::medium::{Nor, Power, Torn, memory};
use firmware::storage::{Flash, Retained, RetainedByte, SnapshotStore, Storage};
use firmware::{Clock, Device, Frame, Identity, Light, LightError, PresenceLight, Pressed, ReceivedByte};
use presence_core::Presence;

/// A light that keeps its latest frame.
#[derive(Debug, Default)]
struct LatestFrame(Option<Frame>);

impl Light for LatestFrame {
    const LEDS: u16 = 300;

    fn show(&mut self, frame: Frame) -> Result<(), LightError> {
        self.0 = Some(frame);
        Ok(())
    }
}

const NONE: Pressed = Pressed { a: false, b: false };
const A: Pressed = Pressed { a: true, b: false };

/// Runs a device until its power is lost: sends it lines, one every twenty minutes, and presses button A at a line that is `A`.
/// Returns the last line that it said after each, and what it shows in the end.
fn run<M: Storage>(storage: M, lines: &[&str]) -> (Vec<String>, Frame, SnapshotStore<M>) {
    let (mut light, mut snapshots) = (PresenceLight::new(LatestFrame::default()), SnapshotStore::new(storage));
    let identity = Identity { board: "host", serial_number: None };
    let mut device = Device::start(identity, &mut light, &mut snapshots);
    let (mut now, mut said) = (Clock::START, Vec::new());
    for line in lines {
        let text = format!("{line}\n");
        let (text, pressed) = if *line == "A" { ("", A) } else { (text.as_str(), NONE) };
        let mut out = Vec::new();
        device.turn(&mut text.bytes().map(ReceivedByte::new), pressed, now, &mut out);
        let end = Clock::at_uptime(Clock::uptime_at(now) + 20 * 60_000);
        while device.wake_at(now) < end {
            now = device.wake_at(now);
            device.turn(&mut std::iter::empty(), NONE, now, &mut out);
        }
        now = end;
        said.push(String::from_utf8(out).unwrap().lines().next_back().unwrap_or_default().to_owned());
    }
    let frame = device.light().0.unwrap();
    (said, frame, snapshots)
}

const SETTINGS: &str = r#"{"id":"s","method":"GET","url":"/device/settings"}"#;
const SET: &str = r#"{"id":"1","method":"POST","url":"/device/settings","body":{"brightness":77,"nightBrightness":7,"night":"PT24H","palette":"home","leds":258,"noNewsDimsAfter":"PT2H"}}"#;
const DONE: &str = r#"{"id":"1","status":200}"#;

fn flash(contents: &Nor<4, 1024>) -> Flash<Nor<4, 1024>> {
    Flash::new(contents.clone(), 0..8192).unwrap()
}

/// What was set is there again after any number of restarts, but for the night.
#[test]
fn l5_settings_are_kept_over_a_loss_of_power() {
    let told = r#"{"id":"s","status":200,"body":{"brightness":77,"nightBrightness":7,"night":"PT0S","palette":"home","leds":258,"noNewsDimsAfter":"PT2H"}}"#;
    let (said, frame, mut snapshots) = run(flash(&Nor::new(8, Torn::SomeBits)), &[SET, SETTINGS]);
    assert_eq!(said, [DONE, &told.replace("PT0S", "PT23H40M")]);
    assert_eq!((frame.brightness, frame.leds), (7, 258));
    for _ in 0..5 {
        let contents = snapshots.storage().flash().clone();
        let (said, frame, next) = run(flash(&contents), &[SETTINGS]);
        assert_eq!(said, [told]);
        assert_eq!((frame.brightness, frame.leds), (77, 258));
        snapshots = next;
    }
    let cells = memory((0..Retained::BYTES).map(|_| 0xFF), &Power::default());
    run(Retained::new(&cells), &[SET]);
    assert_eq!(run(Retained::new(&cells), &[SETTINGS]).0, [told]);
}

/// Firmware that knows fewer settings is this one with settings that it does not know: they are there again afterwards.
#[test]
fn l5_settings_of_newer_firmware_survive_older_firmware() {
    let mut contents = flash(&Nor::new(8, Torn::SomeBits));
    let (_, _, mut snapshots) = run(flash(contents.flash()), &[SET]);
    // Newer firmware has set number 200 to three bytes, and a palette that this one does not know.
    let snapshot = snapshots.storage().load().unwrap().unwrap().to_vec();
    let newer = [200, 3, 1, 2, 3, 3, 1, 99];
    snapshots.storage().store(&snapshot, &newer).unwrap();
    contents = flash(snapshots.storage().flash());
    let change = r#"{"id":"1","method":"POST","url":"/device/settings","body":{"brightness":5}}"#;
    let (said, _, mut snapshots) = run(contents, &[SETTINGS, change, SETTINGS]);
    assert!(said[0].contains(r#""palette":"default""#) && said[2].contains(r#""brightness":5,"#), "{said:?}");
    let stored = snapshots.storage().load_settings().unwrap().unwrap();
    assert_eq!(stored, [&newer[..], &[1, 1, 5]].concat());
}

/// Every byte of the medium is searched for what was stored: an id, and settings.
#[test]
fn l5_what_is_forgotten_is_in_no_byte_of_the_storage() {
    let id = b"\x7f\x3a\x5b\x1c\x1f\x0e\x4a\x43\x9a\x0b\x6f\x2c\x8d\x1e\x4b\x5a";
    let line = r#"{"id":"1","method":"POST","url":"/me/presence/setPresence","body":{"sessionId":"7f3a5b1c-1f0e-4a43-9a0b-6f2c8d1e4b5a","availability":"Busy","activity":"InACall","expirationDuration":"PT24H"}}"#;
    let forget = r#"{"id":"1","method":"POST","url":"/device/forget"}"#;
    let holds = |bytes: &[u8]| bytes.windows(4).any(|window| id.windows(4).any(|part| part == window));
    let (said, _, mut snapshots) = run(flash(&Nor::new(8, Torn::SomeBits)), &[line, "A", SET]);
    assert_eq!((&*said[0], &*said[2]), (DONE, DONE));
    assert!(holds(&snapshots.storage().flash().bytes), "it was stored");
    let contents = snapshots.storage().flash().clone();
    let (said, frame, mut snapshots) = run(flash(&contents), &[forget, SETTINGS]);
    assert!(said[0] == DONE && said[1].contains(r#""brightness":255"#), "{said:?}");
    assert_eq!(frame.presence, Presence::Unknown);
    assert!(snapshots.storage().flash().bytes.iter().all(|byte| *byte == 0xFF), "no byte is left");
    // A restart finds nothing.
    let contents = snapshots.storage().flash().clone();
    let (said, ..) = run(flash(&contents), &[SETTINGS, r#"{"id":"1","method":"GET","url":"/me/presence"}"#]);
    assert!(said[0].contains(r#""palette":"default""#) && said[1].contains(r#""sequenceNumber":null"#), "{said:?}");

    let cells = memory((0..Retained::BYTES).map(|_| 0xFF), &Power::default());
    let contents = || cells.iter().map(RetainedByte::get).collect::<Vec<_>>();
    run(Retained::new(&cells), &[line, "A", SET]);
    assert!(holds(&contents()));
    run(Retained::new(&cells), &[forget]);
    assert!(contents().iter().all(|byte| *byte == 0));
}

/// A flash that cannot be erased is told, and what is left of it is written over.
#[test]
fn l5_a_storage_that_cannot_be_erased_is_told() {
    let (_, _, mut snapshots) = run(flash(&Nor::new(8, Torn::SomeBits)), &[SET]);
    let contents = snapshots.storage().flash().clone();
    let mut storage = flash(&contents);
    // There is power to start and to write once, but not to erase a page.
    storage.flash().power.cut_after(Some(300));
    let forget = r#"{"id":"1","method":"POST","url":"/device/forget"}"#;
    let (said, ..) = run(storage, &[forget]);
    assert!(said[0].starts_with(r#"{"id":"1","status":503,"body":{"error":{"code":"ServiceUnavailable""#), "{said:?}");
}

/// Button A without a host, and the preferred presence after a reset, when the first host is there (A1, U3).
#[test]
fn u3_what_button_a_prefers_is_there_when_the_first_host_is() {
    let (said, frame, mut snapshots) = run(flash(&Nor::new(8, Torn::SomeBits)), &["A"]);
    assert!(said[0].contains(r#""to":{"availability":"DoNotDisturb""#), "without a host, right away: {said:?}");
    assert_eq!(frame.presence, Presence::DoNotDisturb);
    let contents = snapshots.storage().flash().clone();
    let (said, frame, _) = run(flash(&contents), &["Available PT1H"]);
    assert_eq!(said[0], r#"{"id":null,"status":200}"#);
    assert_eq!(frame.presence, Presence::DoNotDisturb);
    let contents = snapshots.storage().flash().clone();
    assert_eq!(run(flash(&contents), &[""]).1.presence, Presence::Unknown, "alone it shows nothing");
}
