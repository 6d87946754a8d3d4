//! A sign-in beside a model of rule F3, through whatever comes: codes, grants, rejections, silence, 401s, in any order and late.

use crate::pauses::{DAY, MINUTE, NEVER, SECOND, Time, after_failures, at, time};
use presence_core::Duration;
use presence_core::client::{DeviceAnswer, OAuthError, SignIn, SignInEnd, SignInStep, TokenAnswer};
use proptest::prelude::*;
use support::model::cases;

#[derive(Clone, Debug)]
enum Action {
    Next(u32),
    Begin,
    BeginWithCode,
    /// A device code: its lifetime and the interval, in seconds.
    Code(u64, u64),
    /// Tokens: the lifetime in seconds, the refresh token, and the one that is held.
    Granted(Option<u64>, Option<&'static str>, &'static str),
    Rejected(&'static str, Option<u64>),
    Lost,
    Unauthorized,
    Authorized,
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Out(SignInEnd),
    Beginning,
    Code { ends: u64, interval: u64 },
    Redeeming,
    In,
}

struct Model {
    stage: Stage,
    not_before: u64,
    awaited: Option<u64>,
    failures: u32,
    random: u32,
    /// When the access token ends.
    ends: u64,
    is_renewable: bool,
    is_second: bool,
}

impl Model {
    const fn at(stage: Stage, is_renewable: bool) -> Self {
        let (not_before, awaited, failures, random, ends, is_second) = (0, None, 0, 0, 0, false);
        Self { stage, not_before, awaited, failures, random, ends, is_renewable, is_second }
    }

    fn next(&mut self, now: u64, random: u32) -> SignInStep {
        self.random = random;
        match self.awaited {
            Some(until) if now < until => return SignInStep::Wait(at(until)),
            Some(_) => self.lost(now),
            None => {}
        }
        match self.stage {
            Stage::Code { ends, .. } if now >= ends => self.stage = Stage::Out(SignInEnd::CodeExpired),
            Stage::In if !self.is_renewable && now >= self.ends => self.stage = Stage::Out(SignInEnd::Unauthorized),
            _ => {}
        }
        let (step, until) = match self.stage {
            Stage::Out(end) => return SignInStep::End(end),
            Stage::Beginning => (SignInStep::AskCode, self.not_before),
            Stage::Code { ends, .. } => (SignInStep::AskWithDeviceCode, self.not_before.min(ends)),
            Stage::Redeeming => (SignInStep::AskWithAuthorizationCode, self.not_before),
            Stage::In if self.is_renewable => (SignInStep::Renew, self.not_before),
            Stage::In => return SignInStep::Wait(at(self.ends)),
        };
        if now < until {
            return SignInStep::Wait(at(until));
        }
        self.awaited = Some(now + 20 * SECOND);
        step
    }

    fn poll_after(&mut self, now: u64, ends: u64, interval: u64) {
        (self.stage, self.not_before) = (Stage::Code { ends, interval }, now.saturating_add(interval));
    }

    fn lost(&mut self, now: u64) {
        self.awaited = None;
        match self.stage {
            Stage::Code { ends, interval } => self.poll_after(now, ends, 2 * interval),
            _ => self.repeat(now),
        }
    }

    fn repeat(&mut self, now: u64) {
        self.failures += 1;
        self.not_before = now + after_failures(5 * SECOND, self.failures, self.random);
    }

    fn code(&mut self, now: u64, lifetime: u64, interval: u64) {
        // Another is that of an earlier sign-in.
        if self.stage == Stage::Beginning {
            (self.awaited, self.failures) = (None, 0);
            self.poll_after(now, now + lifetime * SECOND, interval.max(1) * SECOND);
        }
    }

    fn granted(&mut self, now: u64, lifetime: Option<u64>, refresh: Option<&str>, held: &str) -> bool {
        if self.stage == Stage::Beginning {
            return false;
        }
        // What is held stays good, but not that of an earlier sign-in.
        self.is_renewable = refresh.is_some() || self.stage == Stage::In && self.is_renewable;
        (self.stage, self.awaited, self.failures) = (Stage::In, None, 0);
        (self.ends, self.not_before) = match lifetime.map(|seconds| seconds * SECOND) {
            None => (NEVER, NEVER),
            Some(lifetime) => {
                let renewed = if lifetime >= 10 * MINUTE { lifetime - 5 * MINUTE } else { lifetime - lifetime / 2 };
                (now + lifetime, now + renewed.max(5 * SECOND))
            }
        };
        refresh.is_some_and(|token| token != held)
    }

    fn rejected(&mut self, now: u64, code: &str, retry_after: Option<u64>) {
        self.awaited = None;
        let is_code = matches!(self.stage, Stage::Code { .. });
        let error = OAuthError::from_code(code);
        let end = match (self.stage, code) {
            (_, "temporarily_unavailable") | (Stage::Out(_), _) => None,
            (Stage::In, "invalid_grant") => Some(SignInEnd::Revoked),
            (Stage::In, "interaction_required") => Some(SignInEnd::InteractionRequired),
            (Stage::In, _) => None,
            (_, "authorization_pending" | "slow_down") if is_code => None,
            (_, "access_denied" | "authorization_declined") => Some(SignInEnd::Declined),
            (_, "expired_token") if is_code => Some(SignInEnd::CodeExpired),
            (Stage::Code { .. } | Stage::Redeeming, "invalid_grant" | "bad_verification_code") => {
                Some(SignInEnd::BadCode)
            }
            _ => Some(SignInEnd::Rejected(error)),
        };
        match (end, self.stage) {
            (Some(end), _) => self.stage = Stage::Out(end),
            (None, Stage::Code { ends, interval }) => {
                self.poll_after(now, ends, interval + if code == "slow_down" { 5 * SECOND } else { 0 });
            }
            (None, _) => self.repeat(now),
        }
        if let Some(seconds) = retry_after {
            self.not_before = self.not_before.max(now + seconds.saturating_mul(SECOND).min(DAY));
        }
    }

