//! Snapshots of details: what is written, always the same, and what is rejected. Rules T1, O1, W1, V1.

use super::{secs, with_checksum};
use presence_core::BufferFull;
use presence_core::details::{
    Details, DetailsCommand, LocationLayer, OutOfOffice, WorkLocationType, WorkPlace, decide_details,
};
use presence_core::snapshot::{self, RestoreError};
use presence_core::{Duration, Instant};

type Small = Details<12>;

const ZERO: Option<Duration> = Some(Duration::ZERO);

fn update(details: &mut Small, now: Instant, command: DetailsCommand<'_>) {
    let transition = decide_details(details.at(now).unwrap(), command).unwrap().unwrap();
    details.apply(&transition).unwrap();
}

fn at_lunch() -> Small {
    let mut details = Small::new();
    let lunch = DetailsCommand::SetStatusMessage { text: "lunch", expires_at: secs(160) };
    update(&mut details, secs(100), lunch);
    details
}

/// Details in which everything is set, each layer of the location included.
fn everything() -> Small {
    let mut details = at_lunch();
    let away = OutOfOffice { is_out_of_office: true, message: Some("away") };
    update(&mut details, secs(100), DetailsCommand::SetOutOfOffice(away));
    for (layer, kind, id, until) in [
        (LocationLayer::Scheduled, WorkLocationType::TimeOff, None, Instant::NEVER),
        (LocationLayer::Automatic, WorkLocationType::Office, None, secs(150)),
        (LocationLayer::Manual, WorkLocationType::Remote, Some("home"), secs(200)),
    ] {
        update(&mut details, secs(100), DetailsCommand::SetLocation { layer, place: WorkPlace { kind, id }, until });
    }
    details
}

fn saved(details: &Small, now: Instant) -> Vec<u8> {
    let mut buffer = [0; snapshot::max_details_len::<12>()];
    snapshot::save_details(details.at(now).unwrap(), &mut buffer).unwrap().to_vec()
}

/// Format version 1 of details must remain readable: these bytes never change.
#[test]
fn format_version_1_of_details_is_written_and_read_as_before() {
    let all = [
        [1, 0, 0b1011_1101, 5, 5].as_slice(), // format version, no ids, flags, revision, version
        b"\x05lunch\x90\x4E\xD0\x86\x03",     // published 10,000 ms ago, for 50,000 ms more
        b"\x04away",
        &[3, 0, 0],                  // scheduled: time off, no id, without an end
        &[1, 0, 0xC0, 0xB8, 0x02],   // automatic: the office, for 40,000 ms more
        b"\x02\x04home\x90\xBF\x05", // manual: remote, for 90,000 ms more
    ];
    let set_back = [[1, 0, 0b1000_0011, 1, 1].as_slice(), b"\x05lunch\x90\x4E\xF0\xA2\x04", &[0]];
    for (name, details, now, body) in [
        ("new", Small::new(), secs(0), [1, 0, 0b1000_0000, 0, 0, 0].to_vec()),
        ("everything", everything(), secs(110), all.concat()),
        ("a clock set back (C1)", at_lunch(), secs(90), set_back.concat()),
    ] {
        assert_eq!(saved(&details, now), with_checksum(&body), "{name}");
        assert_eq!(snapshot::restore_details(&with_checksum(&body), now, ZERO), Ok(details), "{name}");
    }
}

#[test]
fn it_is_small_and_never_written_beyond_a_buffer() {
    assert_eq!(snapshot::max_details_len::<12>(), 319);
    assert_eq!(snapshot::max_details_len::<280>(), 855);
    let (details, whole) = (everything(), saved(&everything(), secs(110)));
    for length in 0..whole.len() {
        let mut buffer = vec![0xA5; whole.len()];
        assert_eq!(snapshot::save_details(details.at(secs(110)).unwrap(), &mut buffer[..length]), Err(BufferFull));
        assert!(buffer[length..].iter().all(|byte| *byte == 0xA5));
    }
}

