//! The requests and answers of sign-in: RFC 6749, RFC 7636, RFC 8628, and what Entra adds.

use presence_core::client::{AnswerError, DeviceAnswer, Form, OAuthError, TokenAnswer};
use presence_core::{BufferFull, Duration};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

/// Reads a form as the URL standard does, but for `+`, which is not written.
fn decoded(form: &str) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            assert!(byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte), "{text}");
            bytes.push(match byte {
                b'%' => {
                    let digits = [rest.next().unwrap(), rest.next().unwrap()];
                    u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
                }
                plain => plain,
            });
        }
        String::from_utf8(bytes).unwrap()
    };
    form.split('&')
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

proptest! {
    #[test]
    fn f4_forms_are_decoded_to_what_was_meant(texts in proptest::collection::vec(any::<String>(), 5)) {
        let [client_id, scope, one, two, three] = texts.iter().map(String::as_str).collect::<Vec<_>>().try_into().unwrap();
        let pending = "urn:ietf:params:oauth:grant-type:device_code";
        for (form, expected) in [
            (Form::DeviceAuthorization { client_id, scope }, vec![("client_id", client_id), ("scope", scope)]),
            (
                Form::DeviceCode { client_id, device_code: one },
                vec![("client_id", client_id), ("grant_type", pending), ("device_code", one)],
            ),
            (
                Form::Refresh { client_id, refresh_token: one, scope },
                vec![("client_id", client_id), ("grant_type", "refresh_token"), ("refresh_token", one), ("scope", scope)],
            ),
            (
                Form::AuthorizationUrl { client_id, scope, redirect_uri: one, state: two, code_challenge: three },
                vec![
                    ("client_id", client_id), ("response_type", "code"), ("redirect_uri", one), ("scope", scope),
                    ("state", two), ("code_challenge", three), ("code_challenge_method", "S256"),
                ],
            ),
            (
                Form::AuthorizationCode { client_id, code: one, redirect_uri: two, code_verifier: three },
                vec![
                    ("client_id", client_id), ("grant_type", "authorization_code"), ("code", one), ("redirect_uri", two),
                    ("code_verifier", three),
                ],
            ),
        ] {
            let expected: Vec<_> = expected.into_iter().filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            let written = form.to_string();
            let mut buffer = vec![0; written.len()];
            prop_assert_eq!(form.write(&mut buffer), Ok(written.as_str()));
            if let Some(len) = written.len().checked_sub(1) {
                prop_assert_eq!(form.write(&mut buffer[..len]), Err(BufferFull));
            }
            let fields: usize = texts.iter().map(String::len).sum();
            prop_assert!(written.len() <= 100 + 3 * fields);
            prop_assert_eq!(if written.is_empty() { Vec::new() } else { decoded(&written) }, expected);
        }
    }

    #[test]
    fn f4_no_answer_of_a_token_endpoint_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), status: u16) {
        prop_assert!(TokenAnswer::read(status, &bytes).is_err());
        prop_assert!(DeviceAnswer::read(status, &bytes).is_err());
    }
}

/// Codes and tokens do not belong in logs.
#[test]
fn f4_forms_are_logged_without_what_is_in_them() {
    for (form, expected) in [
        (Form::DeviceAuthorization { client_id: "secret", scope: "secret" }, "DeviceAuthorization"),
        (Form::DeviceCode { client_id: "secret", device_code: "secret" }, "DeviceCode"),
        (Form::Refresh { client_id: "secret", refresh_token: "secret", scope: "secret" }, "Refresh"),
        (
            Form::AuthorizationUrl {
                client_id: "secret",
                scope: "secret",
                redirect_uri: "secret",
                state: "secret",
                code_challenge: "secret",
            },
            "AuthorizationUrl",
        ),
        (
            Form::AuthorizationCode {
                client_id: "secret",
                code: "secret",
                redirect_uri: "secret",
                code_verifier: "secret",
            },
            "AuthorizationCode",
        ),
    ] {
        assert_eq!(format!("{form:?}"), expected);
    }
}

