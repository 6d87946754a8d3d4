//! One user, as the rules say.

use super::{Happening, Millis, NEVER, Rules, instant, saturated};
use presence_core::{Absence, Cause, Command, CommandError, Explanation, Layer, Presence};
use std::collections::BTreeMap;

/// The call of an application; the rest follows. Rules S1 to S4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub set_to: Presence,
    pub set_at: Millis,
    pub lease: Millis,
    /// The number of its fades that have happened.
    pub faded: usize,
    /// The deadlines that never come, whatever the clock is set to later: its end, and its next fade. Rules C2, C3.
    pub is_endless: bool,
    pub is_steady: bool,
}

impl Session {
    pub fn expires_at(&self) -> Millis {
        if self.is_endless { NEVER } else { saturated(self.set_at + self.lease) }
    }

    /// The next fade of a session that would live for ever, and what it fades to.
    fn next_fade(&self, rules: &Rules) -> Option<(Millis, Presence)> {
        let fades = self.set_to == Presence::Available && !self.is_steady;
        let (after, becomes) = rules.fades.get(self.faded).filter(|_| fades)?;
        Some((saturated(self.set_at + after), *becomes))
    }

    /// Returns its next change by itself: a fade, or its end, `None`.
    fn next_event(&self, rules: &Rules) -> Option<(Millis, Option<Presence>)> {
        // Rule S4: when a fade and the expiry fall together, expiry wins.
        let fade = self.next_fade(rules).filter(|(at, _)| *at < self.expires_at());
        let (at, becomes) = fade.map_or((self.expires_at(), None), |(at, becomes)| (at, Some(becomes)));
        (at != NEVER).then_some((at, becomes))
    }

    pub fn fades_at(&self, rules: &Rules) -> Option<Millis> {
        self.next_event(rules).and_then(|(at, becomes)| becomes.and(Some(at)))
    }

    pub fn presence(&self, rules: &Rules) -> Presence {
        match self.faded.checked_sub(1) {
            None => self.set_to,
            Some(last) => rules.fades[last].1,
        }
    }

    /// Rule C2. What came to lie at the greatest instant stays there (rule C3).
    fn shift(&mut self, rules: &Rules, by: Millis) {
        self.is_endless = self.expires_at() == NEVER;
        self.is_steady |= self.next_fade(rules).is_some_and(|(at, _)| at == NEVER);
        self.set_at += by;
    }
}

#[derive(Clone, Debug)]
pub struct User {
    pub sessions: BTreeMap<u8, Session>,
    pub preferred: Option<(Presence, Millis)>,
    pub since: Option<Millis>,
    pub absence: Absence,
    pub revision: u64,
    pub version: u64,
}

/// Something that happens by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// The weakest present presence first, then the smaller id. Rule S8.
    Session { weakness: u8, id: u8 },
    /// The preferred presence last. Rule S8.
    Preferred,
}

impl Default for User {
    fn default() -> Self {
        Self {
            sessions: BTreeMap::new(),
            preferred: None,
            since: None,
            absence: Absence::NeverSeen,
            revision: 0,
            version: 0,
        }
    }
}

