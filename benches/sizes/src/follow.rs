//! A lamp that follows a user of Graph: the follower, sign-in, and the answers that both read.

use core::hint::black_box;
use presence_core::client::{
    Call, DeviceAnswer, ErrorAnswer, Follower, Form, Link, OAuthError, Principal, Reply, SignIn, SignInStep, Step,
    TokenAnswer,
};
use presence_core::{Duration, Instant, SingleUser};

type Lamp = SingleUser<u8, 4>;

/// What a lamp keeps of the user that it follows.
#[derive(Debug)]
pub struct Followed {
    follower: Follower<u8>,
    sign_in: SignIn,
}

#[inline(never)]
fn probe_next(followed: &mut Followed, now: Instant, random: u32) -> (SignInStep, Option<Step>, Link) {
    let step = followed.sign_in.next(now, random);
    let asks = if followed.sign_in.is_signed_in(now) { Some(followed.follower.next(now, random)) } else { None };
    if followed.sign_in.end().is_some() {
        followed.follower.sign_in_needed();
    }
    (step, asks, followed.follower.link(now))
}

/// The headers `Retry-After` and `Date`.
type Headers<'a> = [Option<&'a str>; 2];

fn retry_after([header, date]: Headers<'_>) -> Option<Duration> {
    header.and_then(|header| ErrorAnswer::parse_retry_after(header, date))
}

#[inline(never)]
fn probe_answered(
    followed: &mut Followed,
    now: Instant,
    status: u16,
    headers: Headers<'_>,
    body: &[u8],
    lamp: &mut Lamp,
) -> bool {
    if status == 401 {
        followed.sign_in.unauthorized();
    } else {
        followed.sign_in.authorized();
    }
    let update = followed.follower.answered(now, Reply::read(status, retry_after(headers), body));
    black_box(followed.follower.is_out_of_office(now));
    let shown = followed.follower.show(now, &update, lamp, |change| {
        black_box(change.after());
    });
    shown.is_ok() && update.rejected.is_none()
}

#[inline(never)]
fn probe_failed(followed: &mut Followed, now: Instant, is_of_issuer: bool) {
    if is_of_issuer {
        followed.sign_in.failed(now);
    } else {
        followed.follower.failed(now);
    }
}

#[inline(never)]
fn probe_code(followed: &mut Followed, now: Instant, status: u16, body: &[u8], shown: &mut [u8]) -> usize {
    match DeviceAnswer::read(status, body) {
        Ok(answer) => {
            followed.sign_in.code(now, &answer);
            answer.user_code.text(shown).ok().flatten().map_or(0, str::len)
        }
        Err(error) => {
            followed.sign_in.rejected(now, error, None);
            0
        }
    }
}

#[inline(never)]
fn probe_tokens(
    followed: &mut Followed,
    now: Instant,
    status: u16,
    headers: Headers<'_>,
    body: &[u8],
    held: &str,
    header: &mut [u8],
) -> Result<(usize, bool), OAuthError> {
    match TokenAnswer::read(status, body) {
        Ok(answer) => {
            let is_new = followed.sign_in.granted(now, &answer, held);
            followed.follower.signed_in();
            Ok((answer.authorization(header).map_or(0, str::len), is_new))
        }
        Err(error) => {
            followed.sign_in.rejected(now, error, retry_after(headers));
            Err(error)
        }
    }
}

#[inline(never)]
fn probe_form(form: &Form<'_>, body: &mut [u8]) -> usize {
    form.write(body).map_or(0, str::len)
}

#[inline(never)]
fn probe_request(authorization: &str, target: &mut [u8]) -> usize {
    let call = Call::presence(Principal::ME);
    call.headers(Some(authorization), None).for_each(|header| {
        black_box((call.method(), header));
    });
    call.write_target(target).map_or(0, str::len)
}

#[inline(never)]
fn probe_begin(followed: &mut Followed) {
    followed.sign_in.begin();
}

