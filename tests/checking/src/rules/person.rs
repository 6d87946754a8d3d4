//! One user as the rules know it, and its changes.

use super::{Event, Numbers, Said, Session, strength};
use presence_core::Presence::{self, Offline};
use presence_core::{Absence, Cause, Command, CommandError, Explanation, Instant, Layer};
use std::ops::RangeInclusive;

/// A user who can have so many different sessions. Rule M1.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Person<const IDS: usize> {
    pub sessions: [Option<Session>; IDS],
    pub preferred: Option<(Presence, u64)>,
    pub absence: Absence,
    pub since: Option<u64>,
    pub version: u64,
    pub revision: u64,
}

/// The next change by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Session { strength: usize, id: usize },
    Preferred,
}

impl<const IDS: usize> Person<IDS> {
    pub const NEW: Self = Self {
        sessions: [None; IDS],
        preferred: None,
        absence: Absence::NeverSeen,
        since: None,
        version: 0,
        revision: 0,
    };

    pub fn has_session(&self) -> bool {
        self.sessions.iter().any(Option::is_some)
    }

    /// Rule M5.
    pub fn is_empty(&self) -> bool {
        !self.has_session() && self.preferred.is_none()
    }

    /// Rules A1 to A3.
    pub fn published(&self) -> Presence {
        if !self.has_session() {
            return Offline;
        }
        if let Some((preferred, _)) = self.preferred {
            return preferred;
        }
        let presences = self.sessions.iter().flatten().map(|session| session.presence);
        presences.max_by_key(|presence| strength(*presence)).unwrap_or(Offline)
    }

    /// Rule S8: by deadline; at one instant sessions first, the weakest first, then the smaller id, the preferred last.
    fn first_due(&self) -> Option<(u64, Due)> {
        let sessions = self.sessions.iter().enumerate().filter_map(|(id, session)| {
            session.map(|session| (session.until, Due::Session { strength: strength(session.presence), id }))
        });
        sessions.chain(self.preferred.map(|(_, until)| (until, Due::Preferred))).min()
    }

    pub fn next_deadline(&self) -> Option<u64> {
        self.first_due().map(|(at, _)| at)
    }

    /// Applies the first change that is due at `now`. Rules S2 to S4, S8, U5.
    pub fn step(&mut self, numbers: &Numbers, now: u64) -> Option<Event> {
        let (at, due) = self.first_due().filter(|(at, _)| now >= *at)?;
        Some(match due {
            Due::Preferred => self.note(at, Cause::PreferredExpired, |person| person.preferred = None),
            Due::Session { id, .. } => {
                let next = self.sessions[id].and_then(|session| Session::after(numbers, session.said, at));
                let cause = if next.is_some() { Cause::Faded } else { Cause::Expired };
                self.note(at, cause, |person| person.sessions[id] = next)
            }
        })
    }

    /// Returns the same person with everything applied that is due at a moment.
    pub fn at(&self, numbers: &Numbers, now: u64) -> Self {
        let mut person = self.clone();
        while person.step(numbers, now).is_some() {}
        person
    }

    /// Changes something, and counts it if it is visible. Rules A4, A5, V1, V2.
    fn note(&mut self, at: u64, cause: Cause, change: impl FnOnce(&mut Self)) -> Event {
        let (before, had_session) = (self.published(), self.has_session());
        change(self);
        let event = Event { at, before, after: self.published(), cause };
        if had_session && !self.has_session() {
            self.absence = if cause == Cause::Cleared { Absence::Cleared } else { Absence::Expired };
        }
        self.revision += 1;
        if event.is_visible() {
            self.version += 1;
            self.since = Some(at);
        }
        event
    }

