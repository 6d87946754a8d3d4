//! The model of one user: independent of the library, and fast enough for millions of commands.

use presence_core::Presence::{self, *};
use presence_core::{Absence, Cause, Command, CommandError, Duration, Instant, Layer, User};

/// The most sessions of a user; there is one application more.
pub const SESSIONS: usize = 3;
const IDS: usize = 4;

/// An instant later than all others.
pub const NEVER: u64 = u64::MAX;

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The table of section 2, weakest first.
const WEAKEST_FIRST: [Presence; 15] = [
    Unknown,
    Offline,
    OffWork,
    Away,
    BeRightBack,
    AvailableInactive,
    Available,
    Busy,
    InAMeeting,
    InACall,
    InAConferenceCall,
    DoNotDisturb,
    Focusing,
    UrgentInterruptionsOnly,
    Presenting,
];

/// The rank of each presence in that table.
const STRENGTH: [u8; 15] = {
    let (mut strength, mut rank) = ([0; 15], 0);
    while rank < 15 {
        strength[WEAKEST_FIRST[rank] as usize] = rank as u8;
        rank += 1;
    }
    strength
};

/// A session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    presence: Presence,
    /// The instant of its second fade, if it has one.
    second_fade: u64,
    ends: u64,
    /// The instant of its next change: a fade, or its end.
    next: u64,
}

impl Session {
    /// Creates a session. Rules S1 to S3.
    fn set(presence: Presence, now: u64, lease: u64) -> Self {
        let ends = now + lease;
        let fades = if presence == Available { now + 5 * MINUTE } else { NEVER };
        Self { presence, second_fade: now + 10 * MINUTE, ends, next: fades.min(ends) }
    }

    /// Returns the session after its next change; `None` if it ends. Rules S3, S4.
    fn changed(self) -> Option<Self> {
        match self.presence {
            _ if self.next >= self.ends => None,
            Available => Some(Self { presence: AvailableInactive, next: self.second_fade.min(self.ends), ..self }),
            _ => Some(Self { presence: Away, next: self.ends, ..self }),
        }
    }
}

/// The next thing due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Session { strength: u8, id: usize },
    Preferred,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    sessions: [Option<Session>; IDS],
    preferred: Option<(Presence, u64)>,
    absence: Absence,
    pub since: Option<u64>,
    pub published: Presence,
    pub revision: u64,
    pub version: u64,
    /// The first deadline.
    pub deadline: u64,
}

/// The expected content of a transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    pub at: u64,
    pub revision: u64,
    pub before: Presence,
    pub after: Presence,
    pub cause: Cause,
}

impl Person {
    pub const fn with_version(number: u64) -> Self {
        Self {
            sessions: [None; IDS],
            preferred: None,
            absence: Absence::NeverSeen,
            since: None,
            published: Offline,
            revision: number,
            version: number,
            deadline: NEVER,
        }
    }

    const fn has_session(&self) -> bool {
        // Called so often that an iterator would be slow where nothing is inlined.
        let [one, two, three, four] = &self.sessions;
        one.is_some() || two.is_some() || three.is_some() || four.is_some()
    }

    /// Reports whether nothing is stored. Rule M5.
    fn is_empty(&self) -> bool {
        self.preferred.is_none() && !self.has_session()
    }

    /// Returns since when nothing has been stored, which is the order of eviction. Rule M5.
    pub fn empty_since(&self) -> Option<u64> {
        self.is_empty().then(|| self.since.unwrap_or(0))
    }

    /// Returns the published presence. Rules A1 to A3.
    fn aggregate(&self) -> Presence {
        let mut strongest = None;
        for session in self.sessions.iter().flatten() {
            strongest = strongest.max(Some(STRENGTH[session.presence as usize]));
        }
        match (strongest, self.preferred) {
            (None, _) => Offline,
            (_, Some((preferred, _))) => preferred,
            (Some(strongest), None) => WEAKEST_FIRST[usize::from(strongest)],
        }
    }

    /// Returns the first thing due: by deadline; then sessions, the weakest first, then the smaller id; the preferred presence
    /// last. Rule S8.
    fn first_due(&self) -> Option<(u64, Due)> {
        let mut first = self.preferred.map(|(_, until)| (until, Due::Preferred));
        for (id, session) in self.sessions.iter().enumerate() {
            if let Some(session) = session {
                let due = (session.next, Due::Session { strength: STRENGTH[session.presence as usize], id });
                first = Some(first.map_or(due, |first| first.min(due)));
            }
        }
        first
    }

    /// Executes what is due first. Rules S2 to S4, S8, U5.
    pub fn advance(&mut self) -> Option<Event> {
        let (at, due) = self.first_due()?;
        let cause = match due {
            Due::Preferred => {
                self.preferred = None;
                Cause::PreferredExpired
            }
            Due::Session { id, .. } => {
                self.sessions[id] = self.sessions[id].and_then(Session::changed);
                if self.sessions[id].is_some() { Cause::Faded } else { Cause::Expired }
            }
        };
        Some(self.record(at, cause))
    }

