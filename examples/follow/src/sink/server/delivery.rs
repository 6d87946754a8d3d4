//! What a server is told and when, without I/O: `presence_core` says how long to wait after a failure.

use presence_core::client::{Follower, Reply, Step as Pace};
use presence_core::{Command, Duration, Instant, Policy, Presence, SessionId, keep_alive_interval};

/// The time for which a session lasts unless it is set again: the shortest that Graph allows.
const LEASE: Duration = Duration::from_mins(5);
/// The first pause after a failure.
const PAUSE: Duration = Duration::from_secs(10);

/// The next thing to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Send this command, and say how it went.
    Send(Command<SessionId>),
    /// Send nothing before this moment, unless there is something else to tell.
    Wait(Instant),
}

/// The session of an application on a server.
#[derive(Debug)]
pub(super) struct Delivery {
    session: SessionId,
    policy: &'static Policy,
    /// What the server is to be told; `None` if nothing is known, so that the session's lease runs out.
    wanted: Option<Presence>,
    /// What it has confirmed.
    told: Option<Presence>,
    /// The moment at which it is told again.
    again: Instant,
    /// The pauses between attempts to tell the same.
    attempts: Follower<()>,
    rejected: Option<Presence>,
}

impl Delivery {
    /// Creates a session that the server has not been told of; `policy` is what the server allows this application.
    pub(super) const fn new(session: SessionId, policy: &'static Policy) -> Self {
        let attempts = Self::attempts();
        Self { session, policy, wanted: None, told: None, again: Instant::ZERO, attempts, rejected: None }
    }

    const fn attempts() -> Follower<()> {
        Follower::new((), &Policy::MIRROR).with_interval(PAUSE)
    }

    /// Sets what the server is to be told. Returns a presence that it does not allow, once: it is not turned into another one, and
    /// what was told before ends with its lease (rule F1).
    pub(super) fn want(&mut self, presence: Option<Presence>) -> Option<Presence> {
        let is_allowed =
            |presence: &Presence| *presence == Presence::Offline || self.policy.sessions.contains(*presence);
        self.wanted = presence.filter(is_allowed);
        let rejected = presence.filter(|presence| !is_allowed(presence));
        let is_new = rejected != self.rejected;
        self.rejected = rejected;
        rejected.filter(|_| is_new)
    }

    /// Returns what to do at `now`; `random` is any number.
    pub(super) fn next(&mut self, now: Instant, random: u32) -> Step {
        let Some(presence) = self.wanted else { return Step::Wait(Instant::NEVER) };
        if self.told == self.wanted && !self.again.is_due(now) {
            return Step::Wait(self.again);
        }
        match self.attempts.next(now, random) {
            Pace::Ask { .. } => match Command::mirror(self.session, presence, Some(LEASE)) {
                Some(command) => Step::Send(command),
                None => Step::Wait(Instant::NEVER),
            },
            Pace::Wait(until) => Step::Wait(until),
        }
    }

    /// Records that the server has done what a command said.
    pub(super) fn succeeded(&mut self, now: Instant, command: &Command<SessionId>) {
        (self.told, self.again) = match command {
            Command::SetPresence { presence, .. } => (Some(*presence), now.saturating_add(keep_alive_interval(LEASE))),
            // What is gone stays gone.
            _ => (Some(Presence::Offline), Instant::NEVER),
        };
        self.attempts = Self::attempts();
    }

    /// Records that the server has not done it, and asks to wait, or that it does not answer.
    pub(super) fn failed(&mut self, now: Instant, retry_after: Option<Duration>) {
        let _ = self.attempts.answered(now, Reply::Failed { retry_after });
    }