    /// Returns the error of a command, if it is rejected, for a user of up to so many sessions. Rules P1, S2, S5, S9, U2, H2.
    pub fn error(&self, numbers: &Numbers, most: usize, command: Command<u8>) -> Option<CommandError> {
        let within = |asked: Option<presence_core::Duration>, range: &RangeInclusive<u64>| {
            asked.is_none_or(|asked| range.contains(&asked.as_millis()))
        };
        match command {
            Command::SetPresence { lease, .. } if !within(lease, &numbers.leases) => Some(CommandError::Lease),
            Command::SetPresence { presence, .. } if !numbers.sessions.contains(&presence) => {
                Some(CommandError::Presence)
            }
            Command::SetPresence { session, .. } => {
                let is_new = self.sessions[usize::from(session)].is_none();
                let is_full = self.sessions.iter().flatten().count() >= most;
                (is_new && is_full).then_some(CommandError::SessionsFull)
            }
            Command::ClearPresence { session } => {
                self.sessions[usize::from(session)].is_none().then_some(CommandError::NotFound)
            }
            Command::SetPreferredPresence { duration, .. } if !within(duration, &numbers.preferred_durations) => {
                Some(CommandError::PreferredDuration)
            }
            Command::SetPreferredPresence { presence, .. } => {
                (!numbers.preferred.contains(&presence)).then_some(CommandError::PreferredPresence)
            }
            Command::ClearPreferredPresence => None,
        }
    }

    /// Applies a command that is not rejected, at a moment at which nothing is overdue. `None`: it succeeds and nothing
    /// happens. Rules S1, S5, U1, U4.
    pub fn command(&mut self, numbers: &Numbers, now: u64, command: Command<u8>) -> Option<Event> {
        self.command_under(numbers, numbers, now, command)
    }

    /// The same of an application with numbers of its own; how a session fades is said by the usual ones. Rules P2, P4.
    pub fn command_under(
        &mut self,
        usual: &Numbers,
        numbers: &Numbers,
        now: u64,
        command: Command<u8>,
    ) -> Option<Event> {
        match command {
            Command::SetPresence { session, presence, lease } => {
                let is_steady = numbers.fades.is_none();
                let said = Said { presence, at: now, lease: numbers.lease(lease), is_steady };
                let session_now = Session::new(usual, said);
                let id = usize::from(session);
                Some(self.note(now, Cause::Set, |person| person.sessions[id] = Some(session_now)))
            }
            Command::ClearPresence { session } => {
                Some(self.note(now, Cause::Cleared, |person| person.sessions[usize::from(session)] = None))
            }
            Command::SetPreferredPresence { presence, duration } => {
                let is_brief = numbers.brief.contains(&presence);
                let default = if is_brief { numbers.brief_duration } else { numbers.preferred_duration };
                let until = now + duration.map_or(default, presence_core::Duration::as_millis);
                Some(self.note(now, Cause::PreferredSet, |person| person.preferred = Some((presence, until))))
            }
            Command::ClearPreferredPresence => {
                self.preferred?;
                Some(self.note(now, Cause::PreferredCleared, |person| person.preferred = None))
            }
        }
    }

    /// Rule A4: the strongest session decides, then the one that lasts longest, then the smaller id.
    fn layer(&self) -> Layer<u8> {
        if !self.has_session() {
            return Layer::Nothing(self.absence);
        }
        if self.preferred.is_some() {
            return Layer::Preferred;
        }
        let sessions = self.sessions.iter().enumerate().filter_map(|(id, session)| session.map(|one| (id, one)));
        let deciding =
            sessions.max_by_key(|(id, one)| (strength(one.presence), one.said.ends(), std::cmp::Reverse(*id)));
        Layer::Session(deciding.map_or(0, |(id, _)| id as u8))
    }

    /// Rule A4.
    pub fn explanation(&self, numbers: &Numbers) -> Explanation<u8> {
        let mut later = self.clone();
        let next = loop {
            match later.step(numbers, u64::MAX) {
                Some(event) if event.is_visible() => break Some((Instant::from_millis(event.at), event.after)),
                Some(_) => {}
                None => break None,
            }
        };
        let since = self.since.map(Instant::from_millis);
        Explanation { presence: self.published(), layer: self.layer(), since, next }
    }
}
