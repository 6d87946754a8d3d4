//! A server before a replicated store: load, decide, write if nobody else has, and look again whenever it is not certain
//! what came of it.

use super::state::Truth;
use super::store::{Answer, Claim, Request, Value};
use super::{COMMANDS, Fault, IDS};
use crate::one_user::event;
use presence_core::{CommandError, Duration, Instant, Policy, User, decide, next_due, snapshot};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    /// Commands still to come, once this one is answered.
    pub left: u8,
    /// The place of what it is carrying out among [`COMMANDS`].
    pub command: Option<usize>,
    /// The number of the command among this server's.
    pub number: u8,
    /// The number of the latest message sent for it: answers to earlier ones come too late.
    pub attempt: u8,
    pub awaits: Awaited,
    /// The revision for which a write was made of which nobody waits for an answer any more. As long as the store has that
    /// revision, the write may still arrive.
    pub stray: Option<u64>,
}

/// What the latest message asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Awaited {
    Value,
    /// Made for this revision of the store.
    Write {
        revision: u64,
    },
    /// A write that makes every earlier one come too late, before the client is told that its command is refused.
    Fence,
}

/// What a server does next.
pub enum Next {
    Send(Request),
    /// The command is refused, but a write of it may still be on its way: nobody may be told before that is impossible.
    Fence(Request),
    /// The client is told, and the command is done.
    Tell(Result<(), CommandError>),
}

pub fn user_of(value: &Value) -> User<u8, IDS> {
    let taken_at = Instant::from_millis(value.taken_at);
    // Restored on the clock it was taken on, whatever this server's reads: so a clock that is behind shifts nothing.
    snapshot::restore(&value.snapshot, taken_at, Some(Duration::ZERO)).expect("what a server has written")
}

impl Server {
    pub fn new(commands: u8) -> Self {
        Self { left: commands, command: None, number: 0, attempt: 0, awaits: Awaited::Value, stray: None }
    }

    /// What follows from an answer to the latest message. `told` is for the check alone.
    pub fn on_answer(&self, me: usize, now: u64, answer: Answer, policy: &Policy, fault: Option<Fault>) -> Next {
        match answer {
            // The only command here that is refused is one to clear what is not there.
            Answer::Stored if self.awaits == Awaited::Fence => Next::Tell(Err(CommandError::NotFound)),
            Answer::Stored => Next::Tell(Ok(())),
            Answer::Conflict if fault == Some(Fault::RefusesWhenLate) => Next::Tell(Err(CommandError::NotFound)),
            // Somebody else was faster, or this very write came twice, and its first answer never.
            Answer::Conflict => Next::Send(Request::Load),
            Answer::Loaded { revision, value, .. } => {
                let is_carried_out = value.marks[me] >= self.number;
                if is_carried_out && fault != Some(Fault::TrustsNoMark) {
                    return Next::Tell(Ok(()));
                }
                self.decide(me, now, revision, value, policy, fault)
            }
        }
    }

    /// Nobody answers: the outcome is unknown.
    pub fn on_timeout(&self, fault: Option<Fault>) -> Next {
        match fault {
            Some(Fault::TakesSilenceForSuccess) if matches!(self.awaits, Awaited::Write { .. }) => Next::Tell(Ok(())),
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
        let Some(command) = self.command else { return Next::Tell(Ok(())) };
        let transition = match decide(user.at(at).expect("nothing is overdue"), COMMANDS[command], policy) {
            Ok(Some(transition)) => transition,
            Ok(None) => return Next::Tell(Ok(())),
            Err(_) if self.stray == Some(revision) && fault != Some(Fault::RefusesAtOnce) => {
                return Next::Fence(Request::StoreIf { revision, value, claim: None });
            }
            Err(refused) => return Next::Tell(Err(refused)),
        };
        user.apply(&transition).expect("decided about this user");
        happened.push(event(&transition));
        if fault == Some(Fault::CarriesOutTwice)
            && let Ok(Some(again)) = decide(user.at(at).expect("nothing is overdue"), COMMANDS[command], policy)
        {
            user.apply(&again).expect("decided about this user");
        }
        let mut buffer = [0; snapshot::max_len::<u8, IDS>()];
        let taken = snapshot::save(user.at(at).expect("nothing is overdue"), &mut buffer).expect("it has room");
        let mut marks = value.marks;
        marks[me] = self.number;
        let value = Value { snapshot: taken.to_vec(), taken_at: now, marks };
        let claim = Claim { server: me, command, number: self.number, now, happened };
        Next::Send(Request::StoreIf { revision, value, claim: Some(claim) })
    }
}

/// What a refusal has to be, of the value that it was decided about.
pub fn refusal(told: &Truth, numbers: &crate::rules::Numbers, now: u64, command: usize) -> Option<CommandError> {
    told.person.at(numbers, now).refusal(numbers, IDS, COMMANDS[command])
}