    fn unauthorized(&mut self) {
        if self.stage != Stage::In || self.awaited.is_some() {
            return;
        }
        if self.is_second || !self.is_renewable {
            self.stage = Stage::Out(SignInEnd::Unauthorized);
            return;
        }
        (self.ends, self.is_second) = (0, true);
        // A failure's pause is kept to.
        if self.failures == 0 {
            self.not_before = 0;
        }
    }
}

fn play(history: &[(Time, Action)]) {
    let mut sign_in = SignIn::with_refresh_token();
    let mut model = Model::at(Stage::In, true);
    let (mut now, mut due) = (MINUTE, 0);
    for (time, action) in history {
        now = time.after(now, due);
        match action {
            Action::Next(random) => {
                let step = sign_in.next(at(now), *random);
                assert_eq!(step, model.next(now, *random), "at {now}");
                due = if let SignInStep::Wait(until) = step { until.as_millis() } else { now };
            }
            Action::Begin => {
                sign_in.begin();
                model = Model::at(Stage::Beginning, false);
            }
            Action::BeginWithCode => {
                sign_in.begin_with_authorization_code();
                model = Model::at(Stage::Redeeming, false);
            }
            Action::Code(lifetime, interval) => {
                let codes = r#""device_code":"d","user_code":"u","verification_uri":"https://a.b/c""#;
                let body = format!(r#"{{{codes},"expires_in":{lifetime},"interval":{interval}}}"#);
                sign_in.code(at(now), &DeviceAnswer::read(200, body.as_bytes()).expect("a device code"));
                model.code(now, *lifetime, *interval);
            }
            Action::Granted(lifetime, refresh, held) => {
                let lifetime_member = lifetime.map(|seconds| format!(r#","expires_in":{seconds}"#)).unwrap_or_default();
                let refresh_member = refresh.map(|token| format!(r#","refresh_token":"{token}""#)).unwrap_or_default();
                let body = format!(r#"{{"access_token":"a"{lifetime_member}{refresh_member}}}"#);
                let answer = TokenAnswer::read(200, body.as_bytes()).expect("tokens");
                let is_new = sign_in.granted(at(now), &answer, held);
                assert_eq!(is_new, model.granted(now, *lifetime, *refresh, held), "{action:?} at {now}");
            }
            Action::Rejected(code, retry_after) => {
                sign_in.rejected(at(now), OAuthError::from_code(code), retry_after.map(Duration::from_secs));
                model.rejected(now, code, *retry_after);
            }
            Action::Lost => {
                sign_in.failed(at(now));
                model.lost(now);
            }
            Action::Unauthorized => {
                sign_in.unauthorized();
                model.unauthorized();
            }
            Action::Authorized => {
                sign_in.authorized();
                model.is_second = false;
            }
        }
        let end = if let Stage::Out(end) = model.stage { Some(end) } else { None };
        assert_eq!(sign_in.end(), end, "{action:?} at {now}");
        let is_signed_in = model.stage == Stage::In && now < model.ends;
        assert_eq!(sign_in.is_signed_in(at(now)), is_signed_in, "{action:?} at {now}");
    }
}

fn action() -> impl Strategy<Value = Action> {
    let lifetime = || prop::sample::select(vec![Some(0), Some(8), Some(90), Some(599), Some(600), Some(3600), None]);
    let token = || prop::sample::select(vec!["one", "two"]);
    let codes = vec![
        "authorization_pending",
        "slow_down",
        "temporarily_unavailable",
        "temporarily_unavailable",
        "invalid_grant",
        "interaction_required",
        "access_denied",
        "authorization_declined",
        "expired_token",
        "bad_verification_code",
        "invalid_client",
        "?",
    ];
    let retry_after = prop::sample::select(vec![None, None, None, Some(0), Some(45), Some(u64::MAX)]);
    prop_oneof![
        12 => any::<u32>().prop_map(Action::Next),
        2 => Just(Action::Begin),
        1 => Just(Action::BeginWithCode),
        3 => (prop::sample::select(vec![30, 900]), prop::sample::select(vec![0, 1, 5, 40]))
            .prop_map(|(lifetime, interval)| Action::Code(lifetime, interval)),
        4 => (lifetime(), prop::option::of(token()), token())
            .prop_map(|(lifetime, refresh, held)| Action::Granted(lifetime, refresh, held)),
        4 => (prop::sample::select(codes), retry_after).prop_map(|(code, after)| Action::Rejected(code, after)),
        2 => Just(Action::Lost),
        3 => Just(Action::Unauthorized),
        2 => Just(Action::Authorized),
    ]
}

proptest! {
    #![proptest_config(cases(800))]

    #[test]
    fn f3_a_sign_in_does_what_the_rules_say(history in prop::collection::vec((time(), action()), 0..80)) {
        play(&history);
    }
}
