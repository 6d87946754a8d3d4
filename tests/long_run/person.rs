//! What is known of one user, from what was said and when: independent of the library, and quick enough for millions.

use presence_core::Presence::{self, *};
use presence_core::{Absence, Cause, Command, CommandError, Duration, Instant, Layer, User};

/// Sessions a user has room for; there is one application more.
pub const SESSIONS: usize = 3;
const IDS: usize = 4;

/// Later than anything.
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

/// The place of each presence in that table.
const STRENGTH: [u8; 15] = {
    let (mut strength, mut place) = ([0; 15], 0);
    while place < 15 {
        strength[WEAKEST_FIRST[place] as usize] = place as u8;
        place += 1;
    }
    strength
};

/// A session: what was said, and what has become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    shown: Presence,
    /// When it fades for the second time, if it does.
    second_fade: u64,
    ends: u64,
    /// When it changes next: its next fade, or its end.
    next: u64,
}

impl Session {
    /// Rules S1 to S3.
    fn set(presence: Presence, now: u64, lease: u64) -> Self {
        let ends = now + lease;
        let fades = if presence == Available { now + 5 * MINUTE } else { NEVER };
        Self { shown: presence, second_fade: now + 10 * MINUTE, ends, next: fades.min(ends) }
    }

    /// What it is after its next change; `None` when it is gone. Rules S3, S4.
    fn changed(self) -> Option<Self> {
        match self.shown {
            _ if self.next >= self.ends => None,
            Available => Some(Self { shown: AvailableInactive, next: self.second_fade.min(self.ends), ..self }),
            _ => Some(Self { shown: Away, next: self.ends, ..self }),
        }
    }
}

/// What happens next by itself.
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
    /// When something happens next by itself.
    pub deadline: u64,
}

/// What a transition has to say.
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
        // Asked so often that an iterator would be felt where nothing is inlined.
        let [one, two, three, four] = &self.sessions;
        one.is_some() || two.is_some() || three.is_some() || four.is_some()
    }

    /// Rule M5.
    fn is_empty(&self) -> bool {
        self.preferred.is_none() && !self.has_session()
    }

    /// Since when nothing has been stored: whoever has been so for longest is the first to be forgotten. Rule M5.
    pub fn empty_since(&self) -> Option<u64> {
        self.is_empty().then(|| self.since.unwrap_or(0))
    }

    /// Rules A1 to A3.
    fn aggregate(&self) -> Presence {
        let mut strongest = None;
        for session in self.sessions.iter().flatten() {
            strongest = strongest.max(Some(STRENGTH[session.shown as usize]));
        }
        match (strongest, self.preferred) {
            (None, _) => Offline,
            (_, Some((preferred, _))) => preferred,
            (Some(strongest), None) => WEAKEST_FIRST[usize::from(strongest)],
        }
    }

    /// Rule S8: by deadline; then sessions, the weakest first, then the smaller id; the preferred presence last.
    fn first_due(&self) -> Option<(u64, Due)> {
        let mut first = self.preferred.map(|(_, until)| (until, Due::Preferred));
        for (id, session) in self.sessions.iter().enumerate() {
            if let Some(session) = session {
                let due = (session.next, Due::Session { strength: STRENGTH[session.shown as usize], id });
                first = Some(first.map_or(due, |first| first.min(due)));
            }
        }
        first
    }

    /// Carries out what is due first. Rules S2 to S4, S8, U5.
    pub fn pass(&mut self) -> Option<Event> {
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
        Some(self.note(at, cause))
    }

    /// After a change: what could be seen of it. Rules V1, V2, A4, A5.
    fn note(&mut self, at: u64, cause: Cause) -> Event {
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

    /// Carries out a command, or says why not; `None` when it succeeds and nothing happens. What the policy refuses: rules
    /// P1, S2, U2.
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
        Ok(Some(self.note(now, cause)))
    }

    /// The clock that read `from` reads `to`. Rule C2. Whatever counts as a revision is the caller's business.
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

    /// A gap of unknown length: what is not known is not shown, and no number gets a second meaning. Rules A5, V1, V2.
    pub fn lose_sessions(&mut self, now: u64) {
        if self.has_session() {
            self.sessions = [None; IDS];
            self.absence = Absence::Lost;
        }
        if self.published != Offline {
            self.since = Some(now);
        }
        self.published = Offline;
        self.revision += presence_core::snapshot::VERSION_GAP;
        self.version += presence_core::snapshot::VERSION_GAP;
        self.deadline = self.first_due().map_or(NEVER, |(at, _)| at);
    }

    /// Rule A4.
    fn layer(&self) -> Layer<u8> {
        let sessions = self.sessions.iter().enumerate().filter_map(|(id, session)| session.map(|one| (id, one)));
        let strongest = sessions.max_by_key(|(id, one)| (STRENGTH[one.shown as usize], one.ends, IDS - id));
        match strongest {
            None => Layer::Nothing(self.absence),
            Some(_) if self.preferred.is_some() => Layer::Preferred,
            Some((id, _)) => Layer::Session(id as u8),
        }
    }

    /// The library has to hold the same, every member of it.
    pub fn assert_same(&self, user: &User<u8, SESSIONS>) {
        let mut held = user.sessions().iter();
        for (id, session) in self.sessions.iter().enumerate() {
            let Some(session) = session else { continue };
            let one = held.next().expect("a session is missing");
            let next = one.fades_at().unwrap_or(one.expires_at()).as_millis();
            let found = (usize::from(one.id()), one.presence(), one.expires_at().as_millis(), next);
            assert_eq!(found, (id, session.shown, session.ends, session.next), "id, presence, end, next change");
        }
        assert!(held.next().is_none(), "a session too many");
        let preferred = user.preferred().map(|stored| (stored.presence(), stored.expires_at().as_millis()));
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
