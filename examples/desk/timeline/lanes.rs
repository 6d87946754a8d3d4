//! Replays a user's transitions into lanes: the presences of each session over time, and whether they decided.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use presence_core::{Change, Preferred, Presence, Session, SessionId, Transition};

use super::axis::Axis;

/// The state of a lane at an instant.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct State {
    /// The presence; `None` is no news.
    pub(super) presence: Option<Presence>,
    pub(super) decides: bool,
}

/// The way in which a state ended.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum End {
    Changed,
    Cleared,
    Expired,
}

/// A stretch of time in which the state of a lane is the same.
pub(super) struct Piece {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) state: State,
    pub(super) end: End,
}

/// The lane of a session, or of the preferred or published presence.
#[derive(Default)]
pub(super) struct Lane {
    pub(super) pieces: Vec<Piece>,
    open: Option<(u64, State)>,
    /// The instants at which it was set, keep-alives included.
    pub(super) sets: Vec<u64>,
}

impl Lane {
    /// Changes the state from an instant on.
    fn set(&mut self, at: u64, state: Option<State>, end: End) {
        if self.open.map(|(_, state)| state) == state {
            return;
        }
        if let Some((from, before)) = self.open.take().filter(|(from, _)| *from < at) {
            self.pieces.push(Piece { from, to: at, state: before, end });
        }
        self.open = state.map(|state| (at, state));
    }
}

/// The lanes of one user.
#[derive(Default)]
pub(super) struct Lanes {
    /// The sessions, in the order in which they were first set.
    pub(super) sessions: Vec<(SessionId, Lane)>,
    pub(super) preferred: Lane,
    pub(super) published: Lane,
}

impl Lanes {
    /// Replays transitions.
    pub(super) fn of(transitions: &[Transition<SessionId>], axis: &Axis) -> Self {
        let mut lanes = Self::default();
        let mut sessions: BTreeMap<SessionId, Session<SessionId>> = BTreeMap::new();
        let mut preferred: Option<Preferred> = None;
        // Offline after the last session was cleared; no news before the first one, and after one that expired.
        let mut is_signed_out = false;
        let first = transitions.first().map(Transition::before);
        let before = first.filter(|presence| *presence != Presence::Offline);
        lanes.published.set(axis.start, Some(State { presence: before, decides: true }), End::Changed);
        for transition in transitions {
            let at = transition.at().as_millis();
            let (mut subject, mut end) = (None, End::Changed);
            match transition.change() {
                Change::Set(session) | Change::Faded(session) => {
                    subject = Some(session.id());
                    sessions.insert(session.id(), session);
                    let lane = lanes.lane(session.id());
                    if matches!(transition.change(), Change::Set(_)) {
                        lane.sets.push(at);
                    }
                }
                Change::Cleared(id) => {
                    (subject, end) = (Some(id), End::Cleared);
                    sessions.remove(&id);
                }
                Change::Expired(id) => {
                    (subject, end) = (Some(id), End::Expired);
                    sessions.remove(&id);
                }
                Change::PreferredSet(new) => {
                    preferred = Some(new);
                    lanes.preferred.sets.push(at);
                }
                Change::PreferredCleared => (preferred, end) = (None, End::Cleared),
                Change::PreferredExpired => (preferred, end) = (None, End::Expired),
            }
            let strongest =
                |session: &&Session<SessionId>| (session.presence(), session.expires_at(), Reverse(session.id()));
            let decides = sessions.values().max_by_key(strongest).map(Session::id).filter(|_| preferred.is_none());
            for (id, lane) in &mut lanes.sessions {
                let state = sessions.get(id).map(|session| (session.presence(), decides == Some(*id)));
                let ended = if subject == Some(*id) { end } else { End::Changed };
                lane.set(at, state.map(|(presence, decides)| State { presence: Some(presence), decides }), ended);
            }
            let wanted =
                preferred.map(|wanted| State { presence: Some(wanted.presence()), decides: !sessions.is_empty() });
            lanes.preferred.set(at, wanted, if subject.is_none() { end } else { End::Changed });
            if subject.is_some() && sessions.is_empty() {
                is_signed_out = end == End::Cleared;
            }
            let presence = Some(transition.after()).filter(|presence| *presence != Presence::Offline || is_signed_out);
            lanes.published.set(at, Some(State { presence, decides: true }), End::Changed);
        }
        let all = lanes.sessions.iter_mut().map(|(_, lane)| lane);
        for lane in all.chain([&mut lanes.preferred, &mut lanes.published]) {
            lane.set(axis.end, None, End::Changed);
        }
        lanes
    }

    fn lane(&mut self, id: SessionId) -> &mut Lane {
        let index = self.sessions.iter().position(|(known, _)| *known == id).unwrap_or_else(|| {
            self.sessions.push((id, Lane::default()));
            self.sessions.len() - 1
        });
        &mut self.sessions[index].1
    }
}