    /// Returns the command with which a program that ends takes its session with it.
    pub(super) fn farewell(&self) -> Option<Command<SessionId>> {
        let has_session = self.told.is_some_and(|told| told != Presence::Offline);
        has_session.then_some(Command::ClearPresence { session: self.session })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const APPLICATION: SessionId = SessionId::from_bytes([7; 16]);

    fn at(seconds: u64) -> Instant {
        Instant::from_secs(seconds)
    }

    fn set(presence: Presence) -> Step {
        Step::Send(Command::SetPresence { session: APPLICATION, presence, lease: Some(Duration::from_mins(5)) })
    }

    fn clear() -> Step {
        Step::Send(Command::ClearPresence { session: APPLICATION })
    }

    /// Does the next step, which succeeds.
    fn tell(delivery: &mut Delivery, now: Instant) -> Step {
        let step = delivery.next(now, 0);
        if let Step::Send(command) = &step {
            delivery.succeeded(now, command);
        }
        step
    }

    #[test]
    fn a_session_is_renewed_before_its_lease_ends_and_a_change_goes_out_at_once() {
        let mut delivery = Delivery::new(APPLICATION, &Policy::GRAPH);
        assert_eq!(delivery.next(at(0), 0), Step::Wait(Instant::NEVER));
        assert_eq!(delivery.farewell(), None);
        assert_eq!(delivery.want(Some(Presence::InACall)), None);
        assert_eq!(tell(&mut delivery, at(1)), set(Presence::InACall));
        assert_eq!(tell(&mut delivery, at(2)), Step::Wait(at(201)));
        assert_eq!(tell(&mut delivery, at(201)), set(Presence::InACall));
        delivery.want(Some(Presence::Available));
        assert_eq!(tell(&mut delivery, at(202)), set(Presence::Available));
        assert_eq!(delivery.farewell(), Some(Command::ClearPresence { session: APPLICATION }));
        // Gone, and not said again.
        delivery.want(Some(Presence::Offline));
        assert_eq!(tell(&mut delivery, at(203)), clear());
        assert_eq!(tell(&mut delivery, at(10_000)), Step::Wait(Instant::NEVER));
        assert_eq!(delivery.farewell(), None);
    }

    #[test]
    fn p4_without_news_nothing_is_sent() {
        let mut delivery = Delivery::new(APPLICATION, &Policy::MIRROR);
        delivery.want(Some(Presence::Busy));
        assert_eq!(tell(&mut delivery, at(0)), set(Presence::Busy));
        delivery.want(None);
        assert_eq!(tell(&mut delivery, at(250)), Step::Wait(Instant::NEVER));
        delivery.want(Some(Presence::Busy));
        assert_eq!(tell(&mut delivery, at(400)), set(Presence::Busy));
    }

    #[test]
    fn f1_pauses_after_failures_grow_and_the_newest_presence_is_told() {
        let mut delivery = Delivery::new(APPLICATION, &Policy::GRAPH);
        delivery.want(Some(Presence::InACall));
        let mut now = at(0);
        for pause in [10, 20, 40, 80, 160, 240, 240] {
            assert_eq!(delivery.next(now, 0), set(Presence::InACall));
            delivery.failed(now, None);
            // A change does not make it shorter.
            delivery.want(Some(Presence::Available));
            delivery.want(Some(Presence::InACall));
            let end = now.saturating_add(Duration::from_secs(pause));
            assert_eq!(delivery.next(now, 0), Step::Wait(end));
            now = end;
        }
        delivery.want(Some(Presence::Away));
        assert_eq!(tell(&mut delivery, now), set(Presence::Away));
        // Another failure begins with the shortest pause again.
        delivery.want(Some(Presence::Available));
        assert_eq!(delivery.next(now, 0), set(Presence::Available));
        delivery.failed(now, None);
        assert_eq!(delivery.next(now, 0), Step::Wait(now.saturating_add(Duration::from_secs(10))));
    }

    /// A renewal that fails, or a presence that is not allowed, leaves the session that the server holds: the farewell clears it.
    #[test]
    fn the_farewell_clears_what_the_server_holds_whatever_has_failed_since() {
        let farewell = Some(Command::ClearPresence { session: APPLICATION });
        let mut delivery = Delivery::new(APPLICATION, &Policy::GRAPH);
        delivery.want(Some(Presence::InACall));
        assert_eq!(delivery.next(at(0), 0), set(Presence::InACall));
        delivery.failed(at(0), None);
        assert_eq!(delivery.farewell(), None, "nothing was told");
        assert_eq!(tell(&mut delivery, at(10)), set(Presence::InACall));
        for (seconds, wanted) in [(210, Presence::InACall), (240, Presence::Away), (300, Presence::Offline)] {
            delivery.want(Some(wanted));
            assert!(matches!(delivery.next(at(seconds), 0), Step::Send(_)), "{wanted}");
            delivery.failed(at(seconds), None);
            assert_eq!(delivery.farewell(), farewell, "{wanted}");
        }
        delivery.want(Some(Presence::Focusing));
        assert_eq!((delivery.next(at(400), 0), delivery.farewell()), (Step::Wait(Instant::NEVER), farewell));
        delivery.want(None);
        assert_eq!(delivery.farewell(), farewell);
    }

    #[test]
    fn f1_retry_after_is_kept_to() {
        let mut delivery = Delivery::new(APPLICATION, &Policy::GRAPH);
        delivery.want(Some(Presence::InACall));
        assert_eq!(delivery.next(at(0), 0), set(Presence::InACall));
        delivery.failed(at(0), Some(Duration::from_secs(90)));
        delivery.want(Some(Presence::Away));
        assert_eq!(delivery.next(at(1), 0), Step::Wait(at(90)));
        assert_eq!(tell(&mut delivery, at(90)), set(Presence::Away));
    }

    #[test]
    fn f1_what_the_server_does_not_allow_is_told_once_and_never_replaced() {
        let mut delivery = Delivery::new(APPLICATION, &Policy::GRAPH);
        delivery.want(Some(Presence::Available));
        tell(&mut delivery, at(0));
        assert_eq!(delivery.want(Some(Presence::InAMeeting)), Some(Presence::InAMeeting));
        assert_eq!(delivery.want(Some(Presence::InAMeeting)), None);
        // Nor is what was told before renewed.
        assert_eq!(delivery.next(at(300), 0), Step::Wait(Instant::NEVER));
        assert_eq!(delivery.want(Some(Presence::Available)), None);
        assert_eq!(delivery.want(Some(Presence::InAMeeting)), Some(Presence::InAMeeting));
        let mut other = Delivery::new(APPLICATION, &Policy::DESK);
        assert_eq!(other.want(Some(Presence::InAMeeting)), None);
        assert_eq!(other.want(Some(Presence::OffWork)), Some(Presence::OffWork));
    }
}
