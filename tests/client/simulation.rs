//! A lamp with a Teams account through outages, throttling, lost and late answers, expiring and revoked tokens, and a tick that
//! wraps; beside a model that only remembers what was answered.

use presence_core::client::{
    DeviceAnswer, Follower, Link, OAuthError, Reply, SignIn, SignInEnd, SignInStep, Step, TokenAnswer,
};
use presence_core::{Duration, Instant, Policy, Presence, SingleUser, TickExtender};
use proptest::prelude::*;

const MIRROR: u8 = 1;
const MINUTE: u64 = 60_000;
/// The time of trouble, in milliseconds, and what comes after it.
const TROUBLE: u64 = 6 * 60 * MINUTE;
const CALM: u64 = 60 * MINUTE;

/// Numbers out of a seed.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as u32
    }

    fn below(&mut self, end: u64) -> u64 {
        u64::from(self.next()) % end
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }
}

/// What the server and the issuer have answered, or what became of it.
enum Answer {
    /// To a request with this access token; true for a 401.
    Presence(Reply, u64, bool),
    Token(Result<String, OAuthError>, Option<Duration>),
    Device(Result<(), OAuthError>),
}

/// The server and the issuer.
struct World {
    chance: Chance,
    presence: Presence,
    /// The time until which nothing comes through.
    outage_until: u64,
    /// The number of the access token that is good, until when, and the refresh token.
    access: u64,
    access_until: u64,
    refresh: u64,
    is_revoked: bool,
    has_confirmed_at: u64,
    is_calm: bool,
}

impl World {
    /// Lets time pass: the presence changes, and trouble comes.
    fn pass(&mut self, now: u64) {
        if self.chance.one_in(8) {
            let presences = [
                Presence::Available,
                Presence::InACall,
                Presence::Away,
                Presence::Offline,
                Presence::Unknown,
                Presence::OffWork,
            ];
            self.presence = presences[self.chance.below(6) as usize];
        }
        if !self.is_calm && self.chance.one_in(40) {
            self.outage_until = now + self.chance.below(30 * MINUTE);
        }
        if !self.is_calm && self.chance.one_in(300) {
            self.access_until = now;
        }
        if !self.is_calm && self.chance.one_in(400) {
            self.is_revoked = true;
        }
    }

    /// Returns the time at which an answer arrives, unless it is lost.
    fn arrival(&mut self, now: u64) -> Option<u64> {
        if self.is_calm {
            return Some(now + self.chance.below(2000));
        }
        let is_lost = now < self.outage_until || self.chance.one_in(12);
        // Some are later than anyone waits.
        let slowest = if self.chance.one_in(10) { 40_000 } else { 9000 };
        let latency = self.chance.below(slowest);
        if is_lost { None } else { Some(now + latency) }
    }

    /// Returns a failure of a gateway: a status, and how long it asks to wait.
    fn trouble(&mut self) -> Option<(u16, Option<u64>)> {
        if self.is_calm || !self.chance.one_in(6) {
            return None;
        }
        let asked_for = [None, Some(0), Some(1), Some(90), Some(900), Some(u64::MAX / 1000)];
        // A day without the user's presence is trouble enough: rarely.
        let which = if self.chance.one_in(50) { 5 } else { self.chance.below(5) as usize };
        Some(([429, 500, 503][self.chance.below(3) as usize], asked_for[which]))
    }

