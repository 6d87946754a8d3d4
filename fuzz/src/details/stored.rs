//! What a user tells, stored and restored.

use super::form::Form;
use arbitrary::{Result, Unstructured};
use presence_core::BufferFull;
use presence_core::details::{
    Details, DetailsCommand, DetailsTransition, OutOfOffice, decide_details, next_due_details,
};
use presence_core::snapshot::{RestoreError, VERSION_GAP, max_details_len, restore, restore_details, save_details};
use presence_core::{Duration, Instant};

const ZERO: Option<Duration> = Some(Duration::ZERO);

/// The bytes that are stored of somebody, who is found in them on the same clock; `None` while something is overdue.
pub fn restored_on_the_same_clock<const MESSAGE: usize>(details: &Details<MESSAGE>, now: Instant) -> Option<Vec<u8>> {
    let moment = details.at(now).ok()?;
    let mut buffer = vec![0; max_details_len::<MESSAGE>()];
    let stored = save_details(moment, &mut buffer).expect("the most there is").to_vec();
    assert_eq!(restore_details(&stored, now, ZERO).as_ref(), Ok(details), "the same on the same clock");
    let mut tight = stored.clone();
    assert_eq!(save_details(moment, &mut tight), Ok(stored.as_slice()));
    tight.pop();
    assert_eq!(save_details(moment, &mut tight), Err(BufferFull));
    // A user's form and this one are never taken for each other.
    assert!(restore::<u8, 4>(&stored, now, None).is_err());
    assert!(restore::<[u8; 0], 4>(&stored, now, None).is_err());
    Some(stored)
}

/// Restored exactly if the naive reader of the form finds something told, on every kind of clock; and what is restored is
/// valid.
pub fn judge<const MESSAGE: usize>(bytes: &[u8], now: Instant, elapsed: Option<Duration>) {
    let form = Form::read(bytes, MESSAGE);
    let restored = restore_details::<MESSAGE>(bytes, now, elapsed);
    match &form {
        None => assert!(restored.is_err(), "{restored:?}"),
        Some(form) if !form.has_begun(now, elapsed) => assert_eq!(restored, Err(RestoreError::BeforeEpoch)),
        Some(form) => assert!(restored.is_ok(), "{restored:?}, {form:?}"),
    }
    let (Some(form), Ok(details)) = (form, restored) else { return };
    form.assert_is(&details, now, elapsed);
    lives_on(&details);
    let leap = if elapsed.is_some() { 0 } else { VERSION_GAP };
    assert_eq!(details.version(), form.version.saturating_add(leap), "version (V1)");
    assert_eq!(details.revision(), form.revision.saturating_add(leap), "revision (V2)");
    // The same clock in other words: it was restored then, and time has passed.
    if let Some(then) = elapsed.and_then(|elapsed| now.as_millis().checked_sub(elapsed.as_millis())) {
        assert_eq!(restore_details(bytes, Instant::from_millis(then), ZERO).as_ref(), Ok(&details));
    }
    // On a clock on which nothing saturates, the same is the same bytes.
    if let Some(ordinary) = form.ordinary_clock() {
        let details: Details<MESSAGE> = restore_details(bytes, ordinary, ZERO).expect("on any clock");
        let taken = restored_on_the_same_clock(&details, ordinary).expect("what is stored is still to come (S8)");
        assert_eq!(taken, bytes, "one user, one form");
    }
}

/// Whatever was let in lives like anything else that was told, and comes to rest; and whenever more is told and stored, it is
/// found again.
fn lives_on<const MESSAGE: usize>(details: &Details<MESSAGE>) {
    let mut details = details.clone();
    let mut now = Instant::ZERO;
    loop {
        while details.next_deadline().is_some_and(|deadline| deadline.is_due(now)) {
            let due = next_due_details(&details, now).expect("exact");
            apply(&mut details, &due);
        }
        is_found_again(details.clone(), now);
        let Some(deadline) = details.next_deadline() else { break };
        assert!(now < deadline, "time goes forwards");
        now = deadline;
    }
    assert_eq!(next_due_details(&details, Instant::NEVER), None);
}

/// A message is set, and somebody is away or back; then it is stored, and the same when restored.
fn is_found_again<const MESSAGE: usize>(mut details: Details<MESSAGE>, now: Instant) {
    let is_out_of_office = !details.out_of_office().is_out_of_office;
    for command in [
        DetailsCommand::SetStatusMessage { text: "a", expires_at: Instant::NEVER },
        DetailsCommand::SetOutOfOffice(OutOfOffice { is_out_of_office, message: None }),
    ] {
        let decided = decide_details(details.at(now).expect("up to date"), command).expect("room");
        apply(&mut details, &decided.expect("something happens"));
    }
    restored_on_the_same_clock(&details, now).expect("up to date");
}

fn apply<const MESSAGE: usize>(details: &mut Details<MESSAGE>, transition: &DetailsTransition<'_>) {
    let (revision, version) = (details.revision(), details.version());
    assert_eq!(details.apply(transition), Ok(()));
    // At the end of numbers both stay.
    assert_eq!(details.revision(), revision.saturating_add(1), "revision (V2)");
    assert_eq!(details.version(), version.saturating_add(transition.is_visible().into()), "version (V1)");
}

/// Up to five flipped bits, wherever they are, are found, and so is what was cut off.
pub fn damage(stored: &[u8], bytes: &mut Unstructured<'_>) -> Result<()> {
    let mut damaged = stored.to_vec();
    for _ in 0..bytes.int_in_range(1..=5)? {
        let bit = bytes.choose_index(stored.len() * 8)?;
        // Never back: the same bit again is left as it is.
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
