//! Sentences that say what to do when a sign-in fails.

use presence_core::client::SignInEnd;

/// What to do about the errors of Entra that a new application meets. Codes may change, so they decide nothing: what the issuer
/// says is always shown as well. See <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>.
const HINTS: [(&str, &str); 13] = [
    ("AADSTS7000218", "In the app registration, under Authentication, set “Allow public client flows” to Yes."),
    (
        "AADSTS50011",
        "In the app registration, under Authentication, add http://localhost to “Mobile and desktop applications”.",
    ),
    ("AADSTS50194", "The application belongs to one tenant: give it with --tenant."),
    ("AADSTS700016", "Is --client-id the application (client) id, and --tenant the tenant in which it is registered?"),
    ("AADSTS90002", "There is no such tenant: look at --tenant."),
    ("AADSTS900023", "There is no such tenant: look at --tenant."),
    (
        "AADSTS65001",
        "Nobody has consented to Presence.Read. Sign in in the browser to consent, or ask an administrator.",
    ),
    ("AADSTS65004", "You declined the permission Presence.Read, without which nothing can be followed."),
    (
        "AADSTS90094",
        "Your organization wants an administrator to consent: ask for “grant admin consent” for this application.",
    ),
    ("AADSTS90095", "Your organization wants an administrator to consent: the request was sent to the administrator."),
    (
        "AADSTS53003",
        "Your organization blocks this kind of sign-in (Conditional Access). Try the other kind: with or without --device-code.",
    ),
    ("AADSTS50076", "Your organization wants a second factor: sign in again."),
    ("AADSTS500200", "This is a personal account, and those have no presence in Graph. Use one of work or school."),
];

/// Returns a sentence that says why a person has to sign in, and what to do. `reason` is what the issuer says.
pub(super) fn explain(end: SignInEnd, reason: &str) -> String {
    let again = "Run `presence-follow --sign-in` with the same options.";
    let why = match end {
        SignInEnd::NotBegun => return format!("Nobody has signed in yet. {again}"),
        SignInEnd::Declined => "The sign-in was declined.",
        SignInEnd::CodeExpired => "The code was not entered in time.",
        SignInEnd::BadCode => "The issuer does not know the code.",
        SignInEnd::Revoked => {
            "The sign-in has ended: it was withdrawn, the password has changed, or it was not used for long."
        }
        SignInEnd::InteractionRequired => "The issuer wants to see you again, for example for a second factor.",
        SignInEnd::Unauthorized => "The token is not accepted, and neither was a new one.",
        SignInEnd::Rejected(error) => return rejected(&error.to_string(), reason),
        _ => "The sign-in has ended.",
    };
    let reason = if reason.is_empty() { String::new() } else { format!(" The issuer says: {reason}") };
    let hint = hint(reason.as_str()).map_or(String::new(), |hint| format!(" {hint}"));
    format!("{why}{hint} {again}{reason}")
}

fn rejected(error: &str, reason: &str) -> String {
    let hint = hint(reason).unwrap_or("Look at --client-id, --tenant and the app registration.");
    format!("The issuer refuses this application ({error}). {hint} The issuer says: {reason}")
}

/// Returns what to do about an error of Entra.
fn hint(reason: &str) -> Option<&'static str> {
    let code = reason.split(|letter: char| !letter.is_ascii_alphanumeric()).find(|word| word.starts_with("AADSTS"))?;
    HINTS.iter().find(|(known, _)| *known == code).map(|(_, hint)| *hint)
}

/// Returns the first line of what an issuer says about an error.
pub(super) fn description(body: &[u8]) -> String {
    let read: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let text = read.as_ref().and_then(|read| read.get("error_description")?.as_str()).unwrap_or_default();
    printable(text.lines().next().unwrap_or_default()).chars().take(300).collect()
}

/// Returns a text without what could change a terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{FFFD}' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use presence_core::client::OAuthError;

    #[test]
    fn entras_errors_say_what_to_do() {
        let body = br#"{"error":"invalid_client","error_description":"AADSTS7000218: The request body must contain \u001b[2Jx.\r\nTrace ID: 1"}"#;
        let reason = description(body);
        assert_eq!(reason, "AADSTS7000218: The request body must contain \u{FFFD}[2Jx.");
        let text = explain(SignInEnd::Rejected(OAuthError::InvalidClient), &reason);
        assert!(text.contains("Allow public client flows"), "{text}");
        // One code that begins as another does.
        assert_eq!(hint("AADSTS500110: x"), None);
        assert_eq!(description(b"<html>"), "");
    }

    #[test]
    fn every_end_says_how_to_go_on() {
        for end in [SignInEnd::NotBegun, SignInEnd::Revoked, SignInEnd::Declined, SignInEnd::Unauthorized] {
            assert!(explain(end, "").contains("presence-follow --sign-in"), "{end:?}");
        }
    }
}
