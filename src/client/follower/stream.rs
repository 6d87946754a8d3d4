//! Following a feed: each event says what is known, and that the link lives.

use super::answers::Update;
use super::{Follower, Request};
use crate::client::feed::FeedEvent;
use crate::client::wait::{Pause, half};
use crate::graph::Resource;
use crate::graph::json::Value;
use crate::id::UserId;
use crate::presence::Presence;
use crate::time::{Duration, Instant};

/// The least pause before a feed is opened again, when the server says nothing.
pub(super) const RETRY: Duration = Duration::from_secs(3);
/// The bounds of what a server may say instead.
const RETRY_BOUNDS: [Duration; 2] = [Duration::from_secs(1), Duration::from_mins(5)];

/// The knowledge from a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct State {
    /// The presence and out of office, once known.
    known: Option<(Presence, bool)>,
    /// True from the end of a scan on, when changes follow.
    is_live: bool,
    /// True if something was heard since the last time that the server had to start over.
    has_begun: bool,
    /// The time until the lease is to be renewed.
    renewal: Pause,
}

impl State {
    pub(super) const NEW: Self = Self { known: None, is_live: false, has_begun: false, renewal: Pause::NONE };

    /// Reports whether the next stream goes on where the last one ended.
    pub(super) const fn resumes(&self) -> bool {
        self.has_begun
    }
}

impl<S: Copy> Follower<S> {
    /// Waits for the next sign of life.
    pub(super) fn listen(&mut self, now: Instant) {
        self.request = Request::Waiting(Pause::new(now, self.interval.saturating_add(half(self.interval))));
    }

    /// Takes an event of the feed, and returns what to do about it.
    ///
    /// The lease is renewed about once an interval while anything is heard, but never before all users were sent. After a presence
    /// of this user that is not understood, or too long, the feed starts over.
    pub fn heard(&mut self, now: Instant, event: &FeedEvent<'_>) -> Update<S> {
        let (Some(user), Request::Waiting(_)) = (self.user, self.request) else { return Update::NOTHING };
        self.listen(now);
        match *event {
            FeedEvent::StartOver => {
                self.feed = State { has_begun: true, ..State::NEW };
                Update::NOTHING
            }
            FeedEvent::Presence(object) => match read(object) {
                Some((id, presence)) if id == user => self.know(now, presence),
                Some(_) => self.renew(now),
                None => self.start_over(now),
            },
            // The id comes first in a presence object.
            FeedEvent::TooLong(beginning) if is_of(beginning, user) => self.start_over(now),
            FeedEvent::UpToDate if self.feed.has_begun => {
                self.feed.is_live = true;
                // Who was not sent has nothing to show.
                let known = self.feed.known.unwrap_or((Presence::Offline, false));
                self.know(now, known)
            }
            FeedEvent::Retry(after) => {
                let [least, most] = RETRY_BOUNDS;
                self.retry = after.clamp(least, most);
                self.renew(now)
            }
            FeedEvent::UpToDate | FeedEvent::Comment | FeedEvent::Other | FeedEvent::TooLong(_) => self.renew(now),
        }
    }

    fn know(&mut self, now: Instant, known: (Presence, bool)) -> Update<S> {
        self.feed.known = Some(known);
        self.feed.renewal = Pause::new(now, self.interval);
        self.mirror(now, known.0, known.1)
    }

    /// Renews the lease of what is known, if that is all there is to know and it is time.
    fn renew(&mut self, now: Instant) -> Update<S> {
        match self.feed.known {
            Some(known) if self.feed.is_live && self.feed.renewal.is_over(now) => self.know(now, known),
            _ => Update::NOTHING,
        }
    }

    /// Gives the stream up, whose next one starts over.
    fn start_over(&mut self, now: Instant) -> Update<S> {
        self.feed = State::NEW;
        self.failed(now);
        Update::NOTHING
    }
}

/// Reads a presence object of a feed: whose, the presence, and out of office.
fn read(object: &[u8]) -> Option<(UserId, (Presence, bool))> {
    let value = Value::parse(object).ok()?;
    let mut buffer = [0; 64];
    let id = value.member("id").ok()??.text(&mut buffer).ok()??;
    Some((id.parse().ok()?, Resource::read(value).ok()?))
}

/// Reports whether the beginning of a presence object has this user's id.
fn is_of(beginning: &[u8], user: UserId) -> bool {
    let text = beginning.strip_prefix(br#"{"id":""#).and_then(|rest| rest.get(..36));
    let id = text.and_then(|text| core::str::from_utf8(text).ok()?.parse().ok());
    id.is_none_or(|id: UserId| id == user)
}
