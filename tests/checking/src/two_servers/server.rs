//! A server before a replicated store: load, decide, write if no other server has, and look again whenever the outcome is
//! uncertain.

use super::state::Truth;
use super::store::{Claim, Request, Response, Value};
use super::{COMMANDS, Fault, IDS};
use crate::one_user::event;
use presence_core::{CommandError, Duration, Instant, Policy, User, decide, next_due, snapshot};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    /// The number of commands still to come, once this one has a reply.
    pub left: u8,
    /// The index in [`COMMANDS`] of the one it is executing.
    pub command: Option<usize>,
    /// The number of the command among this server's.
    pub number: u8,
    /// The number of the latest message sent for it: responses to earlier ones come too late.
    pub attempt: u8,
    pub awaits: Awaited,
    /// The revision of a write whose response is no longer awaited. As long as the store has that revision, the write may
    /// still arrive.
    pub in_flight: Option<u64>,
}

/// The purpose of the latest message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Awaited {
    Value,
    /// Made for this revision of the store.
    Write {
        revision: u64,
    },
    /// A write that makes every earlier one come too late, before the client learns that its command is rejected.
    Fence,
}

/// The next action of a server.
pub enum Next {
    Send(Request),
    /// The command is rejected, but a write of it may still be on its way: the reply waits until that is impossible.
    Fence(Request),
    /// The client gets its reply, and the command is done.
    Reply(Result<(), CommandError>),
}

pub fn user_of(value: &Value) -> User<u8, IDS> {
    let taken_at = Instant::from_millis(value.taken_at);
    // Restored on the clock it was taken on, whatever this server's reads: so a clock that is behind shifts nothing.
    snapshot::restore(&value.snapshot, taken_at, Some(Duration::ZERO)).expect("what a server has written")
}

impl Server {
    pub fn new(commands: u8) -> Self {
        Self { left: commands, command: None, number: 0, attempt: 0, awaits: Awaited::Value, in_flight: None }
    }

    /// Returns what follows from a response to the latest message. Its `truth` is for the check alone.
    pub fn on_response(&self, me: usize, now: u64, response: Response, policy: &Policy, fault: Option<Fault>) -> Next {
        match response {
            // The only command here that is rejected is one to clear a session that is not there.
            Response::Stored if self.awaits == Awaited::Fence => Next::Reply(Err(CommandError::NotFound)),
            Response::Stored => Next::Reply(Ok(())),
            Response::Conflict if fault == Some(Fault::RejectsWhenLate) => Next::Reply(Err(CommandError::NotFound)),
            // The other server was faster, or this very write came twice, and its first response never.
            Response::Conflict => Next::Send(Request::Load),
            Response::Loaded { revision, value, .. } => {
                let is_done = value.marks[me] >= self.number;
                if is_done && fault != Some(Fault::TrustsNoMark) {
                    return Next::Reply(Ok(()));
                }
                self.decide(me, now, revision, value, policy, fault)
            }
        }
    }

    /// Returns what follows when no response comes: the outcome is unknown.
    pub fn on_timeout(&self, fault: Option<Fault>) -> Next {
        match fault {
            Some(Fault::TakesSilenceForSuccess) if matches!(self.awaits, Awaited::Write { .. }) => Next::Reply(Ok(())),
            _ => Next::Send(Request::Load),
        }
    }

    fn decide(&self, me: usize, now: u64, revision: u64, value: Value, policy: &Policy, fault: Option<Fault>) -> Next {
        let (mut user, at) = (user_of(&value), Instant::from_millis(now));
        let mut happened = Vec::new();
        while let Some(due) = next_due(&user, at, policy) {
            user.apply(&due).expect("what is due follows from the user");
            happened.push(event(&due));
        }
        let Some(command) = self.command else { return Next::Reply(Ok(())) };
        let transition = match decide(user.at(at).expect("nothing is overdue"), COMMANDS[command], policy) {
            Ok(Some(transition)) => transition,
            Ok(None) => return Next::Reply(Ok(())),
            Err(_) if self.in_flight == Some(revision) && fault != Some(Fault::RejectsAtOnce) => {
                return Next::Fence(Request::StoreIf { revision, value, claim: None });
            }
            Err(error) => return Next::Reply(Err(error)),
        };
        user.apply(&transition).expect("decided about this user");
        happened.push(event(&transition));
        if fault == Some(Fault::ExecutesTwice)
            && let Ok(Some(again)) = decide(user.at(at).expect("nothing is overdue"), COMMANDS[command], policy)
        {
            user.apply(&again).expect("decided about this user");
        }
        let mut buffer = [0; snapshot::max_len::<u8, IDS>()];
        let saved =
            snapshot::save(user.at(at).expect("nothing is overdue"), &mut buffer).expect("the buffer is large enough");
        let mut marks = value.marks;
        marks[me] = self.number;
        let value = Value { snapshot: saved.to_vec(), taken_at: now, marks };
        let claim = Claim { server: me, command, number: self.number, now, happened };
        Next::Send(Request::StoreIf { revision, value, claim: Some(claim) })
    }
}

/// Returns the error that a command has to have, of the value that it was decided about.
pub fn expected_error(
    truth: &Truth,
    numbers: &crate::rules::Numbers,
    now: u64,
    command: usize,
) -> Option<CommandError> {
    truth.person.at(numbers, now).error(numbers, IDS, COMMANDS[command])
}
