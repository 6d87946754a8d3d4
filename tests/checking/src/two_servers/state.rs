//! The state of the store, the network and the servers, and what really happened.

use super::server::{Awaited, Next, Server, user_of};
use super::store::{Content, Message, Request, Store};
use super::{Budget, Fault, IDS, START};
use crate::one_user::same_sessions;
use crate::rules::Person;
use presence_core::Instant;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub(super) store: Store,
    pub(super) network: Vec<Message>,
    pub(super) servers: [Server; 2],
    pub(super) time: u64,
    pub(super) budget: Budget,
    pub(super) truth: Truth,
    pub(super) violation: Option<Violation>,
}

/// What really happened, from the commands in the order in which the store took them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Truth {
    pub person: Person<IDS>,
    /// The number of times that each command of each server was executed.
    pub(super) times: [Vec<u8>; 2],
    pub(super) writes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Violation {
    LostUpdate,
    DoubleApply,
    WrongError,
}

impl State {
    pub(super) fn now_of(&self, server: usize) -> u64 {
        START + self.time - server as u64
    }

    pub(super) fn send(&mut self, server: usize, request: Request) {
        let sender = &mut self.servers[server];
        sender.attempt += 1;
        sender.awaits = match request {
            Request::Load => Awaited::Value,
            Request::StoreIf { claim: None, .. } => Awaited::Fence,
            Request::StoreIf { revision, .. } => Awaited::Write { revision },
        };
        self.network.push(Message { server, attempt: sender.attempt, content: Content::Request(request) });
    }

    pub(super) fn follow(&mut self, server: usize, next: Next) {
        match next {
            Next::Send(request) | Next::Fence(request) => self.send(server, request),
            Next::Reply(outcome) => {
                let times = self.truth.times[server][usize::from(self.servers[server].number) - 1];
                match outcome {
                    Ok(()) if times == 0 => self.violation = Some(Violation::LostUpdate),
                    // It worked, and the reply to its client says that it did not.
                    Err(_) if times > 0 => self.violation = Some(Violation::DoubleApply),
                    _ => {}
                }
                self.servers[server].command = None;
            }
        }
    }

    /// Drops messages that come too late for their sender, and for the store: they are as good as lost.
    pub(super) fn drop_messages_without_effect(&mut self, fault: Option<Fault>) {
        let Self { network, servers, store, .. } = self;
        network.retain(|Message { server, attempt, content }| {
            let sender = &servers[*server];
            let is_awaited = sender.command.is_some() && sender.attempt == *attempt;
            let may_be_stored = match content {
                Content::Request(Request::StoreIf { revision, .. }) => {
                    *revision == store.revision || fault == Some(Fault::WritesBlindly)
                }
                _ => false,
            };
            is_awaited || may_be_stored
        });
    }

    /// The user as it is stored, and as it has to be.
    pub(super) fn is_as_the_history_says(&self) -> bool {
        let (user, person) = (user_of(&self.store.value), &self.truth.person);
        let preferred = user.preferred().map(|one| (one.presence(), one.expires_at().as_millis()));
        same_sessions(&user, person)
            && preferred == person.preferred
            && user.presence() == person.published()
            && user.since() == person.since.map(Instant::from_millis)
    }

    pub(super) fn is_over(&self) -> bool {
        self.servers.iter().all(|server| server.command.is_none() && server.left == 0)
    }
}

/// Anything that orders messages.
pub(super) fn any_order(message: &Message) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    message.hash(&mut hasher);
    hasher.finish()
}
