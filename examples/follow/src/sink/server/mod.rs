//! A server: the presence as the session of an application, which others see beside those of other applications.

mod delivery;
mod options;

pub use options::TellOptions;

use super::{Inbox, NAP, known};
use crate::http::{Address, Answer, Http, Request};
use crate::sign_in::random;
use crate::slot::Wake;
use delivery::{Delivery, Step};
use presence_core::client::{Call, ErrorAnswer, Principal};
use presence_core::{Command, Policy, SessionId, UserId};

/// A server, and the session that this program has there.
pub(crate) struct Server {
    pub(crate) http: Http,
    pub(crate) address: Address,
    pub(crate) authorization: String,
    pub(crate) user: UserId,
    /// The application's id, which is that of its session.
    pub(crate) application: SessionId,
    /// What the server allows this application.
    pub(crate) policy: &'static Policy,
}

/// Tells a server what is shown until there is nothing more, and takes the session back then.
pub(crate) fn run(inbox: &Inbox, server: &Server) {
    let mut teller =
        Teller { inbox, server, delivery: Delivery::new(server.application, server.policy), said: String::new() };
    loop {
        let nap = match teller.delivery.next(inbox.clock.now(), random()) {
            Step::Send(command) => {
                teller.send(command);
                continue;
            }
            Step::Wait(until) => inbox.clock.until(until).min(NAP),
        };
        match inbox.states.take(nap) {
            Wake::New(state) => {
                if let Some(presence) = teller.delivery.want(known(&state)) {
                    inbox.console.say(&format!(
                        "{} does not allow {presence}; --tell-policy says what it allows.",
                        teller.name()
                    ));
                }
            }
            Wake::Timeout => {}
            Wake::Closed => break,
        }
    }
    if let Some(command) = teller.delivery.farewell() {
        // Otherwise its lease ends.
        let _ = teller.request(command);
    }
}

struct Teller<'a> {
    inbox: &'a Inbox,
    server: &'a Server,
    delivery: Delivery,
    /// What was last said, so that it is said once.
    said: String,
}

impl Teller<'_> {
    fn name(&self) -> &str {
        self.server.address.as_str()
    }

    /// Sends a command, and records how it went.
    fn send(&mut self, command: Command<SessionId>) {
        let answer = self.request(command);
        let now = self.inbox.clock.now();
        match answer {
            Ok(answer) if is_done(answer.status, &command) => {
                self.delivery.succeeded(now, &command);
                self.said.clear();
            }
            Ok(answer) => {
                self.delivery.failed(now, answer.retry_after);
                let text = self.explain(&answer);
                self.say(text);
            }
            Err(error) => {
                self.delivery.failed(now, None);
                self.say(format!("{} does not answer: {error}. It is told again.", self.name()));
            }
        }
    }

    fn request(&self, command: Command<SessionId>) -> Result<Answer, String> {
        let Server { http, address, authorization, user, policy, .. } = self.server;
        let call = Call::execute(Principal::id(*user), command, policy).map_err(|error| error.to_string())?;
        let mut buffer = [0; Call::MAX_COMMAND_BODY];
        let body = call.write_body(&mut buffer).map_err(|error| error.to_string())?;
        let url = format!("{}{}", address.as_str(), call.target());
        let headers: Vec<_> = call.headers(Some(authorization), None).collect();
        http.send(&Request { method: call.method(), url: &url, headers: &headers, body })
    }

    /// Says what a person can do about an answer.
    fn explain(&self, answer: &Answer) -> String {
        let mut buffer = [0; 300];
        let read = ErrorAnswer::read(answer.status, None, &answer.body);
        let message = read.message.and_then(|message| message.text_start(&mut buffer)).unwrap_or("it does not say why");
        let hint = match answer.status {
            401 => " Is the token of --tell-token-file right?",
            403 => " Is --tell-application the application of the token, and may it write this user?",
            _ => "",
        };
        format!("{} answers {}: {message}.{hint}", self.name(), answer.status)
    }

    fn say(&mut self, message: String) {
        if self.said != message {
            self.inbox.console.say(&message);
            self.said = message;
        }
    }
}

/// Reports whether a command has done what it is for. A session that is not there need not be cleared.
const fn is_done(status: u16, command: &Command<SessionId>) -> bool {
    matches!(status, 200..=299) || (status == 404 && matches!(command, Command::ClearPresence { .. }))
}