    /// Records a change. Rules V1, V2, A4, A5.
    fn record(&mut self, at: u64, cause: Cause) -> Event {
        let event = Event { at, revision: self.revision, before: self.published, after: self.aggregate(), cause };
        match cause {
            Cause::Cleared => self.absence = Absence::Cleared,
            Cause::Expired => self.absence = Absence::Expired,
            _ => {}
        }
        self.revision += 1;
        if event.before != event.after {
            self.version += 1;
            self.since = Some(at);
            self.published = event.after;
        }
        self.deadline = self.first_due().map_or(NEVER, |(at, _)| at);
        event
    }

    /// Executes a command; `None` if it succeeds and nothing changes. Errors: rules P1, S2, U2.
    pub fn command(&mut self, now: u64, command: Command<u8>) -> Result<Option<Event>, CommandError> {
        let cause = match command {
            Command::SetPresence { session, presence, lease } => {
                let lease = lease.map_or(5 * MINUTE, Duration::as_millis);
                if !(5 * MINUTE..=4 * HOUR).contains(&lease) {
                    return Err(CommandError::Lease);
                }
                if !matches!(presence, Available | InACall | InAConferenceCall | Away | Presenting) {
                    return Err(CommandError::Presence);
                }
                let id = usize::from(session);
                if self.sessions[id].is_none() && self.sessions.iter().flatten().count() == SESSIONS {
                    return Err(CommandError::SessionsFull);
                }
                self.sessions[id] = Some(Session::set(presence, now, lease));
                Cause::Set
            }
            Command::ClearPresence { session } => {
                self.sessions[usize::from(session)].take().ok_or(CommandError::NotFound)?;
                Cause::Cleared
            }
            Command::SetPreferredPresence { presence, duration } => {
                let default = if matches!(presence, Busy | DoNotDisturb) { DAY } else { 7 * DAY };
                let duration = duration.map_or(default, Duration::as_millis);
                if !(1..=366 * DAY).contains(&duration) {
                    return Err(CommandError::PreferredDuration);
                }
                if !matches!(presence, Available | Busy | DoNotDisturb | BeRightBack | Away | OffWork) {
                    return Err(CommandError::PreferredPresence);
                }
                self.preferred = Some((presence, now + duration));
                Cause::PreferredSet
            }
            Command::ClearPreferredPresence => {
                if self.preferred.take().is_none() {
                    return Ok(None);
                }
                Cause::PreferredCleared
            }
        };
        Ok(Some(self.record(now, cause)))
    }

    /// Sets a clock that read `from` to `to`; the caller counts the revision. Rule C2.
    pub fn shift(&mut self, from: u64, to: u64) {
        let shifted = |at: u64| if at == NEVER { NEVER } else { (at + to).saturating_sub(from) };
        for session in self.sessions.iter_mut().flatten() {
            session.second_fade = shifted(session.second_fade);
            session.ends = shifted(session.ends);
            session.next = shifted(session.next);
        }
        self.preferred = self.preferred.map(|(presence, until)| (presence, shifted(until)));
        self.since = self.since.map(shifted);
        self.deadline = shifted(self.deadline);
    }

    /// Restarts after a gap of unknown length. Rules A5, V1, V2.
    pub fn lose_sessions(&mut self, now: u64) {
        if self.has_session() {
            self.sessions = [None; IDS];
            self.absence = Absence::Lost;
        }
        if self.published != Offline {
            self.since = Some(now);
        }
        self.published = Offline;
        self.revision += 65_536;
        self.version += 65_536;
        self.deadline = self.first_due().map_or(NEVER, |(at, _)| at);
    }

    /// Returns the layer that decides. Rule A4.
    fn layer(&self) -> Layer<u8> {
        let sessions = self.sessions.iter().enumerate().filter_map(|(id, session)| session.map(|one| (id, one)));
        let strongest = sessions.max_by_key(|(id, one)| (STRENGTH[one.presence as usize], one.ends, IDS - id));
        match strongest {
            None => Layer::Nothing(self.absence),
            Some(_) if self.preferred.is_some() => Layer::Preferred,
            Some((id, _)) => Layer::Session(id as u8),
        }
    }

    /// Asserts that the library has the same user, member by member.
    pub fn assert_same(&self, user: &User<u8, SESSIONS>) {
        let mut stored = user.sessions().iter();
        for (id, session) in self.sessions.iter().enumerate() {
            let Some(session) = session else { continue };
            let one = stored.next().expect("a session is missing");
            let next = one.fades_at().unwrap_or(one.expires_at()).as_millis();
            let found = (usize::from(one.id()), one.presence(), one.expires_at().as_millis(), next);
            assert_eq!(found, (id, session.presence, session.ends, session.next), "id, presence, end, next change");
        }
        assert!(stored.next().is_none(), "a session too many");
        let preferred = user.preferred().map(|one| (one.presence(), one.expires_at().as_millis()));
        assert_eq!(preferred, self.preferred, "preferred");
        assert_eq!(user.presence(), self.published, "published (M4, A1 to A3)");
        assert_eq!(user.absence(), (!self.has_session()).then_some(self.absence), "absence (A5)");
        assert_eq!(user.since().map(Instant::as_millis), self.since, "since (A4)");
        assert_eq!((user.version(), user.revision()), (self.version, self.revision), "version, revision (V1, V2)");
        let deadline = user.next_deadline().map_or(NEVER, Instant::as_millis);
        assert_eq!(deadline, self.deadline, "next deadline");
        let why = user.explain(&presence_core::Policy::GRAPH);
        assert_eq!((why.presence, why.layer), (self.published, self.layer()), "explanation (A4)");
    }
}