    fn read(&mut self, now: u64, access: u64) -> Answer {
        if let Some((status, asked_for)) = self.trouble() {
            let asked_for = asked_for.map(Duration::from_secs);
            let body = br#"{"availability":"Busy","activity":"Busy"}"#;
            return Answer::Presence(Reply::read(status, asked_for, body), access, false);
        }
        if access != self.access || now >= self.access_until {
            return Answer::Presence(Reply::read(401, None, b"{}"), access, true);
        }
        if !self.is_calm && self.chance.one_in(20) {
            return Answer::Presence(Reply::read(200, None, br#"<html>"Busy"</html>"#), access, false);
        }
        let (availability, activity) = (self.presence.availability().name(), self.presence.activity().name());
        let body = format!(r#"{{"availability":"{availability}","activity":"{activity}"}}"#);
        Answer::Presence(Reply::read(200, None, body.as_bytes()), access, false)
    }

    fn tokens(&mut self, now: u64) -> Answer {
        let lifetime = [60, 600, 3600][self.chance.below(3) as usize];
        self.access += 1;
        self.access_until = now + lifetime * 1000;
        self.refresh += self.chance.below(2);
        let tokens = format!(r#""access_token":"{}","refresh_token":"{}""#, self.access, self.refresh);
        Answer::Token(Ok(format!(r#"{{"token_type":"Bearer",{tokens},"expires_in":{lifetime}}}"#)), None)
    }

    /// Answers as the token endpoint.
    fn token(&mut self, now: u64, step: SignInStep) -> Answer {
        if let Some((_, asked_for)) = self.trouble() {
            return Answer::Token(Err(OAuthError::Unavailable), asked_for.map(Duration::from_secs));
        }
        match step {
            SignInStep::Renew if self.is_revoked => Answer::Token(Err(OAuthError::InvalidGrant), None),
            SignInStep::AskWithDeviceCode if now < self.has_confirmed_at => {
                let slow_down = self.chance.one_in(5);
                Answer::Token(
                    Err(if slow_down { OAuthError::SlowDown } else { OAuthError::AuthorizationPending }),
                    None,
                )
            }
            SignInStep::AskWithDeviceCode => {
                self.is_revoked = false;
                self.tokens(now)
            }
            _ => self.tokens(now),
        }
    }

    fn device(&mut self, now: u64) -> Answer {
        let is_in_trouble = self.trouble().is_some();
        self.has_confirmed_at = now + self.chance.below(5 * MINUTE);
        Answer::Device(if is_in_trouble { Err(OAuthError::Unavailable) } else { Ok(()) })
    }
}

/// What the model knows: the newest answer that was understood, and what was asked.
#[derive(Default)]
struct Model {
    shown: Option<(u64, Presence)>,
    understood_at: Option<u64>,
    asked_at: Option<u64>,
    not_before: u64,
    poll_not_before: u64,
    renewed_at: Option<u64>,
}

impl Model {
    /// The presence that the lamp shows: what was understood last, for three intervals.
    fn presence(&self, now: u64) -> Presence {
        match self.shown {
            Some((since, presence)) if now < since + 90_000 => presence,
            _ => Presence::Offline,
        }
    }

    fn understand(&mut self, now: u64, presence: Presence) {
        self.understood_at = Some(now);
        match presence {
            Presence::Unknown => {}
            Presence::Offline => self.shown = None,
            _ => self.shown = Some((now, presence)),
        }
    }

    fn keep_to(&mut self, now: u64, retry_after: Option<Duration>) {
        let asked_for = retry_after.unwrap_or_default().min(Duration::from_days(1));
        self.not_before = self.not_before.max(now + asked_for.as_millis());
    }
}

/// A lamp on a desk.
struct Desk {
    clock: TickExtender,
    /// The tick at the beginning, shortly before it wraps.
    first_tick: u32,
    follower: Follower<u8>,
    sign_in: SignIn,
    lamp: SingleUser<u8, 4>,
    access: u64,
    refresh: String,
    model: Model,
    world: World,
    /// The newest request to the server, and to the issuer: their answers, and when they arrive.
    read: Option<(u64, Answer)>,
    token: Option<(u64, Answer)>,
    answers: u32,
    sign_ins: u32,
}

impl Desk {
    fn new(seed: u64) -> Self {
        let mut chance = Chance(seed | 1);
        let first_tick = u32::MAX - chance.below(TROUBLE) as u32;
        let world = World {
            chance,
            presence: Presence::Available,
            outage_until: 0,
            access: 0,
            access_until: 0,
            refresh: 0,
            is_revoked: false,
            has_confirmed_at: 0,
            is_calm: false,
        };
        Self {
            clock: TickExtender::new(),
            first_tick,
            follower: Follower::new(MIRROR, &Policy::MIRROR),
            sign_in: SignIn::with_refresh_token(),
            lamp: SingleUser::new(Policy::DESK),
            access: 0,
            refresh: String::new(),
            model: Model::default(),
            world,
            read: None,
            token: None,
            answers: 0,
            sign_ins: 0,
        }
    }

    fn now(&mut self, millis: u64) -> Instant {
        self.clock.extend(self.first_tick.wrapping_add(millis as u32))
    }

    /// Does all that is to do at a moment, and returns when to come back.
    fn wake(&mut self, millis: u64) -> u64 {
        let now = self.now(millis);
        let start = now.as_millis() - millis;
        self.receive(millis, now);
        let after = |until: Instant| until.as_millis().saturating_sub(start).max(millis + 1);
        let mut next = millis + 10 * MINUTE;
        match self.sign_in.next(now, self.world.chance.next()) {
            SignInStep::Wait(until) => next = next.min(after(until)),
            SignInStep::End(_) => {
                // The person presses a button.
                self.follower.sign_in_needed();
                self.sign_in.begin();
                self.sign_ins += 1;
                next = millis + 1;
            }
            step => {
                self.ask_issuer(millis, step);
                next = next.min(millis + 1);
            }
        }
        if self.sign_in.is_signed_in(now) {
            match self.follower.next(now, self.world.chance.next()) {
                Step::Wait(until) => next = next.min(after(until)),
                Step::Ask { resumes } => {
                    assert!(!resumes);
                    self.ask_server(millis);
                    next = next.min(millis + 1);
                }
            }
        }
        self.check(millis, now);
        let deadline = self.lamp.next_deadline().map_or(u64::MAX, after);
        let arrivals = [&self.read, &self.token].map(|answer| answer.as_ref().map_or(u64::MAX, |(at, _)| *at));
        next.min(deadline).min(arrivals[0]).min(arrivals[1]).max(millis + 1)
    }

    fn ask_issuer(&mut self, millis: u64, step: SignInStep) {
        if step == SignInStep::Renew {
            let gap = self.model.renewed_at.replace(millis).map_or(u64::MAX, |before| millis - before);
            assert!(gap >= 5000, "renewed after {gap} ms");
        }
        if step == SignInStep::AskWithDeviceCode {
            assert!(millis >= self.model.poll_not_before, "asked with the code too early");
        }
        let arrival = self.world.arrival(millis);
        let answer =
            if step == SignInStep::AskCode { self.world.device(millis) } else { self.world.token(millis, step) };
        // A request that is lost on its way is not answered: here only answers are lost, which is worse.
        self.token = arrival.map(|at| (at, answer));
    }

    fn ask_server(&mut self, millis: u64) {
        assert!(millis >= self.model.not_before, "asked before Retry-After is over");
        let gap = self.model.asked_at.replace(millis).map_or(u64::MAX, |before| millis - before);
        assert!(gap >= 30_000, "asked after {gap} ms");
        self.world.pass(millis);
        let arrival = self.world.arrival(millis);
        let answer = self.world.read(millis, self.access);
        self.read = arrival.map(|at| (at, answer));
    }

    /// Takes the answers that have arrived.
    fn receive(&mut self, millis: u64, now: Instant) {
        self.lamp.advance(now, |_| {});
        if let Some((_, answer)) = self.read.take_if(|(at, _)| *at <= millis) {
            self.answered(millis, now, answer);
        }
        if let Some((_, answer)) = self.token.take_if(|(at, _)| *at <= millis) {
            self.answered(millis, now, answer);
        }
    }

    fn answered(&mut self, millis: u64, now: Instant, answer: Answer) {
        match answer {
            Answer::Presence(reply, access, is_unauthorized) => {
                match reply {
                    Reply::Presence { presence, .. } => {
                        self.model.understand(millis, presence);
                        self.sign_in.authorized();
                        self.answers += 1;
                    }
                    Reply::Failed { retry_after } => self.model.keep_to(millis, retry_after),
                    Reply::Opened => unreachable!(),
                }
                // One that carried an older token says nothing about the present one.
                if is_unauthorized && access == self.access {
                    self.sign_in.unauthorized();
                    self.model.renewed_at = None;
                }
                let update = self.follower.answered(now, reply);
                assert_eq!(update.rejected, None);
                self.follower.show(now, &update, &mut self.lamp, |_| {}).expect("room");
            }
            Answer::Token(Ok(body), _) => {
                let answer = TokenAnswer::read(200, body.as_bytes()).expect("tokens");
                let given = answer.refresh_token.expect("a refresh token").as_str().to_owned();
                let is_new = self.sign_in.granted(now, &answer, &self.refresh);
                if self.sign_in.is_signed_in(now) {
                    let given = given.trim_matches('"').to_owned();
                    assert_eq!(is_new, given != self.refresh);
                    self.refresh = given;
                    self.access = answer.access_token.as_str().trim_matches('"').parse().expect("a number");
                    self.follower.signed_in();
                }
            }
            Answer::Token(Err(error), retry_after) => {
                self.sign_in.rejected(now, error, retry_after);
                self.model.poll_not_before = millis + 5000;
                match self.sign_in.end() {
                    Some(SignInEnd::Revoked) => assert!(self.world.is_revoked),
                    other => assert_eq!(other, None, "{error:?}"),
                }
            }
            Answer::Device(Ok(())) => {
                let codes = r#""device_code":"d","user_code":"u","verification_uri":"https://a.b/c""#;
                let body = format!(r#"{{{codes},"expires_in":900,"interval":5}}"#);
                self.sign_in.code(now, &DeviceAnswer::read(200, body.as_bytes()).expect("a device code"));
                self.model.poll_not_before = millis + 5000;
            }
            Answer::Device(Err(error)) => self.sign_in.rejected(now, error, None),
        }
    }

    /// Compares the lamp with the model.
    fn check(&self, millis: u64, now: Instant) {
        assert_eq!(self.lamp.presence(now), self.model.presence(millis), "at {millis}");
        let is_fresh = self.model.understood_at.is_some_and(|since| millis < since + 90_000);
        match self.follower.link(now) {
            Link::Ok => assert!(is_fresh),
            Link::NoAnswer => assert_eq!(self.model.understood_at, None),
            Link::Down | Link::SignIn => {}
        }
    }

    /// Plays until a moment, waking a little late each time.
    fn play(&mut self, mut millis: u64, until: u64) -> u64 {
        // One wake a second is far more than there are.
        let mut wakes = 100 + (until - millis) / 1000;
        while millis < until {
            wakes = wakes.checked_sub(1).expect("it wakes again and again");
            let next = self.wake(millis);
            millis = next + self.world.chance.below(50) * u64::from(self.world.chance.one_in(3));
        }
        millis
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn f1_f2_f3_a_lamp_never_shows_more_than_it_knows_and_always_recovers(seed in any::<u64>()) {
        let mut desk = Desk::new(seed);
        let end = desk.play(0, TROUBLE);
        desk.world.is_calm = true;
        desk.world.outage_until = 0;
        // A day at most that somebody has asked for, and an hour in which a person signs in if need be.
        let asked_for = desk.model.not_before.max(end) + 24 * 60 * MINUTE;
        let end = desk.play(end, asked_for + CALM);
        let answers = desk.answers;
        desk.world.presence = Presence::Away;
        desk.play(end, end + 10 * MINUTE);
        prop_assert!(desk.answers >= answers + 15, "{} in ten minutes", desk.answers - answers);
        prop_assert!(desk.sign_in.end().is_none());
    }
}

/// A simulation in which nothing happens would prove nothing.
#[test]
fn f1_f2_f3_the_simulation_has_trouble_enough() {
    let (mut answers, mut sign_ins, mut wrapped) = (0, 0, 0);
    for seed in 1..40 {
        let mut desk = Desk::new(seed * 0x9E37_79B9);
        desk.play(0, TROUBLE);
        answers += desk.answers;
        sign_ins += desk.sign_ins;
        wrapped += u32::from(desk.now(TROUBLE).as_millis() > u64::from(u32::MAX));
    }
    assert!(answers > 2000 && sign_ins > 10 && wrapped > 30, "{answers} answers, {sign_ins} sign-ins, {wrapped} wraps");
}
