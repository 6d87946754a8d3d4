//! F3: a sign-in against an issuer that fails in every way, with the clock set forward instead of waiting.

use super::*;
use crate::testing::{FakeServer, Reaction};
use presence_core::Duration;
use tempfile::TempDir;

struct Desk {
    issuer: FakeServer,
    directory: TempDir,
    clock: Clock,
    stop: Stop,
}

impl Desk {
    fn new() -> Self {
        let (issuer, directory) = (FakeServer::start(), tempfile::tempdir().unwrap());
        Self { issuer, directory, clock: Clock::stopped(), stop: Stop::new() }
    }

    fn file(&self) -> TokenFile {
        TokenFile::new(self.directory.path().join("tokens.json"))
    }

    fn stored(&self) -> Option<String> {
        self.file().load(&self.issuer.address, "7").unwrap().map(|stored| stored.refresh_token)
    }

    fn store(&self, token: &str) {
        let (issuer, client_id) = (self.issuer.address.clone(), "7".to_string());
        self.file().save(&Stored { issuer, client_id, refresh_token: token.into() }).unwrap();
    }

    fn account(&self) -> Account {
        let options = AccountOptions {
            client_id: Some("7".into()),
            tenant: String::new(),
            issuer: Some(self.issuer.address.clone()),
            scope: "Presence.Read offline_access".into(),
            device_code: true,
            no_browser: true,
            token_file: Some(self.file().path().into()),
        };
        let console = Console::new(false);
        Account::new(&options, Http::new(console.clone()), self.clock.clone(), console).unwrap()
    }

    /// The issuer will tell its addresses.
    fn discovery(&self) {
        let url = &self.issuer.address;
        let body = serde_json::json!({
            "authorization_endpoint": format!("{url}/authorize"),
            "token_endpoint": format!("{url}/token"),
            "device_authorization_endpoint": format!("{url}/device"),
        });
        self.issuer.will(Reaction::json(200, &body.to_string()));
    }

    fn tokens(&self, access: &str, refresh: &str) {
        let body = serde_json::json!({
            "token_type": "Bearer", "expires_in": 3600, "access_token": access, "refresh_token": refresh,
        });
        self.issuer.will(Reaction::json(200, &body.to_string()));
    }

    /// Sets the clock forward to what a step waits for, and returns the seconds.
    fn skip(&self, step: Result<Instant, SignInEnd>) -> u64 {
        let wait = step.expect("no end").saturating_duration_since(self.clock.now());
        self.clock.skip(wait);
        wait.as_secs()
    }

    /// Returns the body of the next request, which goes to a path.
    fn body(&self, path: &str) -> String {
        let request = self.issuer.request();
        assert_eq!(request.line, format!("POST {path} HTTP/1.1"));
        assert_eq!(request.header("content-type"), Some("application/x-www-form-urlencoded"));
        request.body
    }

    fn signed_in(&self) -> Account {
        self.store("r0");
        self.discovery();
        self.tokens("a1", "r1");
        let mut account = self.account();
        account.step().unwrap();
        assert_eq!(self.issuer.request().line, "GET /.well-known/openid-configuration HTTP/1.1");
        let body = self.body("/token");
        assert_eq!(body, "client_id=7&grant_type=refresh_token&refresh_token=r0");
        assert_eq!((account.authorization(), self.stored().as_deref()), (Some("Bearer a1"), Some("r1")));
        account
    }
}

