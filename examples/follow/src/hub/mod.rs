//! What the sources make together: without I/O, and with time as an argument.

#[cfg(test)]
mod tests;

use crate::source::{News, Source, Update};
use presence_core::client::Link;
use presence_core::{Absence, Command, CommandError, Duration, Instant, Layer, Policy, Presence, SingleUser};
use std::collections::BTreeMap;

/// The number of sources.
const SOURCES: usize = 6;

/// One user with a session for each source. The strongest session decides, as everywhere in `presence_core`.
#[derive(Clone, Debug)]
pub struct Hub {
    user: SingleUser<Source, SOURCES>,
    /// The end of what was said about out of office.
    out_of_office: BTreeMap<Source, Instant>,
    links: BTreeMap<Source, Link>,
    /// The reason for which a source has no session, once it has none.
    absences: BTreeMap<Source, Absence>,
}

/// A session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The source.
    pub source: Source,
    /// The presence.
    pub presence: Presence,
    /// The end of its lease.
    pub ends_at: Instant,
}

/// What is to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The presence.
    pub presence: Presence,
    /// The reason for which there is none: gone, or no news.
    pub absence: Option<Absence>,
    /// True if the person is out of office, beside the presence.
    pub is_out_of_office: bool,
    /// The source that decides.
    pub because: Option<Source>,
    /// The latest visible change.
    pub since: Option<Instant>,
    /// The sessions.
    pub sessions: Vec<Held>,
    /// The state of each link, apart from any presence.
    pub links: BTreeMap<Source, Link>,
}

impl State {
    /// Returns the session that decides.
    #[must_use]
    pub fn deciding(&self) -> Option<Held> {
        self.sessions.iter().copied().find(|session| Some(session.source) == self.because)
    }

    /// Returns the state of the links together: the one that most needs a person.
    #[must_use]
    pub fn link(&self) -> Link {
        let needs = |link: &Link| match link {
            Link::Ok => 0,
            Link::NoAnswer => 1,
            Link::Down => 2,
            Link::SignIn => 3,
        };
        self.links.values().copied().max_by_key(needs).unwrap_or(Link::Ok)
    }
}

impl State {
    /// Reports whether every source has looked.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.links.values().all(|link| *link != Link::NoAnswer)
    }

    /// Returns the exit code of a program that shows the state once: 0 if it is known, 3 if somebody has to sign in, 4 if no
    /// source answers.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.link() {
            _ if !self.absence.is_some_and(Absence::is_stale) => 0,
            Link::SignIn => 3,
            _ => 4,
        }
    }

    /// Returns the state as one line of JSON: a presence object of Graph's, and what is known beside it.
    #[must_use]
    pub fn to_json(&self) -> String {
        let links: serde_json::Map<_, _> =
            self.links.iter().map(|(source, link)| (source.name().into(), name(*link).into())).collect();
        serde_json::json!({
            "availability": self.presence.availability().name(),
            "activity": self.presence.activity().name(),
            "outOfOfficeSettings": { "isOutOfOffice": self.is_out_of_office },
            "isStale": self.absence.is_some_and(Absence::is_stale),
            "source": self.because.map(Source::name),
            "links": links,
        })
        .to_string()
    }
}

/// Returns the name of a link's state, as programs read it.
const fn name(link: Link) -> &'static str {
    match link {
        Link::NoAnswer => "noAnswer",
        Link::Ok => "ok",
        Link::Down => "down",
        Link::SignIn => "signIn",
    }
}

impl Hub {
    /// Creates a hub for these sources, of which nothing is known yet.
    #[must_use]
    pub fn new(sources: impl IntoIterator<Item = Source>) -> Self {
        let links: BTreeMap<_, _> = sources.into_iter().map(|source| (source, Link::NoAnswer)).collect();
        let absences = links.keys().map(|source| (*source, Absence::NeverSeen)).collect();
        Self { user: SingleUser::new(Policy::DESK), out_of_office: BTreeMap::new(), links, absences }
    }

