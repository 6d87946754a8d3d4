//! What the model knows of a user, and how a server must show it.

use crate::shard::details::UserDetails;
use crate::shard::job::{UserExplanation, UserView};
use presence_core::{Absence, Layer, SessionId};
use support::model::details::{Details, Visible};
use support::model::user::User;
use support::model::{Rules, graph, instant};

pub(super) fn session(number: u8) -> SessionId {
    SessionId::from_bytes([number; 16])
}

/// What the model knows of a user.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) user: User,
    pub(super) details: Details,
    pub(super) creator: Option<SessionId>,
    /// The version from which those of the user and of its details are counted; unknown while nothing was recorded.
    base: Option<u64>,
    /// The greatest version that was ever shown.
    pub(super) shown: u64,
    /// What was forgotten of an idle user at a start.
    pub(super) forgotten: Option<Box<Known>>,
}

impl Known {
    pub(super) fn advance(&mut self, rules: &Rules, now: u64) {
        self.user.advance(rules, now.into());
        self.details.advance(now);
        if self.is_empty() {
            self.creator = None;
        }
    }

    /// Reports whether nothing is stored but a version and how the last session ended.
    pub(super) fn is_empty(&self) -> bool {
        self.user.is_empty() && self.details.is_empty()
    }

    /// Reports whether there is nothing to record, or no record any more.
    pub(super) fn is_unknown(&self) -> bool {
        self.is_empty() && self.user.revision == 0 && self.details.version == 0
    }

    /// Reports whether a user without a record would read otherwise.
    pub(super) fn is_noticed(&self) -> bool {
        let counted = self.base.unwrap_or(0) + self.user.version + self.details.version;
        counted > 0 || !self.is_empty() || self.user.absence != Absence::NeverSeen
    }

    /// Executes something; a user of whom nothing was stored counts for the caller then.
    pub(super) fn act(&mut self, caller: Option<SessionId>, act: impl FnOnce(&mut Self)) {
        let was_empty = self.is_empty();
        act(self);
        if self.is_empty() {
            self.creator = None;
        } else if was_empty {
            self.creator = caller;
        }
    }

    pub(super) fn erase(&mut self) {
        if self.is_unknown() {
            return;
        }
        let had_details = self.details.erase();
        let rules = graph();
        let is_counted = self.user.erase(&rules);
        self.details.version += u64::from(had_details && !is_counted);
        self.creator = None;
    }

    /// Follows an eviction of an idle user. If it was for want of slots at a start, a later start may find the user in the journal,
    /// as it was.
    pub(super) fn follow_eviction(
        &mut self,
        may_evict: bool,
        is_start: bool,
        (view, explained): &(UserView, UserExplanation),
    ) {
        let is_new = is_new(view, explained);
        if may_evict && is_new && self.is_empty() && self.is_noticed() {
            let (shown, earlier) = (self.shown, std::mem::take(self));
            self.shown = shown;
            self.forgotten = is_start.then(|| Box::new(earlier));
        } else if !is_new && self.is_unknown() && is_start {
            *self = *self.forgotten.take().expect("nothing of it is in the journal");
        }
    }

    pub(super) fn compare(&mut self, rules: &Rules, is_scarce: bool, (view, explained): &(UserView, UserExplanation)) {
        let user = view.user;
        let version = view.version + view.details.as_ref().map_or(0, |details| details.version());
        let counted = self.user.version + self.details.version;
        if version + counted > 0 {
            let base = *self.base.get_or_insert(version.checked_sub(counted).expect("a version goes on"));
            assert_eq!(version, base + counted, "the version of {user}");
            assert!(base == 0 || is_scarce, "nobody was forgotten, but {user} counts from {base}");
            assert!(version >= self.shown, "{user} has version {version} after {}", self.shown);
        }
        self.shown = self.shown.max(version);
        assert_eq!(view.presence, self.user.presence(rules), "the presence of {user}");
        let visible = view.details.as_deref().map(visible).unwrap_or_default();
        assert_eq!(visible, self.details.visible(), "the details of {user}");
        self.compare_explained(rules, explained);
    }

    fn compare_explained(&self, rules: &Rules, explained: &UserExplanation) {
        let why = self.user.explain(rules);
        let layer = match why.layer {
            Layer::Nothing(absence) => Layer::Nothing(absence),
            Layer::Preferred => Layer::Preferred,
            Layer::Session(number) => Layer::Session(session(number)),
        };
        let found = explained.why;
        let expected = (why.presence, layer, why.since, why.next);
        assert_eq!((found.presence, found.layer, found.since, found.next), expected, "why {} is so", explained.user);
        assert_eq!(explained.absence, self.user.sessions.is_empty().then_some(self.user.absence));
        let preferred = explained.preferred.map(|preferred| (preferred.presence(), preferred.expires_at()));
        assert_eq!(preferred, self.user.preferred.map(|(presence, until)| (presence, instant(until))));
        let found: Vec<_> = explained
            .sessions
            .iter()
            .map(|session| (session.id(), session.presence(), session.expires_at(), session.fades_at()))
            .collect();
        let expected: Vec<_> = self
            .user
            .sessions
            .iter()
            .map(|(number, said)| {
                let fades_at = said.fades_at(rules).map(instant);
                (session(*number), said.presence(rules), instant(said.expires_at()), fades_at)
            })
            .collect();
        assert_eq!(found, expected, "the sessions of {}", explained.user);
    }
}

/// Reports whether a user reads as one who was never seen.
pub(super) fn is_new(view: &UserView, explained: &UserExplanation) -> bool {
    view.version == 0
        && view.details.is_none()
        && explained.absence == Some(Absence::NeverSeen)
        && explained.preferred.is_none()
        && explained.why.since.is_none()
}

/// Returns what others see of details.
fn visible(details: &UserDetails) -> Visible {
    let message = details
        .status_message()
        .map(|message| (message.text.to_owned(), message.published_at.as_millis(), message.expires_at.as_millis()));
    let out = details.out_of_office();
    let location = details.work_location().map(|location| {
        (location.place.kind, location.place.id.unwrap_or_default().to_owned(), location.source as usize)
    });
    (message, (out.is_out_of_office, out.message.unwrap_or_default().to_owned()), location)
}
