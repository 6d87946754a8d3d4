//! An independent, naive reader of the format of details.

use super::model::{Millis, NEVER, instant, millis, saturated};
use crate::snapshot::format::{byte, number, verified};
use presence_core::details::{Details, LocationLayer, OutOfOffice, StatusMessage, WorkLocationType, WorkPlace};
use presence_core::{Duration, Instant};

/// The content of a snapshot of details. Times are distances from the moment of saving, in milliseconds.
#[derive(Debug)]
pub struct Decoded<'a> {
    pub revision: u64,
    pub version: u64,
    message: Option<Message<'a>>,
    is_out_of_office: bool,
    out_of_office: &'a str,
    places: Vec<Place<'a>>,
}

#[derive(Debug)]
struct Message<'a> {
    text: &'a str,
    /// Negative: before that moment.
    published: Millis,
    /// 0: never.
    ends: u64,
}

#[derive(Debug)]
struct Place<'a> {
    layer: LocationLayer,
    kind: WorkLocationType,
    id: &'a str,
    ends: u64,
}

/// Reads a length and so many bytes of UTF-8, at most `longest`.
fn text<'a>(bytes: &mut &'a [u8], longest: usize) -> Option<&'a str> {
    let length = number(bytes)?.try_into().ok().filter(|length| *length <= longest)?;
    std::str::from_utf8(bytes.split_off(..length)?).ok()
}

/// Returns an instant of a clock that read `then` at the moment of saving.
fn on_the_clock(then: Millis, distance: Millis) -> Instant {
    instant(saturated(then + distance))
}

fn deadline(then: Millis, left: u64) -> Instant {
    if left == 0 { Instant::NEVER } else { on_the_clock(then, left.into()) }
}

impl<'a> Decoded<'a> {
    /// Reads a snapshot of details with messages of at most `longest` bytes.
    pub fn read(bytes: &'a [u8], longest: usize) -> Option<Self> {
        let mut rest = verified(bytes)?;
        let rest = &mut rest;
        if rest.split_off(..2)? != [1, 0] {
            return None;
        }
        let flags = byte(rest)?;
        let is_set = |bit: u8| flags >> bit & 1 == 1;
        let (revision, version) = (number(rest)?, number(rest)?);
        let mut message = None;
        if is_set(0) {
            let text = text(rest, longest).filter(|text| !text.is_empty())?;
            let distance = Millis::from(number(rest)?);
            // Zero is encoded as before the moment.
            if is_set(1) && distance == 0 {
                return None;
            }
            message =
                Some(Message { text, published: if is_set(1) { distance } else { -distance }, ends: number(rest)? });
        }
        let out_of_office = text(rest, longest)?;
        let mut places = Vec::new();
        for (bit, layer) in (3..).zip(LocationLayer::ALL) {
            if is_set(bit) {
                let kind = match byte(rest)? {
                    1 => WorkLocationType::Office,
                    2 => WorkLocationType::Remote,
                    3 => WorkLocationType::TimeOff,
                    _ => return None,
                };
                places.push(Place { layer, kind, id: text(rest, WorkPlace::MAX_ID_LEN)?, ends: number(rest)? });
            }
        }
        let is_valid = is_set(7) && !is_set(6) && (is_set(0) || !is_set(1)) && version <= revision && rest.is_empty();
        let is_out_of_office = is_set(2);
        is_valid.then_some(Self { revision, version, message, is_out_of_office, out_of_office, places })
    }

    fn deadlines(&self) -> impl Iterator<Item = u64> {
        let message = self.message.iter().map(|message| message.ends);
        message.chain(self.places.iter().map(|place| place.ends)).filter(|left| *left > 0)
    }

    /// Reports whether no deadline fell before instant 0 of a clock.
    pub fn has_begun(&self, now: Instant, elapsed: Option<Duration>) -> bool {
        let then = millis(now) - Millis::from(elapsed.unwrap_or(Duration::ZERO).as_millis());
        self.deadlines().all(|left| then + Millis::from(left) >= 0)
    }

    /// Returns an instant at which a clock can express every distance exactly, if there is one (rule C3).
    pub fn ordinary_clock(&self) -> Option<Instant> {
        let published = self.message.as_ref().map_or(0, |message| message.published);
        let ahead = self.deadlines().map(Millis::from).chain([published]).max()?;
        let behind = (-published).max(0);
        (behind + ahead < NEVER).then(|| instant(behind))
    }

    /// Asserts that the content is these details, on this clock; the locations only after a gap of known length.
    pub fn assert_is<const MESSAGE: usize>(&self, real: &Details<MESSAGE>, now: Instant, elapsed: Option<Duration>) {
        let then = millis(now) - Millis::from(elapsed.unwrap_or(Duration::ZERO).as_millis());
        let message = self.message.as_ref().map(|message| StatusMessage {
            text: message.text,
            published_at: on_the_clock(then, message.published),
            expires_at: deadline(then, message.ends),
        });
        assert_eq!(real.status_message(), message, "status message (T1)");
        let text = Some(self.out_of_office).filter(|text| !text.is_empty());
        let out_of_office = OutOfOffice { is_out_of_office: self.is_out_of_office, message: text };
        assert_eq!(real.out_of_office(), out_of_office, "out of office (O1)");
        for layer in LocationLayer::ALL {
            let stored = self.places.iter().find(|place| place.layer == layer && elapsed.is_some());
            let place = stored.map(|stored| {
                let id = Some(stored.id).filter(|id| !id.is_empty());
                (WorkPlace { kind: stored.kind, id }, deadline(then, stored.ends))
            });
            assert_eq!(real.place(layer), place, "{layer:?} (W1)");
        }
    }
}
