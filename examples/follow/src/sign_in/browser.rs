//! Signing in with a browser on the same computer: authorization code, PKCE and a loopback redirect (RFC 8252).

use crate::{Console, Stop};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use presence_core::client::{Form, RedirectError, SignIn, TokenAnswer};
use sha2::{Digest, Sha256};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

/// The time that a person has.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
/// The time for a browser's request.
const REQUEST: Duration = Duration::from_secs(10);
/// The longest head of a browser's request.
const LONGEST: usize = 16 * 1024;

/// What the browser has brought back, and what goes to the issuer with it.
pub(super) struct Redirected {
    code: String,
    redirect_uri: String,
    verifier: String,
}

impl Redirected {
    /// Returns the request for tokens.
    pub(super) fn form<'a>(&'a self, client_id: &'a str) -> Form<'a> {
        let Self { code, redirect_uri, verifier } = self;
        Form::AuthorizationCode { client_id, code, redirect_uri, code_verifier: verifier }
    }
}

/// Sends the person to the issuer, and waits until the browser comes back.
pub(super) fn ask(
    address: &str,
    client_id: &str,
    scope: &str,
    opens: bool,
    console: &Console,
    stop: &Stop,
) -> Result<Redirected, String> {
    let (state, verifier) = (secret()?, secret()?);
    let door = listen().map_err(|error| format!("Cannot listen for the browser on this computer: {error}."))?;
    // Entra ignores the port of a redirect to localhost, and asks for no other address.
    let redirect_uri = format!("http://localhost:{}", door.port);
    let code_challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
    let query = Form::AuthorizationUrl {
        client_id,
        scope,
        redirect_uri: &redirect_uri,
        state: &state,
        code_challenge: &code_challenge,
    };
    let url = format!("{address}{}{query}", if address.contains('?') { '&' } else { '?' });
    let is_open = opens && open::that_detached(&url).is_ok();
    let how = if is_open { "Sign in in the browser that opens now. If none does, open" } else { "To sign in, open" };
    console.say(&format!("{how} this address on this computer:\n{url}"));
    let code = wait(&door.targets, &state, stop)?;
    Ok(Redirected { code, redirect_uri, verifier })
}

/// Waits for the code.
fn wait(targets: &Receiver<(String, TcpStream)>, state: &str, stop: &Stop) -> Result<String, String> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if stop.is_requested() {
            return Err("The sign-in was not finished.".into());
        }
        let Ok((target, mut browser)) = targets.recv_timeout(Duration::from_millis(200)) else { continue };
        let mut buffer = [0; TokenAnswer::MAX_TOKEN_LEN];
        match SignIn::read_redirect(&target, state, &mut buffer) {
            // Of an older window, of another program, or for an icon.
            Err(RedirectError::OtherState) => respond(&mut browser, "404 Not Found", "This is no answer to a sign-in."),
            Err(error) => {
                respond(
                    &mut browser,
                    "200 OK",
                    "You are not signed in. The terminal says why. You can close this window.",
                );
                return Err(format!("The sign-in was refused: {error}."));
            }
            Ok(code) => {
                respond(&mut browser, "200 OK", "Thank you. You can close this window, and go back to the terminal.");
                return Ok(code.into());
            }
        }
    }
    Err("Nobody signed in within ten minutes. Run `presence-follow --sign-in` to try again.".into())
}

/// A port of this computer at which browsers are answered until it is dropped.
struct Door {
    port: u16,
    /// The targets of requests, each with its connection.
    targets: Receiver<(String, TcpStream)>,
    _is_open: Arc<()>,
}

/// Listens on a free port.
fn listen() -> std::io::Result<Door> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    let (sender, targets) = sync_channel(8);
    let is_open = Arc::new(());
    // Some browsers mean this one by localhost.
    let other = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).ok();
    for listener in [Some(listener), other].into_iter().flatten() {
        listener.set_nonblocking(true)?;
        let (sender, is_open) = (sender.clone(), Arc::downgrade(&is_open));
        thread::spawn(move || accept(&listener, &sender, &is_open));
    }
    Ok(Door { port, targets, _is_open: is_open })
}