/// The checksum matches, but no details can have this content.
#[test]
fn impossible_content_is_rejected() {
    let cases: &[(&[u8], Result<(), RestoreError>)] = &[
        (&[1, 0, 0x80, 0, 0, 0], Ok(())),
        (&[0, 0, 0x80, 0, 0, 0], Err(RestoreError::FormatVersion)),
        (&[0xFF, 0, 0x80, 0, 0, 0], Err(RestoreError::FormatVersion)),
        (&[2, 0, 0x80, 0, 0, 0], Err(RestoreError::NewerVersion(2))),
        (&[1, 1, 0x80, 0, 0, 0], Err(RestoreError::IdLength)),
        (&[1, 0, 0, 0, 0, 0], Err(RestoreError::Flags)),
        (&[1, 0, 0xC0, 0, 0, 0], Err(RestoreError::Flags)),
        (&[1, 0, 0x40, 0, 0, 0], Err(RestoreError::Flags)),
        (&[1, 0, 0x80, 1, 2, 0], Err(RestoreError::VersionAhead)),
        (&[1, 0, 0x80, 2, 2, 0], Ok(())),
        (&[1, 0, 0x80, 2, 1, 0], Ok(())),
        (&[1, 0, 0x80, 0, 0, 0, 0], Err(RestoreError::Length)),
        (&[1, 0, 0x80, 0, 0], Err(RestoreError::Length)),
        // A message: length, text, distance, end.
        (b"\x01\x00\x81\x01\x01\x02hi\x05\x00\x00", Ok(())),
        (b"\x01\x00\x81\x01\x01\x02hi\x00\x00\x00", Ok(())),
        (b"\x01\x00\x83\x01\x01\x02hi\x05\x00\x00", Ok(())),
        // Published zero after the moment, and without a message.
        (b"\x01\x00\x83\x01\x01\x02hi\x00\x00\x00", Err(RestoreError::Flags)),
        (&[1, 0, 0x82, 0, 0, 0], Err(RestoreError::Flags)),
        (b"\x01\x00\x81\x01\x01\x00\x05\x00\x00", Err(RestoreError::Text)),
        (b"\x01\x00\x81\x01\x01\x02\xC3\x28\x05\x00\x00", Err(RestoreError::Text)),
        (b"\x01\x00\x81\x01\x01\x0Ctwelve", Err(RestoreError::Length)),
        (b"\x01\x00\x81\x01\x01\x0Ctwelve bytes\x05\x00\x00", Ok(())),
        (b"\x01\x00\x81\x01\x01\x0Dthirteen byte\x05\x00\x00", Err(RestoreError::Full)),
        // Out of office.
        (b"\x01\x00\x84\x01\x01\x0Ctwelve bytes", Ok(())),
        (b"\x01\x00\x84\x01\x01\x0Dthirteen byte", Err(RestoreError::Full)),
        // A place: kind, length of its id, id, end.
        (&[1, 0, 0x88, 1, 1, 0, 1, 0, 0], Ok(())),
        (&[1, 0, 0x90, 1, 1, 0, 3, 0, 9], Ok(())),
        (&[1, 0, 0xA0, 1, 1, 0, 0, 0, 0], Err(RestoreError::WorkLocationType)),
        (&[1, 0, 0xA0, 1, 1, 0, 4, 0, 0], Err(RestoreError::WorkLocationType)),
    ];
    for (body, expected) in cases {
        let read = snapshot::restore_details::<12>(&with_checksum(body), secs(110), ZERO);
        assert_eq!(read.map(drop), *expected, "{body:x?}");
    }
    for (length, expected) in [(64, Ok(())), (65, Err(RestoreError::Full))] {
        let body = [[1, 0, 0x88, 1, 1, 0, 1, length].as_slice(), &vec![b'x'; length.into()], &[0]].concat();
        assert_eq!(snapshot::restore_details::<12>(&with_checksum(&body), secs(110), ZERO).map(drop), expected);
    }
}

/// A gap of unknown length adds to the revision, too. Rule V2.
#[test]
fn v1_v2_an_unknown_gap_adds_to_both_numbers() {
    let restored: Small = snapshot::restore_details(&saved(&everything(), secs(110)), secs(0), None).unwrap();
    assert_eq!((restored.revision(), restored.version()), (5 + 65_536, 5 + 65_536));
    assert_eq!((restored.work_location(), restored.out_of_office().message), (None, Some("away")));
}

/// Details that were restored, with whatever numbers, continue and are restored again.
#[test]
fn v1_v2_details_with_the_greatest_numbers_are_restored_again() {
    for number in [u64::MAX - 1, u64::MAX] {
        let start = Small::with_version(number);
        let mut details: Small = snapshot::restore_details(&saved(&start, secs(0)), secs(0), ZERO).unwrap();
        for text in ["lunch", "back"] {
            update(&mut details, secs(1), DetailsCommand::SetStatusMessage { text, expires_at: secs(160) });
            assert_eq!((details.version(), details.revision()), (u64::MAX, u64::MAX));
            assert_eq!(snapshot::restore_details(&saved(&details, secs(1)), secs(1), ZERO).as_ref(), Ok(&details));
        }
        details.rebase(secs(2), secs(1)).unwrap();
        assert_eq!(snapshot::restore_details(&saved(&details, secs(1)), secs(1), ZERO), Ok(details));
    }
}