    /// Takes what a source says.
    ///
    /// # Errors
    ///
    /// [`CommandError`] for a presence or a lease that the source's policy does not allow. Nothing is changed.
    pub fn take(&mut self, now: Instant, update: Update) -> Result<(), CommandError> {
        let Update { source, news } = update;
        match news {
            News::Link(link) => {
                self.links.insert(source, link);
                Ok(())
            }
            News::Presence { presence, lease, is_out_of_office } => {
                self.execute(now, Command::SetPresence { session: source, presence, lease: Some(lease) })?;
                self.be_out_of_office(now, source, is_out_of_office.then_some(lease));
                self.absences.insert(source, Absence::Expired);
                Ok(())
            }
            News::Ended => {
                self.be_out_of_office(now, source, None);
                self.absences.insert(source, Absence::Cleared);
                match self.execute(now, Command::ClearPresence { session: source }) {
                    // It has ended already.
                    Err(CommandError::NotFound) => Ok(()),
                    result => result,
                }
            }
        }
    }

    fn execute(&mut self, now: Instant, command: Command<Source>) -> Result<(), CommandError> {
        let (Command::SetPresence { session, .. } | Command::ClearPresence { session }) = command else {
            return Ok(());
        };
        self.user.execute_under(now, command, session.policy(), |_| {})
    }

    fn be_out_of_office(&mut self, now: Instant, source: Source, lease: Option<Duration>) {
        match lease {
            Some(lease) => self.out_of_office.insert(source, now.saturating_add(lease)),
            None => self.out_of_office.remove(&source),
        };
    }

    /// Applies what time has done.
    pub fn advance(&mut self, now: Instant) {
        self.user.advance(now, |_| {});
        self.out_of_office.retain(|_, end| !end.is_due(now));
    }

    /// Returns when to call [`advance`](Self::advance) next; `None` if nothing changes by itself.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.user.next_deadline().into_iter().chain(self.out_of_office.values().copied()).min()
    }

    /// Returns the reason for which there is no session.
    ///
    /// A person is gone if every system that is mirrored says so. Other sources, such as a microphone, know less.
    fn absence(&self) -> Absence {
        let mirrored = self.absences.iter().filter(|(source, _)| source.is_mirrored()).map(|(_, absence)| *absence);
        let others = self.absences.values().copied();
        let first = |order: [Absence; 3], all: &mut dyn Iterator<Item = Absence>| {
            all.min_by_key(|absence| order.iter().position(|known| known == absence))
        };
        first([Absence::Expired, Absence::NeverSeen, Absence::Cleared], &mut { mirrored })
            .or_else(|| first([Absence::Expired, Absence::Cleared, Absence::NeverSeen], &mut { others }))
            .unwrap_or_default()
    }

    /// Returns what is to be shown, as of the latest moment that the hub was told.
    #[must_use]
    pub fn state(&self) -> State {
        let user = self.user.user();
        let why = user.explain(self.user.policy());
        let sessions = user.sessions().iter().map(|session| Held {
            source: session.id(),
            presence: session.presence(),
            ends_at: session.expires_at(),
        });
        State {
            presence: why.presence,
            absence: user.sessions().is_empty().then(|| self.absence()),
            is_out_of_office: !self.out_of_office.is_empty(),
            because: if let Layer::Session(source) = why.layer { Some(source) } else { None },
            since: why.since,
            sessions: sessions.collect(),
            links: self.links.clone(),
        }
    }
}

/// Returns the words for a link that is not as it should be.
pub(crate) const fn trouble(link: Link) -> Option<&'static str> {
    match link {
        Link::Ok => None,
        Link::NoAnswer => Some("no answer yet"),
        Link::Down => Some("no connection"),
        Link::SignIn => Some("sign-in needed"),
    }
}