/// Accepts connections. A browser may open some that it does not use, so each is read by a thread of its own.
fn accept(listener: &TcpListener, sender: &SyncSender<(String, TcpStream)>, is_open: &Weak<()>) {
    while is_open.strong_count() > 0 {
        let Ok((browser, _)) = listener.accept() else {
            thread::sleep(Duration::from_millis(100));
            continue;
        };
        let sender = sender.clone();
        thread::spawn(move || {
            if let Some(request) = read(browser) {
                // Nobody may wait any more.
                let _ = sender.send(request);
            }
        });
    }
}

/// Reads the head of a request, and returns its target.
fn read(mut browser: TcpStream) -> Option<(String, TcpStream)> {
    browser.set_nonblocking(false).ok()?;
    browser.set_read_timeout(Some(REQUEST)).ok()?;
    browser.set_write_timeout(Some(REQUEST)).ok()?;
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut piece = [0; 1024];
        let len = browser.read(&mut piece).ok().filter(|len| *len > 0 && head.len() < LONGEST)?;
        head.extend_from_slice(piece.get(..len)?);
    }
    let line = head.split(|byte| *byte == b'\r').next()?;
    let target = std::str::from_utf8(line).ok()?.strip_prefix("GET ")?.split(' ').next()?.to_string();
    Some((target, browser))
}

fn respond(browser: &mut TcpStream, status: &str, text: &str) {
    let page = format!("<!doctype html><meta charset=utf-8><title>presence-follow</title><p>{text}</p>\n");
    let headers = "Content-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close";
    // The person sees the same in the terminal.
    let _ = write!(browser, "HTTP/1.1 {status}\r\n{headers}\r\nContent-Length: {}\r\n\r\n{page}", page.len());
}

/// Returns a text by chance, of 43 characters.
fn secret() -> Result<String, String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| format!("This computer has no random numbers: {error}."))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks as a browser does, and returns the whole answer.
    fn browse(port: u16, target: &str) -> String {
        let mut browser = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        write!(browser, "GET {target} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n").unwrap();
        let mut answer = String::new();
        browser.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn f3_the_code_of_this_sign_in_is_taken_and_nothing_else() {
        let door = listen().unwrap();
        let port = door.port;
        // Browsers open connections that they may never use.
        let silent = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        let browser = thread::spawn(move || {
            ["/favicon.ico", "/?code=evil&state=other", "/?code=0.AX%2bY&state=af0i"].map(|target| browse(port, target))
        });
        assert_eq!(wait(&door.targets, "af0i", &Stop::new()), Ok("0.AX+Y".into()));
        let answers = browser.join().unwrap();
        assert!(answers[0].starts_with("HTTP/1.1 404 ") && answers[1].starts_with("HTTP/1.1 404 "), "{answers:?}");
        assert!(answers[2].starts_with("HTTP/1.1 200 ") && answers[2].contains("You can close this window"));
        drop(silent);
    }

    #[test]
    fn f3_a_refusal_and_a_stop_end_the_sign_in() {
        let door = listen().unwrap();
        let port = door.port;
        let browser = thread::spawn(move || browse(port, "/?error=access_denied&state=af0i"));
        let error = wait(&door.targets, "af0i", &Stop::new()).unwrap_err();
        assert!(error.contains("access_denied"), "{error}");
        assert!(browser.join().unwrap().contains("You are not signed in"));
        let stop = Stop::new();
        stop.request();
        assert!(wait(&door.targets, "af0i", &stop).is_err());
    }

    #[test]
    fn secrets_are_long_enough_for_pkce() {
        let (one, other) = (secret().unwrap(), secret().unwrap());
        assert!(one.len() == 43 && one != other);
    }
}