#[test]
fn f3_a_device_code_is_asked_with_until_it_is_granted() {
    let desk = Desk::new();
    let mut account = desk.account();
    assert_eq!(account.step(), Err(SignInEnd::NotBegun));
    desk.discovery();
    let code =
        r#"{"device_code":"d","user_code":"FJC3","verification_uri":"https://a.b","expires_in":900,"interval":5}"#;
    desk.issuer.will(Reaction::json(200, code));
    account.begin(Way::DeviceCode, &desk.stop).unwrap();
    let step = account.step();
    desk.issuer.request();
    assert_eq!(desk.body("/device"), "client_id=7&scope=Presence.Read%20offline_access");
    assert_eq!(desk.skip(step), 5);
    desk.issuer.will(Reaction::json(400, r#"{"error":"authorization_pending"}"#));
    let step = account.step();
    assert!(desk.body("/token").ends_with("&device_code=d"));
    assert_eq!(desk.skip(step), 5);
    desk.issuer.will(Reaction::json(400, r#"{"error":"slow_down"}"#));
    let step = account.step();
    assert_eq!(desk.skip(step), 10);
    // No answer at all doubles the interval.
    desk.issuer.will(Reaction::Cut);
    let step = account.step();
    assert_eq!(desk.skip(step), 20);
    assert_eq!((account.authorization(), desk.stored()), (None, None));
    desk.issuer.will(Reaction::json(400, r#"{"error":"expired_token"}"#));
    assert_eq!(account.step(), Err(SignInEnd::CodeExpired));
}

#[test]
fn f3_a_refresh_token_is_stored_before_the_access_token_is_used() {
    let desk = Desk::new();
    let mut account = desk.signed_in();
    let wait = desk.skip(account.step());
    assert_eq!(wait, 55 * 60);
    desk.tokens("a2", "r2");
    account.step().unwrap();
    assert!(desk.body("/token").ends_with("refresh_token=r1"));
    assert_eq!((account.authorization(), desk.stored().as_deref()), (Some("Bearer a2"), Some("r2")));
}

#[test]
fn f3_an_outage_of_the_issuer_ends_no_sign_in() {
    let desk = Desk::new();
    let mut account = desk.signed_in();
    desk.skip(account.step());
    let unavailable = || Reaction::Answer(503, "Retry-After: 40\r\n", "<html>".into());
    desk.issuer.will(unavailable());
    let step = account.step();
    // Good for five minutes more.
    assert_eq!((account.authorization(), account.is_down()), (Some("Bearer a1"), false));
    assert_eq!(desk.skip(step), 40);
    desk.issuer.will(Reaction::json(429, r#"{"error":"invalid_grant"}"#));
    desk.skip(account.step());
    assert!(account.is_down());
    desk.issuer.will(Reaction::Cut);
    account.step().unwrap();
    desk.clock.skip(Duration::from_hours(2));
    desk.tokens("a2", "r2");
    account.step().unwrap();
    assert_eq!((account.authorization(), account.is_down()), (Some("Bearer a2"), false));
}

#[test]
fn f3_a_refusal_that_says_nothing_about_the_person_ends_no_sign_in() {
    let desk = Desk::new();
    let mut account = desk.signed_in();
    for _ in 0..2 {
        desk.skip(account.step());
        desk.issuer.will(Reaction::json(400, r#"{"error":"invalid_scope","error_description":"x"}"#));
        account.step().unwrap();
    }
    assert!(account.is_down());
    desk.skip(account.step());
    desk.tokens("a2", "r2");
    account.step().unwrap();
    assert_eq!((account.authorization(), account.is_down()), (Some("Bearer a2"), false));
}

#[test]
fn f3_what_is_withdrawn_needs_a_person_and_goes_on_after_another_process_signed_in() {
    let desk = Desk::new();
    let mut account = desk.signed_in();
    desk.skip(account.step());
    desk.issuer.will(Reaction::json(400, r#"{"error":"invalid_grant","error_description":"AADSTS50173: x\r\ny"}"#));
    assert_eq!(account.step(), Err(SignInEnd::Revoked));
    let text = account.explain(SignInEnd::Revoked);
    assert!(text.contains("presence-follow --sign-in") && text.contains("AADSTS50173: x"), "{text}");
    assert!(!account.reload().unwrap());
    desk.store("r9");
    assert!(account.reload().unwrap());
    desk.tokens("a9", "r10");
    account.step().unwrap();
    assert_eq!((account.authorization(), desk.stored().as_deref()), (Some("Bearer a9"), Some("r10")));
}

#[test]
fn f3_a_second_401_right_after_a_renewal_needs_a_person() {
    let desk = Desk::new();
    let mut account = desk.signed_in();
    account.answered(401);
    desk.tokens("a2", "r2");
    account.step().unwrap();
    assert_eq!(account.authorization(), Some("Bearer a2"));
    account.answered(401);
    assert_eq!(account.step(), Err(SignInEnd::Unauthorized));
}

#[test]
fn a_token_that_another_process_has_renewed_is_used_instead() {
    let desk = Desk::new();
    let mut account = desk.signed_in();
    desk.skip(account.step());
    desk.body_is_quiet();
    // The issuer would take the sign-in back if r1 came a second time.
    desk.store("r5");
    desk.tokens("a6", "r6");
    account.step().unwrap();
    assert!(desk.body("/token").ends_with("refresh_token=r5"));
    assert_eq!(desk.stored().as_deref(), Some("r6"));
}

#[test]
fn a_sign_out_is_not_undone_by_a_program_that_runs() {
    let desk = Desk::new();
    let mut account = desk.signed_in();
    desk.skip(account.step());
    desk.file().forget().unwrap();
    assert_eq!(account.step(), Err(SignInEnd::NotBegun));
    assert_eq!((account.authorization(), desk.stored()), (None, None));
    desk.body_is_quiet();
    // Until somebody signs in again.
    desk.store("r5");
    assert!(account.reload().unwrap());
    desk.tokens("a6", "r6");
    account.step().unwrap();
    assert!(desk.body("/token").ends_with("refresh_token=r5"));
    assert_eq!((account.authorization(), desk.stored().as_deref()), (Some("Bearer a6"), Some("r6")));
}

#[cfg(unix)]
#[test]
fn a_token_that_could_not_be_stored_is_not_replaced_by_the_one_before() {
    let desk = Desk::new();
    let mut account = desk.signed_in();
    desk.skip(account.step());
    let (place, aside) = (desk.directory.path(), desk.directory.path().with_extension("aside"));
    let (body, rest) = std::sync::mpsc::channel();
    desk.issuer.will(Reaction::Stream(String::new(), Some(rest)));
    std::thread::scope(|scope| {
        let step = scope.spawn(|| account.step());
        assert!(desk.body("/token").ends_with("refresh_token=r1"));
        // Nothing can be stored any more when the answer is complete.
        std::fs::rename(place, &aside).unwrap();
        std::fs::write(place, "").unwrap();
        body.send(r#"{"token_type":"Bearer","expires_in":3600,"access_token":"a2","refresh_token":"r2"}"#.into())
            .unwrap();
        drop(body);
        step.join().unwrap().unwrap();
    });
    std::fs::remove_file(place).unwrap();
    std::fs::rename(&aside, place).unwrap();
    assert_eq!((account.authorization(), desk.stored().as_deref()), (Some("Bearer a2"), Some("r1")));
    desk.skip(account.step());
    desk.tokens("a3", "r3");
    account.step().unwrap();
    assert!(desk.body("/token").ends_with("refresh_token=r2"));
    assert_eq!((account.authorization(), desk.stored().as_deref()), (Some("Bearer a3"), Some("r3")));
}

impl Desk {
    fn body_is_quiet(&self) {
        assert!(self.issuer.is_quiet());
    }
}
