//! Sign-in and renewal: when to ask, and what each answer means.

use presence_core::client::{DeviceAnswer, OAuthError, RedirectError, SignIn, SignInEnd, SignInStep, TokenAnswer};
use presence_core::{Duration, Instant, TickExtender};

const MINUTE: u64 = 60;
const HOUR: Duration = Duration::from_hours(1);

fn at(secs: u64) -> Instant {
    Instant::from_secs(secs)
}

/// A sign-in that shows a code since zero, which lasts 15 minutes.
fn shows_code(interval: Option<u64>) -> SignIn {
    let mut sign_in = SignIn::new();
    sign_in.begin();
    assert_eq!(sign_in.next(at(0), 0), SignInStep::AskCode);
    give_code(&mut sign_in, 900, interval);
    sign_in
}

/// Answers with a device code at zero.
fn give_code(sign_in: &mut SignIn, expires_in: u64, interval: Option<u64>) {
    let interval = interval.map(|secs| format!(r#","interval":{secs}"#)).unwrap_or_default();
    let codes = r#""device_code":"d","user_code":"u","verification_uri":"https://a.b/c""#;
    let body = format!(r#"{{{codes},"expires_in":{expires_in}{interval}}}"#);
    sign_in.code(at(0), &DeviceAnswer::read(200, body.as_bytes()).expect("a device code"));
}

/// Answers with tokens.
fn give(
    sign_in: &mut SignIn,
    now: Instant,
    lifetime: Option<Duration>,
    held: &str,
    refresh_token: Option<&str>,
) -> bool {
    let lifetime = lifetime.map(|lifetime| format!(r#","expires_in":{}"#, lifetime.as_secs())).unwrap_or_default();
    let refresh = refresh_token.map(|token| format!(r#","refresh_token":"{token}""#)).unwrap_or_default();
    let body = format!(r#"{{"token_type":"Bearer","access_token":"a"{lifetime}{refresh}}}"#);
    sign_in.granted(now, &TokenAnswer::read(200, body.as_bytes()).expect("tokens"), held)
}

/// Answers with the code of an error.
fn reject(sign_in: &mut SignIn, secs: u64, status: u16, code: &str) {
    let body = format!(r#"{{"error":"{code}"}}"#);
    sign_in.rejected(at(secs), TokenAnswer::read(status, body.as_bytes()).expect_err("an error"), None);
}

/// A sign-in with an access token of this lifetime since zero, and a refresh token.
fn signed_in(lifetime: Option<Duration>) -> SignIn {
    let mut sign_in = SignIn::with_refresh_token();
    assert_eq!(sign_in.next(at(0), 0), SignInStep::Renew);
    assert!(give(&mut sign_in, at(0), lifetime, "old", Some("new")));
    sign_in
}

fn wait(sign_in: &mut SignIn, secs: u64, random: u32) -> Instant {
    match sign_in.next(at(secs), random) {
        SignInStep::Wait(until) => until,
        other => panic!("{other:?} at {secs}"),
    }
}

/// Waits until `secs`, and sends the step then.
fn step_at(sign_in: &mut SignIn, before: u64, secs: u64, step: SignInStep) {
    assert_eq!(wait(sign_in, before, 0), at(secs));
    assert_eq!(sign_in.next(Instant::from_millis(secs * 1000 - 1), 0), SignInStep::Wait(at(secs)));
    assert_eq!(sign_in.next(at(secs), 0), step);
}

const POLL: SignInStep = SignInStep::AskWithDeviceCode;

#[test]
fn f3_a_device_asks_at_the_interval_or_every_five_seconds() {
    for (interval, kept) in [(None, 5), (Some(1), 1), (Some(5), 5), (Some(30), 30), (Some(0), 1)] {
        let mut sign_in = shows_code(interval);
        for round in 0..20 {
            step_at(&mut sign_in, round * kept, (round + 1) * kept, POLL);
            reject(&mut sign_in, (round + 1) * kept, 400, "authorization_pending");
        }
    }
}

#[test]
fn f3_slow_down_adds_five_seconds_for_all_later_polls() {
    let mut sign_in = shows_code(None);
    step_at(&mut sign_in, 0, 5, POLL);
    reject(&mut sign_in, 5, 400, "slow_down");
    step_at(&mut sign_in, 5, 15, POLL);
    reject(&mut sign_in, 15, 400, "authorization_pending");
    step_at(&mut sign_in, 15, 25, POLL);
    reject(&mut sign_in, 25, 400, "slow_down");
    step_at(&mut sign_in, 25, 40, POLL);
    reject(&mut sign_in, 40, 400, "authorization_pending");
    step_at(&mut sign_in, 40, 55, POLL);
}

#[test]
fn f3_a_time_out_doubles_the_interval() {
    let mut sign_in = shows_code(None);
    step_at(&mut sign_in, 0, 5, POLL);
    // Silence: it is noticed after 20 seconds.
    assert_eq!(sign_in.next(at(6), 0), SignInStep::Wait(at(25)));
    step_at(&mut sign_in, 25, 35, POLL);
    reject(&mut sign_in, 35, 400, "authorization_pending");
    step_at(&mut sign_in, 35, 45, POLL);
    sign_in.failed(at(46));
    step_at(&mut sign_in, 46, 66, POLL);
    reject(&mut sign_in, 66, 400, "slow_down");
    step_at(&mut sign_in, 66, 91, POLL);
}

#[test]
fn f3_asking_with_a_code_ends_on_these_errors_and_on_unknown_ones() {
    for (error, end) in [
        ("access_denied", SignInEnd::Declined),
        ("authorization_declined", SignInEnd::Declined),
        ("expired_token", SignInEnd::CodeExpired),
        ("bad_verification_code", SignInEnd::BadCode),
        ("invalid_grant", SignInEnd::BadCode),
        ("invalid_client", SignInEnd::Rejected(OAuthError::InvalidClient)),
        ("unsupported_grant_type", SignInEnd::Rejected(OAuthError::UnsupportedGrantType)),
        ("interaction_required", SignInEnd::Rejected(OAuthError::InteractionRequired)),
        ("", SignInEnd::Rejected(OAuthError::Other)),
    ] {
        let mut sign_in = shows_code(None);
        step_at(&mut sign_in, 0, 5, POLL);
        reject(&mut sign_in, 6, 400, error);
        assert_eq!(sign_in.next(at(6), 0), SignInStep::End(end), "{error}");
        assert_eq!(sign_in.end(), Some(end));
        // It stays so until it is begun again.
        assert_eq!(sign_in.next(at(1_000_000), 0), SignInStep::End(end));
        sign_in.begin();
        assert_eq!(sign_in.next(at(1_000_000), 0), SignInStep::AskCode);
    }
}

#[test]
fn f3_a_code_ends_with_its_lifetime() {
    let mut sign_in = SignIn::new();
    sign_in.begin();
    let _ = sign_in.next(at(0), 0);
    // The interval is longer than the code lasts.
    give_code(&mut sign_in, 60, Some(u64::MAX));
    assert_eq!(sign_in.next(at(1), 0), SignInStep::Wait(at(60)));
    assert_eq!(sign_in.next(at(60), 0), SignInStep::End(SignInEnd::CodeExpired));
}

#[test]
fn f3_429_5xx_and_silence_never_end_asking_with_a_code() {
    let mut sign_in = shows_code(None);
    step_at(&mut sign_in, 0, 5, POLL);
    sign_in.rejected(at(5), OAuthError::Unavailable, None);
    step_at(&mut sign_in, 5, 10, POLL);
    sign_in.rejected(at(10), OAuthError::Unavailable, Some(Duration::from_secs(60)));
    step_at(&mut sign_in, 10, 70, POLL);
    reject(&mut sign_in, 70, 400, "temporarily_unavailable");
    step_at(&mut sign_in, 70, 75, POLL);
    reject(&mut sign_in, 75, 400, "server_error");
    step_at(&mut sign_in, 75, 80, POLL);
}

#[test]
fn f3_asking_for_a_code_is_repeated_with_growing_pauses() {
    let mut sign_in = SignIn::new();
    sign_in.begin();
    let mut now = 0;
    for pause in [5, 10, 20, 40, 80, 160, 240, 240] {
        assert_eq!(sign_in.next(at(now), 0), SignInStep::AskCode);
        sign_in.rejected(at(now), OAuthError::Unavailable, None);
        assert_eq!(wait(&mut sign_in, now, 0), at(now + pause));
        now += pause;
    }
    assert_eq!(sign_in.next(at(now), 0), SignInStep::AskCode);
    reject(&mut sign_in, now, 400, "unauthorized_client");
    assert_eq!(sign_in.end(), Some(SignInEnd::Rejected(OAuthError::UnauthorizedClient)));
}

#[test]
fn f3_a_token_is_renewed_before_it_ends() {
    // Five minutes before, or after half of a lifetime that is shorter than ten.
    for (lifetime, renewed) in [(3600, 3300), (600, 300), (599, 299), (60, 30), (20, 10), (8, 5), (0, 5)] {
        let mut sign_in = signed_in(Some(Duration::from_secs(lifetime)));
        assert_eq!(wait(&mut sign_in, 0, 0).as_secs(), renewed, "{lifetime}");
        assert_eq!(sign_in.is_signed_in(at(0)), lifetime > 0);
        assert_eq!(sign_in.next(at(renewed + 1), 0), SignInStep::Renew);
        // Until the new one is there, the old one is good.
        assert_eq!(sign_in.is_signed_in(at(renewed + 1)), renewed + 1 < lifetime);
    }
}

#[test]
fn f3_a_new_refresh_token_is_worth_storing_and_the_same_one_is_not() {
    let mut sign_in = signed_in(Some(HOUR));
    for (secs, held, given, is_new) in
        [(3300, "new", Some("new"), false), (7000, "new", None, false), (11_000, "new", Some("newer"), true)]
    {
        assert_eq!(sign_in.next(at(secs), 0), SignInStep::Renew, "{secs}");
        assert_eq!(give(&mut sign_in, at(secs), Some(HOUR), held, given), is_new);
    }
    let mut sign_in = shows_code(None);
    step_at(&mut sign_in, 0, 5, POLL);
    assert!(give(&mut sign_in, at(5), Some(HOUR), "", Some("first")));
}

#[test]
fn f3_only_these_errors_of_the_token_endpoint_mean_signing_in_again() {
    for (error, end) in
        [("invalid_grant", SignInEnd::Revoked), ("interaction_required", SignInEnd::InteractionRequired)]
    {
        let mut sign_in = signed_in(Some(HOUR));
        assert_eq!(sign_in.next(at(3300), 0), SignInStep::Renew);
        reject(&mut sign_in, 3300, 400, error);
        assert_eq!((sign_in.end(), sign_in.is_signed_in(at(3300))), (Some(end), false));
    }
    for error in [
        "invalid_client",
        "invalid_scope",
        "access_denied",
        "expired_token",
        "slow_down",
        "temporarily_unavailable",
        "?",
    ] {
        let mut sign_in = signed_in(Some(HOUR));
        assert_eq!(sign_in.next(at(3300), 0), SignInStep::Renew);
        reject(&mut sign_in, 3300, 400, error);
        assert_eq!(sign_in.next(at(3300), 0), SignInStep::Wait(at(3305)), "{error}");
        assert_eq!((sign_in.end(), sign_in.is_signed_in(at(3300))), (None, true));
    }
}

#[test]
fn f3_429_5xx_and_silence_never_mean_signing_in_again() {
    let mut sign_in = signed_in(Some(HOUR));
    let (mut now, mut random) = (at(0), 1u32);
    for round in 0..3000 {
        random = random.wrapping_mul(0x9E37_79B9).wrapping_add(7);
        match sign_in.next(now, random) {
            SignInStep::Wait(until) => {
                assert!(until > now);
                assert!((until - now) <= Duration::from_mins(55));
                now = until;
            }
            SignInStep::Renew => match round % 5 {
                0 => {} // silence
                1 => sign_in.failed(now),
                2 => sign_in.rejected(now, OAuthError::Unavailable, None),
                3 => sign_in.rejected(now, OAuthError::Unavailable, Some(Duration::from_secs(100))),
                _ => sign_in.rejected(now, OAuthError::Unavailable, Some(Duration::ZERO)),
            },
            other => panic!("{other:?}"),
        }
        assert_eq!(sign_in.end(), None);
        assert_eq!(sign_in.is_signed_in(now), now < at(3600));
    }
    // And it is still there when the issuer is.
    let _ = give(&mut sign_in, now, Some(HOUR), "new", None);
    assert!(sign_in.is_signed_in(now));
}

#[test]
fn f3_retry_after_of_the_token_endpoint_is_kept_to_and_absurd_ones_bounded() {
    for (asked_for, kept) in [(0, 5), (7, 7), (86_400, 86_400), (u64::MAX, 86_400)] {
        let mut sign_in = signed_in(Some(HOUR));
        assert_eq!(sign_in.next(at(3300), 0), SignInStep::Renew);
        sign_in.rejected(at(3300), OAuthError::Unavailable, Some(Duration::from_secs(asked_for)));
        // A 401 in between does not shorten it.
        sign_in.unauthorized();
        assert_eq!(wait(&mut sign_in, 3300, 0), at(3300 + kept));
    }
}

#[test]
fn f3_a_401_renews_and_a_second_one_right_after_means_signing_in_again() {
    let mut sign_in = signed_in(Some(HOUR));
    sign_in.authorized();
    sign_in.unauthorized();
    assert!(!sign_in.is_signed_in(at(100)));
    assert_eq!(sign_in.next(at(100), 0), SignInStep::Renew);
    // Another request of the same token.
    sign_in.unauthorized();
    assert_eq!(sign_in.end(), None);
    let _ = give(&mut sign_in, at(101), Some(HOUR), "new", None);
    sign_in.authorized();
    // Not right after: the renewed one was good.
    sign_in.unauthorized();
    assert_eq!(sign_in.next(at(200), 0), SignInStep::Renew);
    let _ = give(&mut sign_in, at(200), Some(HOUR), "new", None);
    sign_in.unauthorized();
    assert_eq!(sign_in.next(at(200), 0), SignInStep::End(SignInEnd::Unauthorized));
}

#[test]
fn f3_without_a_refresh_token_the_access_token_is_all() {
    let mut sign_in = shows_code(None);
    step_at(&mut sign_in, 0, 5, POLL);
    assert!(!give(&mut sign_in, at(5), Some(HOUR), "", None));
    assert_eq!(sign_in.next(at(5), 0), SignInStep::Wait(at(3605)));
    assert!(sign_in.is_signed_in(at(3604)));
    assert_eq!(sign_in.next(at(3605), 0), SignInStep::End(SignInEnd::Unauthorized));
    let mut sign_in = shows_code(None);
    step_at(&mut sign_in, 0, 5, POLL);
    let _ = give(&mut sign_in, at(5), Some(HOUR), "", None);
    sign_in.unauthorized();
    assert_eq!(sign_in.end(), Some(SignInEnd::Unauthorized));
}

#[test]
fn f3_lifetimes_are_compared_without_overflow() {
    for lifetime in [u64::MAX, u64::MAX / 1000, 1 << 40] {
        let mut sign_in = signed_in(Some(Duration::from_secs(lifetime)));
        assert!(sign_in.is_signed_in(at(1 << 33)));
        assert!(wait(&mut sign_in, 1 << 33, 0) > at(1 << 39));
    }
    // Without one, a token is good until a 401.
    let mut sign_in = signed_in(None);
    assert_eq!(sign_in.next(at(1 << 50), 0), SignInStep::Wait(Instant::NEVER));
    assert!(sign_in.is_signed_in(at(1 << 50)));
    sign_in.unauthorized();
    assert_eq!(sign_in.next(at(1 << 50), 0), SignInStep::Renew);
}

#[test]
fn f3_lifetimes_hold_across_a_wrapping_tick() {
    let mut clock = TickExtender::new();
    let begin = u32::MAX - 600_000;
    let now = clock.extend(begin);
    let mut sign_in = SignIn::with_refresh_token();
    assert_eq!(sign_in.next(now, 0), SignInStep::Renew);
    let _ = give(&mut sign_in, now, Some(HOUR), "", Some("new"));
    for minute in 1..55 {
        let now = clock.extend(begin.wrapping_add(minute * 60_000));
        assert!(sign_in.is_signed_in(now) && matches!(sign_in.next(now, 0), SignInStep::Wait(_)), "{minute}");
    }
    assert_eq!(sign_in.next(clock.extend(begin.wrapping_add(55 * 60_000)), 0), SignInStep::Renew);
    assert!(!sign_in.is_signed_in(clock.extend(begin.wrapping_add(60 * 60_000))));
}

#[test]
fn f3_a_clock_that_goes_back_renews_instead_of_trusting() {
    let mut sign_in = signed_in(Some(HOUR));
    sign_in.authorized();
    assert_eq!(sign_in.next(at(1_000_000), 0), SignInStep::Renew);
    let _ = give(&mut sign_in, at(1_000_000), Some(HOUR), "new", None);
    assert_eq!(sign_in.next(at(10), 0), SignInStep::Renew);
}

#[test]
fn f3_a_browser_s_code_is_redeemed_once_it_is_there() {
    let mut sign_in = SignIn::new();
    sign_in.begin_with_authorization_code();
    assert_eq!(sign_in.next(at(0), 0), SignInStep::AskWithAuthorizationCode);
    sign_in.rejected(at(0), OAuthError::Unavailable, None);
    step_at(&mut sign_in, 0, 5, SignInStep::AskWithAuthorizationCode);
    assert!(give(&mut sign_in, at(5), Some(HOUR), "", Some("first")));
    step_at(&mut sign_in, 5, 5 + 55 * MINUTE, SignInStep::Renew);

    sign_in.begin_with_authorization_code();
    assert_eq!(sign_in.next(at(9000), 0), SignInStep::AskWithAuthorizationCode);
    reject(&mut sign_in, 9000, 400, "invalid_grant");
    assert_eq!(sign_in.end(), Some(SignInEnd::BadCode));
}

#[test]
fn f3_a_late_grant_counts() {
    let mut sign_in = shows_code(None);
    step_at(&mut sign_in, 0, 5, POLL);
    assert_eq!(sign_in.next(at(30), 0), SignInStep::Wait(at(40)));
    assert!(give(&mut sign_in, at(31), Some(HOUR), "", Some("first")));
    assert!(sign_in.is_signed_in(at(31)));
    // But not one of an earlier sign-in.
    sign_in.begin();
    assert!(!give(&mut sign_in, at(32), Some(HOUR), "", Some("second")));
    assert_eq!(sign_in.next(at(32), 0), SignInStep::AskCode);
}

#[test]
fn f3_a_redirect_is_read_as_rfc_6749_says() {
    let read = |target: &str| {
        let mut buffer = [0; 8];
        SignIn::read_redirect(target, "s t&", &mut buffer).map(ToOwned::to_owned)
    };
    assert_eq!(read("/?code=ab&state=s+t%26"), Ok("ab".to_owned()));
    assert_eq!(read("/callback?session_state=1&state=s%20t%26&code=%c3%A9#x"), Ok("é".to_owned()));
    for other in [
        "/",
        "/?code=ab",
        "/?code=ab&state=",
        "/?code=ab&state=s",
        "/?code=ab&state=s+t%26&state=s+t%26",
        "/?code=ab&state=s+t%26%20",
        "/?code=ab&state=x+s+t%26",
        "",
    ] {
        assert_eq!(read(other), Err(RedirectError::OtherState), "{other}");
    }
    assert_eq!(read("/?error=access_denied&state=s+t%26"), Err(RedirectError::Issuer(OAuthError::AccessDenied)));
    for (error, told) in
        [("server%5Ferror", OAuthError::Unavailable), ("x", OAuthError::Other), ("%ff", OAuthError::Other)]
    {
        let target = format!("/?error={error}&code=ab&state=s+t%26");
        assert_eq!(read(&target), Err(RedirectError::Issuer(told)), "{error}");
    }
    let long = format!("/?error=access_denied{}&state=s+t%26", "x".repeat(100));
    assert_eq!(read(&long), Err(RedirectError::Issuer(OAuthError::Other)));
    for no_code in ["/?state=s+t%26", "/?code=&state=s+t%26", "/?code=a&code=b&state=s+t%26", "/?code=%ff&state=s+t%26"]
    {
        assert_eq!(read(no_code), Err(RedirectError::NoCode), "{no_code}");
    }
    assert_eq!(read("/?code=12345678&state=s+t%26"), Ok("12345678".to_owned()));
    assert_eq!(read("/?code=123456789&state=s+t%26"), Err(RedirectError::TooLong));
    for (error, expected) in [
        (RedirectError::OtherState, "the redirect belongs to another sign-in"),
        (RedirectError::Issuer(OAuthError::AccessDenied), "access_denied"),
        (RedirectError::NoCode, "the issuer gave no code"),
        (RedirectError::TooLong, "the code is too long"),
    ] {
        assert_eq!(error.to_string(), expected);
    }
}
