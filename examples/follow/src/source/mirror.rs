//! Mirroring the presence that another system publishes: `presence_core` says when to ask, and what an answer means.

use super::{News, Reporter, Source};
use crate::http::{Address, Http, Request};
use crate::sign_in::random;
use presence_core::client::{Call, ErrorAnswer, Follower, Link, Principal, Reply, Step, Update};
use presence_core::{Duration, Policy};

/// A follower, and what it has told the hub.
pub(super) struct Mirror<'a> {
    pub(super) reporter: &'a Reporter,
    pub(super) follower: Follower<Source>,
    link: Link,
    /// The newest complaint, so that each is made once.
    complaint: String,
}

impl<'a> Mirror<'a> {
    pub(super) fn new(reporter: &'a Reporter, interval: Duration) -> Self {
        let follower = Follower::new(reporter.source, &Policy::MIRROR).with_interval(interval);
        Self { reporter, follower, link: Link::NoAnswer, complaint: String::new() }
    }

    /// Returns what to do now.
    pub(super) fn next(&mut self) -> Step {
        self.follower.next(self.reporter.clock.now(), random())
    }

    /// Asks for a presence, and returns the status of the answer, if there is one.
    pub(super) fn poll(&mut self, http: &Http, server: &Address, authorization: &str) -> Option<u16> {
        let call = Call::presence(Principal::ME);
        let url = format!("{}{}", server.as_str(), call.target());
        let headers: Vec<_> = call.headers(Some(authorization), None).collect();
        let answer = http.send(&Request { method: call.method(), url: &url, headers: &headers, body: b"" });
        let now = self.reporter.clock.now();
        match answer {
            Ok(answer) => {
                self.reporter.console.detail(|| String::from_utf8_lossy(&answer.body).into_owned());
                let reply = Reply::read(answer.status, answer.retry_after, &answer.body);
                let update = self.follower.answered(now, reply);
                self.take(&update);
                self.check(answer.status, &answer.body);
                Some(answer.status)
            }
            Err(error) => {
                self.follower.failed(now);
                self.complain(&format!("{} does not answer: {error}. It is asked again.", server.as_str()));
                None
            }
        }
    }

    /// Tells the hub what is new.
    pub(super) fn take(&mut self, update: &Update<Source>) {
        // An answer was understood. A link that is not down yet after a failure is no reason to tell that once more.
        if update.command.is_some() || update.rejected.is_some() {
            self.complaint.clear();
        }
        if let Some(presence) = update.rejected {
            self.reporter.console.say(&format!("{presence} cannot be shown; what was shown ends by itself."));
        }
        let now = self.reporter.clock.now();
        let is_out_of_office = self.follower.is_out_of_office(now);
        if let Some(news) = update.command.and_then(|command| News::of(command, is_out_of_office)) {
            self.reporter.send(news);
        }
    }

    /// Tells the hub the state of the link, if it has changed; it is down also if the issuer of tokens is.
    pub(super) fn tell_link(&mut self, is_issuer_down: bool) {
        let link = match self.follower.link(self.reporter.clock.now()) {
            Link::NoAnswer if is_issuer_down => Link::Down,
            link => link,
        };
        if link != self.link {
            self.link = link;
            self.reporter.send(News::Link(link));
        }
    }

    /// Complains about a status that a person can do something about.
    pub(super) fn check(&mut self, status: u16, body: &[u8]) {
        if matches!(status, 200 | 401 | 429 | 500..) {
            return;
        }
        let mut buffer = [0; 300];
        let read = ErrorAnswer::read(status, None, body);
        let message = read.message.and_then(|message| message.text_start(&mut buffer)).unwrap_or("it does not say why");
        let hint = match status {
            403 => " Has the application the permission Presence.Read, and has somebody consented to it?",
            404 => " Personal accounts have no presence; and is the address right?",
            _ => "",
        };
        self.complain(&format!("The server answers {status}: {}.{hint}", message.trim_end_matches('.')));
    }

    /// Says something, but not twice in a row.
    pub(super) fn complain(&mut self, complaint: &str) {
        if self.complaint != complaint {
            self.reporter.console.say(complaint);
            self.complaint = complaint.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Clock;
    use crate::source::Source;
    use crate::testing::{Ends, FakeServer, Reaction};

    /// The same trouble is told once, and again when it comes back after an answer.
    #[test]
    fn trouble_that_comes_back_is_told_again() {
        let (server, ends) = (FakeServer::start(), Ends::of(Source::Graph, Clock::stopped()));
        let http = Http::new(ends.reporter.console.clone());
        let address = Address::parse(&server.address).unwrap();
        let mut mirror = Mirror::new(&ends.reporter, Duration::from_secs(1));
        for _ in 0..2 {
            for (status, body, is_trouble) in
                [(403, "{}", true), (403, "{}", true), (200, r#"{"availability":"Away","activity":"Away"}"#, false)]
            {
                while let Step::Wait(until) = mirror.next() {
                    ends.reporter.clock.skip(until.saturating_duration_since(ends.reporter.clock.now()));
                }
                server.will(Reaction::json(status, body));
                assert_eq!(mirror.poll(&http, &address, "Bearer t"), Some(status));
                mirror.tell_link(false);
                assert_eq!(mirror.complaint.is_empty(), !is_trouble, "{}", mirror.complaint);
            }
        }
    }
}