impl User {
    /// Rules A1 to A3.
    pub fn presence(&self, rules: &Rules) -> Presence {
        if self.sessions.is_empty() {
            return Presence::Offline;
        }
        if let Some((preferred, _)) = self.preferred {
            return preferred;
        }
        let mut strongest = Presence::Unknown;
        for session in self.sessions.values() {
            if session.presence(rules) as u8 > strongest as u8 {
                strongest = session.presence(rules);
            }
        }
        strongest
    }

    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty() && self.preferred.is_none()
    }

    /// Everything that is still to come, in the order in which it comes. Rule S8.
    fn agenda(&self, rules: &Rules) -> Vec<(Millis, Due)> {
        let mut agenda = Vec::new();
        for (&id, session) in &self.sessions {
            if let Some((at, _)) = session.next_event(rules) {
                agenda.push((at, Due::Session { weakness: session.presence(rules) as u8, id }));
            }
        }
        if let Some((_, expires_at)) = self.preferred {
            agenda.push((expires_at, Due::Preferred));
        }
        agenda.retain(|(at, _)| *at != NEVER);
        agenda.sort();
        agenda
    }

    pub fn next_deadline(&self, rules: &Rules) -> Option<Millis> {
        self.agenda(rules).first().map(|(at, _)| *at)
    }

    /// Changes something, and notes what could be seen of it. Rules V1, A4.
    fn note(&mut self, rules: &Rules, at: Millis, cause: Cause, change: impl FnOnce(&mut Self)) -> Happening {
        let before = self.presence(rules);
        change(self);
        let after = self.presence(rules);
        self.revision += 1;
        if before != after {
            self.version += 1;
            self.since = Some(at);
        }
        Happening { at: instant(at), before, after, cause }
    }

    /// Leaves nothing but revision and version, which count this. Returns whether anything could be seen. Rules V1, V2.
    pub fn erase(&mut self, rules: &Rules) -> bool {
        let is_visible = self.presence(rules) != Presence::Offline;
        let (revision, version) = (self.revision + 1, self.version + u64::from(is_visible));
        *self = Self { revision, version, ..Self::default() };
        is_visible
    }

    /// The first thing that is due at `now`. Rules S4, S8, C3.
    pub fn carry_out_next(&mut self, rules: &Rules, now: Millis) -> Option<Happening> {
        let (at, due) = *self.agenda(rules).first().filter(|(at, _)| now >= *at)?;
        Some(match due {
            Due::Preferred => self.note(rules, at, Cause::PreferredExpired, |user| user.preferred = None),
            Due::Session { id, .. } => match self.sessions[&id].next_event(rules) {
                Some((_, Some(_))) => self.note(rules, at, Cause::Faded, |user| {
                    user.sessions.get_mut(&id).unwrap().faded += 1;
                }),
                _ => self.note(rules, at, Cause::Expired, |user| {
                    user.sessions.remove(&id);
                    user.absence = Absence::Expired;
                }),
            },
        })
    }

    pub fn advance(&mut self, rules: &Rules, now: Millis) -> Vec<Happening> {
        std::iter::from_fn(|| self.carry_out_next(rules, now)).collect()
    }

    /// This user at a moment; it stays as it is.
    pub fn advanced(&self, rules: &Rules, now: Millis) -> Self {
        let mut user = self.clone();
        user.advance(rules, now);
        user
    }

    /// A command to a user who is up to date and holds up to so many sessions. `None`: it succeeds, and nothing happens.
    pub fn command(
        &mut self,
        rules: &Rules,
        most: usize,
        now: Millis,
        command: Command<u8>,
    ) -> Result<Option<Happening>, CommandError> {
        self.command_under(rules, rules, most, now, command)
    }

    /// A command of an application under a policy of its own, which allows other things: without fades in it, its sessions
    /// do not fade.
    pub fn command_under(
        &mut self,
        rules: &Rules,
        own: &Rules,
        most: usize,
        now: Millis,
        command: Command<u8>,
    ) -> Result<Option<Happening>, CommandError> {
        // Rule H2: the range of the duration before the pair, the pair before the session and the number of sessions.
        let check =
            |duration: Option<presence_core::Duration>, [shortest, longest]: [Millis; 2], default: Millis, error| {
                let asked = duration.map_or(default, |duration| duration.as_millis().into());
                let rejected = duration.is_some() && !(shortest..=longest).contains(&asked);
                if rejected { Err(error) } else { Ok(asked) }
            };
        match command {
            Command::SetPresence { session, presence, lease } => {
                let lease = check(lease, own.leases, own.default_lease, CommandError::Lease)?;
                if !own.sessions.contains(&presence) {
                    return Err(CommandError::Presence);
                }
                if !self.sessions.contains_key(&session) && self.sessions.len() == most {
                    return Err(CommandError::SessionsFull);
                }
                let is_steady = own.fades.is_empty();
                let said = Session { set_to: presence, set_at: now, lease, faded: 0, is_endless: false, is_steady };
                Ok(Some(self.note(rules, now, Cause::Set, |user| {
                    user.sessions.insert(session, said);
                })))
            }
            Command::ClearPresence { session } => {
                if !self.sessions.contains_key(&session) {
                    return Err(CommandError::NotFound);
                }
                Ok(Some(self.note(rules, now, Cause::Cleared, |user| {
                    user.sessions.remove(&session);
                    user.absence = Absence::Cleared;
                })))
            }
            Command::SetPreferredPresence { presence, duration } => {
                let is_brief = own.brief.contains(&presence);
                let default = if is_brief { own.brief_duration } else { own.preferred_duration };
                let duration = check(duration, own.preferred_durations, default, CommandError::PreferredDuration)?;
                if !own.preferred.contains(&presence) {
                    return Err(CommandError::PreferredPresence);
                }
                let until = saturated(now + duration);
                Ok(Some(self.note(rules, now, Cause::PreferredSet, |user| user.preferred = Some((presence, until)))))
            }
            Command::ClearPreferredPresence if self.preferred.is_none() => Ok(None),
            Command::ClearPreferredPresence => {
                Ok(Some(self.note(rules, now, Cause::PreferredCleared, |user| user.preferred = None)))
            }
        }
    }

    /// Rule A4.
    pub fn explain(&self, rules: &Rules) -> Explanation<u8> {
        let presence = self.presence(rules);
        let layer = if self.sessions.is_empty() {
            Layer::Nothing(self.absence)
        } else if self.preferred.is_some() {
            Layer::Preferred
        } else {
            let strongest = self.sessions.iter().filter(|(_, session)| session.presence(rules) == presence);
            let longest = strongest.clone().map(|(_, session)| session.expires_at()).max();
            let deciding = strongest.filter(|(_, session)| Some(session.expires_at()) == longest);
            Layer::Session(deciding.map(|(id, _)| *id).min().expect("some session is the strongest"))
        };
        let next = self.clone().advance(rules, NEVER).into_iter().find(Happening::is_visible);
        Explanation { presence, layer, since: self.since(), next: next.map(|next| (next.at, next.after)) }
    }

    /// A change at the greatest instant, where no clock ever stands, leaves nothing to report.
    pub fn since(&self) -> Option<presence_core::Instant> {
        self.since.filter(|since| *since != NEVER).map(instant)
    }

    /// Rules C2, C3: never stays never, and before the clock began is when it began.
    pub fn shift(&mut self, rules: &Rules, by: Millis) {
        let shifted = |at: Millis| if at == NEVER { NEVER } else { saturated(at + by) };
        for session in self.sessions.values_mut() {
            session.shift(rules, by);
        }
        self.preferred = self.preferred.map(|(presence, until)| (presence, shifted(until)));
        self.since = self.since.map(shifted);
        // Decisions on the old clock are stale (V2).
        self.revision += 1;
    }
}