#[cfg(not(feature = "scenario"))]
type Tokens = fn(&mut Followed, Instant, u16, Headers<'_>, &[u8], &str, &mut [u8]) -> Result<(usize, bool), OAuthError>;

#[cfg(not(feature = "scenario"))]
type Probes = (
    fn(&mut Followed, Instant, u32) -> (SignInStep, Option<Step>, Link),
    fn(&mut Followed, Instant, u16, Headers<'_>, &[u8], &mut Lamp) -> bool,
    fn(&mut Followed, Instant, bool),
    fn(&mut Followed, Instant, u16, &[u8], &mut [u8]) -> usize,
    Tokens,
    fn(&Form<'_>, &mut [u8]) -> usize,
    fn(&str, &mut [u8]) -> usize,
    fn(&mut Followed),
);

/// Links every probe: the compiler cannot tell whether any is called, nor with which arguments.
#[cfg(not(feature = "scenario"))]
#[inline(always)]
pub fn drive() -> bool {
    let probes: &Probes =
        &(probe_next, probe_answered, probe_failed, probe_code, probe_tokens, probe_form, probe_request, probe_begin);
    black_box(probes);
    true
}

/// Signs in, follows, loses an answer, renews and is revoked, and reports whether each call did what it should.
#[cfg(feature = "scenario")]
#[inline(always)]
pub fn drive() -> bool {
    use crate::label::label_idle;
    use presence_core::client::SignInEnd;
    use presence_core::{Policy, Presence};

    const CODE: &[u8] = br#"{"user_code":"FJC3Q9","device_code":"FAQABAAEAAAD","verification_uri":"https://microsoft.com/devicelogin","expires_in":900,"interval":5,"message":"Enter the code."}"#;
    const TOKENS: &[u8] = br#"{"token_type":"Bearer","scope":"Presence.Read","expires_in":3599,"ext_expires_in":3599,"access_token":"eyJ0eXAi\u004fJKV1Qi","refresh_token":"0.AXoA"}"#;
    const PRESENCE: &[u8] = br#"{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users('me')/presence/$entity","id":"fa8bf3dc-eca7-46b7-bad1-db199b62afc3","availability":"Bus\u0079","activity":"InACall","outOfOfficeSettings":{"message":null,"isOutOfOffice":true},"statusMessage":{"message":{"content":"caf\u00e9","contentType":"text"}},"sequenceNumber":"A0129311063"}"#;

    let moment = |secs| black_box(Instant::from_secs(secs));
    let mut owner = Followed { follower: Follower::new(1, &Policy::MIRROR), sign_in: SignIn::new() };
    let followed = black_box(&mut owner);
    let mut lamp = Lamp::new(Policy::DESK);
    let mut bytes = [0; 512];
    let mut good = true;
    label_idle();
    probe_begin(followed);
    good &= probe_next(followed, moment(0), 7).0 == SignInStep::AskCode;
    let form = Form::DeviceAuthorization { client_id: "22553876", scope: "Presence.Read offline_access" };
    good &= probe_form(black_box(&form), &mut bytes) > 0;
    good &= probe_code(followed, moment(0), 503, black_box(b"<html>"), &mut bytes) == 0;
    good &= probe_next(followed, moment(7), 7).0 == SignInStep::AskCode;
    good &= probe_code(followed, moment(7), 200, black_box(CODE), &mut bytes) == 6;
    good &= probe_next(followed, moment(12), 7).0 == SignInStep::AskWithDeviceCode;
    let pending = black_box(br#"{"error":"slow_down"}"#);
    good &= probe_tokens(followed, moment(12), 400, [None; 2], pending, "", &mut bytes) == Err(OAuthError::SlowDown);
    good &= probe_next(followed, moment(22), 7).0 == SignInStep::AskWithDeviceCode;
    good &= probe_tokens(followed, moment(22), 200, [None; 2], black_box(TOKENS), "", &mut bytes) == Ok((22, true));
    good &= probe_next(followed, moment(22), 7).1 == Some(Step::Ask { resumes: false });
    good &= probe_request(black_box("Bearer eyJ0eXAiOJKV1Qi"), &mut bytes) > 0;
    good &= probe_answered(followed, moment(23), 200, [None; 2], black_box(PRESENCE), &mut lamp);
    good &= lamp.presence(moment(23)) == Presence::InACall && probe_next(followed, moment(23), 7).2 == Link::Ok;
    good &= probe_next(followed, moment(52), u32::MAX).1 == Some(Step::Ask { resumes: false });
    probe_failed(followed, moment(53), false);
    good &= probe_next(followed, moment(90), 7).1 == Some(Step::Ask { resumes: false });
    let headers = [Some("Mon, 30 Nov 2026 00:00:29 GMT"), Some("Sun, 29 Nov 2026 23:59:59 GMT")];
    good &= probe_answered(followed, moment(91), 429, black_box(headers), b"", &mut lamp);
    good &= probe_next(followed, moment(91), 7).2 == Link::Down;
    good &= probe_next(followed, moment(4000), 7).0 == SignInStep::Renew;
    probe_failed(followed, moment(4001), true);
    good &= probe_next(followed, moment(4010), 7).0 == SignInStep::Renew;
    let form = Form::Refresh { client_id: "22553876", refresh_token: "0.AXoA", scope: "" };
    good &= probe_form(black_box(&form), &mut bytes) > 0;
    let revoked = black_box(br#"{"error":"invalid_grant","error_description":"AADSTS70000"}"#);
    good &=
        probe_tokens(followed, moment(4010), 400, [None; 2], revoked, "", &mut bytes) == Err(OAuthError::InvalidGrant);
    good &= probe_next(followed, moment(4010), 7).0 == SignInStep::End(SignInEnd::Revoked);
    good & (probe_next(followed, moment(4010), 7).2 == Link::SignIn)
}