fn token(answer: &Json) -> Result<(String, Option<Duration>), OAuthError> {
    let text = answer.to_string();
    let read = TokenAnswer::read(200, text.as_bytes())?;
    let mut buffer = [0; TokenAnswer::MAX_AUTHORIZATION_LEN];
    Ok((read.authorization(&mut buffer).unwrap().to_owned(), read.expires_in))
}

#[test]
fn f4_tokens_are_read_up_to_their_longest() {
    let longest = "x".repeat(TokenAnswer::MAX_TOKEN_LEN);
    let unreadable = |error| Err(OAuthError::Unreadable(error));
    let hour = Some(Duration::from_secs(3600));
    for (answer, expected) in [
        (json!({"access_token": "a.b-c", "expires_in": 3600}), Ok(("Bearer a.b-c".to_owned(), hour))),
        (json!({"access_token": "a", "expires_in": "3600", "token_type": "bearer"}), Ok(("Bearer a".to_owned(), hour))),
        (json!({"access_token": "a", "expires_in": 3600.9}), Ok(("Bearer a".to_owned(), hour))),
        (json!({"access_token": "a", "expires_in": u64::MAX}), Ok(("Bearer a".to_owned(), Some(Duration::MAX)))),
        (json!({"access_token": longest, "refresh_token": longest}), Ok((format!("Bearer {longest}"), None))),
        (json!({"access_token": longest.clone() + "x"}), unreadable(AnswerError::TooLong("access_token"))),
        (
            json!({"access_token": "a", "refresh_token": longest.clone() + "x"}),
            unreadable(AnswerError::TooLong("refresh_token")),
        ),
        (json!({}), unreadable(AnswerError::Missing("access_token"))),
        (json!({"access_token": ""}), unreadable(AnswerError::Malformed("access_token"))),
        (json!({"access_token": 7}), unreadable(AnswerError::Malformed("access_token"))),
        (json!({"access_token": "a\r\nHost: b"}), unreadable(AnswerError::Malformed("access_token"))),
        (json!({"access_token": "é"}), unreadable(AnswerError::Malformed("access_token"))),
        (json!({"access_token": "a", "token_type": "pop"}), unreadable(AnswerError::Malformed("token_type"))),
        (json!({"access_token": "a", "token_type": "BearerToken"}), unreadable(AnswerError::Malformed("token_type"))),
        (json!({"access_token": "a", "expires_in": -1}), unreadable(AnswerError::Malformed("expires_in"))),
        (json!({"access_token": "a", "expires_in": true}), unreadable(AnswerError::Malformed("expires_in"))),
        (json!({"access_token": "a", "scope": 7}), unreadable(AnswerError::Malformed("scope"))),
        (json!([]), unreadable(AnswerError::NotAnObject)),
    ] {
        assert_eq!(token(&answer), expected);
    }
    // Escaped, as some servers write a slash.
    let read = TokenAnswer::read(200, br#"{"access_token":"a\/b","refresh_token":"\u0061"}"#).unwrap();
    assert_eq!(read.authorization(&mut [0; 10]), Ok("Bearer a/b"));
    for len in 0..10 {
        assert_eq!(read.authorization(&mut [0; 10][..len]), Err(BufferFull));
    }
    assert!(read.refresh_token.unwrap().is_text("a"));
    assert_eq!(format!("{read:?}"), "TokenAnswer { expires_in: None, .. }");
}

#[test]
fn f4_errors_of_sign_in_are_told_apart() {
    let read =
        |status, code: &str| TokenAnswer::read(status, json!({"error": code}).to_string().as_bytes()).unwrap_err();
    for (code, expected) in [
        ("authorization_pending", OAuthError::AuthorizationPending),
        ("slow_down", OAuthError::SlowDown),
        ("access_denied", OAuthError::AccessDenied),
        ("authorization_declined", OAuthError::AuthorizationDeclined),
        ("expired_token", OAuthError::ExpiredToken),
        ("bad_verification_code", OAuthError::BadVerificationCode),
        ("invalid_grant", OAuthError::InvalidGrant),
        ("interaction_required", OAuthError::InteractionRequired),
        ("invalid_client", OAuthError::InvalidClient),
        ("unauthorized_client", OAuthError::UnauthorizedClient),
        ("unsupported_grant_type", OAuthError::UnsupportedGrantType),
        ("invalid_scope", OAuthError::InvalidScope),
        ("invalid_request", OAuthError::InvalidRequest),
        ("temporarily_unavailable", OAuthError::Unavailable),
        ("server_error", OAuthError::Unavailable),
        ("INVALID_GRANT", OAuthError::Other),
    ] {
        assert_eq!(read(400, code), expected);
        assert_eq!(read(200, code), expected, "some servers answer an error so");
        assert_eq!(OAuthError::from_code(code), expected);
        let is_pending = matches!(expected, OAuthError::AuthorizationPending | OAuthError::SlowDown);
        for status in [429, 500, 503] {
            assert_eq!(read(status, code), if is_pending { expected } else { OAuthError::Unavailable });
        }
    }
    assert_eq!(OAuthError::SlowDown.to_string(), "slow_down");
    assert_eq!((OAuthError::Other.code(), OAuthError::Other.to_string().as_str()), (None, "another error"));
    assert_eq!(OAuthError::Unreadable(AnswerError::Missing("error")).to_string(), "error is missing");
    let unreadable = |status, body: &[u8]| TokenAnswer::read(status, body).unwrap_err();
    assert_eq!(unreadable(503, b"<html>"), OAuthError::Unavailable);
    assert_eq!(unreadable(404, b"{}"), OAuthError::Unreadable(AnswerError::Missing("error")));
    assert_eq!(unreadable(400, br#"{"error":{"code":"x"}}"#), OAuthError::Unreadable(AnswerError::Malformed("error")));
    assert!(matches!(unreadable(400, b"<html>"), OAuthError::Unreadable(AnswerError::Json(_))));
    // As Entra writes it.
    let body = json!({
        "error": "invalid_grant", "error_description": "AADSTS70008: The provided authorization code or refresh token has expired.",
        "error_codes": [70008], "timestamp": "2026-11-30 19:00:00Z", "trace_id": "x", "correlation_id": "y", "suberror": "token_expired",
    });
    assert_eq!(unreadable(400, body.to_string().as_bytes()), OAuthError::InvalidGrant);
}

#[test]
fn f4_device_codes_are_read_as_rfc_8628_and_entra_write_them() {
    let whole = json!({
        "device_code": "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS", "user_code": "WDJB-MJHT",
        "verification_uri": "https://example.com/device", "verification_uri_complete": "https://example.com/device?user_code=WDJB-MJHT",
        "expires_in": 1800, "interval": 7, "message": "To sign in, use a web browser.",
    });
    let text = whole.to_string();
    let read = DeviceAnswer::read(200, text.as_bytes()).unwrap();
    for (value, name) in [
        (Some(read.device_code), "device_code"),
        (Some(read.user_code), "user_code"),
        (Some(read.verification_uri), "verification_uri"),
        (read.verification_uri_complete, "verification_uri_complete"),
        (read.message, "message"),
    ] {
        assert!(value.is_some_and(|value| value.is_text(whole[name].as_str().unwrap())), "{name}");
    }
    assert_eq!((read.expires_in, read.interval), (Duration::from_mins(30), Duration::from_secs(7)));
    assert_eq!(
        format!("{read:?}"),
        format!("DeviceAnswer {{ expires_in: {:?}, interval: {:?}, .. }}", read.expires_in, read.interval)
    );
    for name in ["device_code", "user_code", "verification_uri", "expires_in"] {
        let mut part = whole.clone();
        part[name] = Json::Null;
        let error = DeviceAnswer::read(200, part.to_string().as_bytes()).unwrap_err();
        assert_eq!(error, OAuthError::Unreadable(AnswerError::Missing(name)));
        part[name] = json!([]);
        let error = DeviceAnswer::read(200, part.to_string().as_bytes()).unwrap_err();
        assert_eq!(error, OAuthError::Unreadable(AnswerError::Malformed(name)));
    }
    let mut part = whole.clone();
    part["interval"] = Json::Null;
    assert_eq!(DeviceAnswer::read(200, part.to_string().as_bytes()).unwrap().interval, Duration::from_secs(5));
    assert_eq!(DeviceAnswer::read(400, br#"{"error":"invalid_client"}"#).unwrap_err(), OAuthError::InvalidClient);
}
