//! Details, saved and restored.

use super::format::Decoded;
use arbitrary::{Result, Unstructured};
use presence_core::BufferFull;
use presence_core::details::{
    Details, DetailsCommand, DetailsTransition, OutOfOffice, decide_details, next_due_details,
};
use presence_core::snapshot::{RestoreError, max_details_len, restore, restore_details, save_details};
use presence_core::{Duration, Instant};

/// The amount by which revision and version grow over a gap of unknown length.
const VERSION_GAP: u64 = 65_536;

const ZERO: Option<Duration> = Some(Duration::ZERO);

/// Returns the snapshot of details, from which they are restored on the same clock; `None` while something is overdue.
pub fn restored_on_the_same_clock<const MESSAGE: usize>(details: &Details<MESSAGE>, now: Instant) -> Option<Vec<u8>> {
    let moment = details.at(now).ok()?;
    let mut buffer = vec![0; max_details_len::<MESSAGE>()];
    let stored = save_details(moment, &mut buffer).expect("the most there is").to_vec();
    assert_eq!(restore_details(&stored, now, ZERO).as_ref(), Ok(details), "the same on the same clock");
    let mut tight = stored.clone();
    assert_eq!(save_details(moment, &mut tight), Ok(stored.as_slice()));
    tight.pop();
    assert_eq!(save_details(moment, &mut tight), Err(BufferFull));
    // It is not accepted as the snapshot of a user.
    assert!(restore::<u8, 4>(&stored, now, None).is_err());
    assert!(restore::<[u8; 0], 4>(&stored, now, None).is_err());
    Some(stored)
}

/// Checks that bytes are restored exactly if the naive reader accepts them, on any clock, and that the details are valid.
pub fn check<const MESSAGE: usize>(bytes: &[u8], now: Instant, elapsed: Option<Duration>) {
    let decoded = Decoded::read(bytes, MESSAGE);
    let restored = restore_details::<MESSAGE>(bytes, now, elapsed);
    match &decoded {
        None => assert!(restored.is_err(), "{restored:?}"),
        Some(decoded) if !decoded.has_begun(now, elapsed) => assert_eq!(restored, Err(RestoreError::BeforeEpoch)),
        Some(decoded) => assert!(restored.is_ok(), "{restored:?}, {decoded:?}"),
    }
    let (Some(decoded), Ok(details)) = (decoded, restored) else { return };
    decoded.assert_is(&details, now, elapsed);
    lives_on(&details);
    let gap = if elapsed.is_some() { 0 } else { VERSION_GAP };
    assert_eq!(details.version(), decoded.version.saturating_add(gap), "version (V1)");
    assert_eq!(details.revision(), decoded.revision.saturating_add(gap), "revision (V2)");
    // Restoring at the moment of saving, after which time passes, is the same.
    if let Some(then) = elapsed.and_then(|elapsed| now.as_millis().checked_sub(elapsed.as_millis())) {
        assert_eq!(restore_details(bytes, Instant::from_millis(then), ZERO).as_ref(), Ok(&details));
    }
    // On a clock on which nothing saturates, the details are saved as the same bytes.
    if let Some(ordinary) = decoded.ordinary_clock() {
        let details: Details<MESSAGE> = restore_details(bytes, ordinary, ZERO).expect("on any clock");
        let saved = restored_on_the_same_clock(&details, ordinary).expect("every saved deadline is in the future (S8)");
        assert_eq!(saved, bytes, "one user, one encoding");
    }
}

/// Checks that restored details behave like any others: they come to rest, and at each deadline they can be changed, saved and
/// restored.
fn lives_on<const MESSAGE: usize>(details: &Details<MESSAGE>) {
    let mut details = details.clone();
    let mut now = Instant::ZERO;
    loop {
        while details.next_deadline().is_some_and(|deadline| deadline.is_due(now)) {
            let due = next_due_details(&details, now).expect("exact");
            apply(&mut details, &due);
        }
        can_be_saved_again(details.clone(), now);
        let Some(deadline) = details.next_deadline() else { break };
        assert!(now < deadline, "time goes forwards");
        now = deadline;
    }
    assert_eq!(next_due_details(&details, Instant::NEVER), None);
}

/// Sets a message and toggles out of office; the details are the same after saving and restoring.
fn can_be_saved_again<const MESSAGE: usize>(mut details: Details<MESSAGE>, now: Instant) {
    let is_out_of_office = !details.out_of_office().is_out_of_office;
    for command in [
        DetailsCommand::SetStatusMessage { text: "a", expires_at: Instant::NEVER },
        DetailsCommand::SetOutOfOffice(OutOfOffice { is_out_of_office, message: None }),
    ] {
        let decided = decide_details(details.at(now).expect("up to date"), command).expect("it fits");
        apply(&mut details, &decided.expect("something happens"));
    }
    restored_on_the_same_clock(&details, now).expect("up to date");
}

fn apply<const MESSAGE: usize>(details: &mut Details<MESSAGE>, transition: &DetailsTransition<'_>) {
    let (revision, version) = (details.revision(), details.version());
    assert_eq!(details.apply(transition), Ok(()));
    // The greatest numbers stay.
    assert_eq!(details.revision(), revision.saturating_add(1), "revision (V2)");
    assert_eq!(details.version(), version.saturating_add(transition.is_visible().into()), "version (V1)");
}

/// Checks that up to five flipped bits anywhere are detected, and truncation.
pub fn damage(stored: &[u8], bytes: &mut Unstructured<'_>) -> Result<()> {
    let mut damaged = stored.to_vec();
    for _ in 0..bytes.int_in_range(1..=5)? {
        let bit = bytes.choose_index(stored.len() * 8)?;
        // Never flips a bit back.
        if damaged[bit / 8] >> (bit % 8) & 1 == stored[bit / 8] >> (bit % 8) & 1 {
            damaged[bit / 8] ^= 1 << (bit % 8);
        }
        assert_eq!(restore_details::<40>(&damaged, Instant::ZERO, None), Err(RestoreError::Checksum));
    }
    let length = bytes.choose_index(stored.len())?;
    let cut = restore_details::<40>(&stored[..length], Instant::ZERO, None);
    assert!(matches!(cut, Err(RestoreError::Checksum | RestoreError::Length)), "cut to {length}: {cut:?}");
    Ok(())
}
