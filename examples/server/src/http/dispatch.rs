//! Work: a request that is well formed and allowed, sent to the shards it is about, and what they answer, as JSON.

use super::App;
use super::response::{Refused, THROTTLED, Text};
use crate::shard::Busy;
use crate::shard::job::{Job, Shown, TellCommand};
use presence_core::details::DetailsError;
use presence_core::graph::{Error, Ids, Request, Resource, Select, TextBuffer};
use presence_core::{CommandError, UserId};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::oneshot::{Receiver, channel};

/// How a request ended that was not refused.
#[derive(Debug)]
pub enum Outcome {
    /// There is nothing to say.
    Done,
    /// This is the body.
    Body(Vec<u8>),
    /// This is the body, and its share of memory.
    Long(Vec<u8>, OwnedSemaphorePermit),
}

/// A request that its shards work at.
#[derive(Debug)]
pub enum Started {
    /// An action.
    Action(Receiver<Result<(), CommandError>>),
    /// An action about what a user tells.
    Telling(Receiver<Result<(), DetailsError>>),
    /// A read.
    Read(Receiver<Shown>, Select),
    /// A bulk read: who was asked for, in order, and what each shard says of its own.
    ReadMany(Vec<UserId>, Vec<Receiver<Vec<Shown>>>, Select, OwnedSemaphorePermit),
}

impl From<Busy> for Refused {
    fn from(_: Busy) -> Self {
        THROTTLED.into()
    }
}

impl App {
    /// Sends a request that is no batch to the shards it is about. Whatever is started later for the same user happens
    /// later.
    pub fn start(&self, request: &Request<'_>) -> Result<Started, Refused> {
        match request {
            Request::Execute { user, command } => {
                let (answer, outcome) = channel();
                self.shards.ask(self.shards.of(*user), Job::Execute(*user, *command, answer))?;
                Ok(Started::Action(outcome))
            }
            Request::ExecuteDetails { user, action } => {
                let command = TellCommand::from_command(action.command(&mut TextBuffer::new()));
                self.tell(*user, command)
            }
            Request::Get { user, select } => {
                let (answer, shown) = channel();
                self.shards.ask(self.shards.of(*user), Job::Read(*user, answer))?;
                Ok(Started::Read(shown, *select))
            }
            Request::GetPresences(asked) => {
                let ids: Vec<UserId> = asked.iter().take(Ids::MAX_COUNT).collect();
                let shares = self.reserve(ids.len() * USUAL_PRESENCE)?;
                let mut by_shard = vec![Vec::new(); self.shards.len()];
                for id in &ids {
                    by_shard[self.shards.of(*id)].push(*id);
                }
                let mut answers = Vec::with_capacity(by_shard.len());
                for (shard, users) in by_shard.into_iter().enumerate() {
                    let (answer, shown) = channel();
                    if users.is_empty() {
                        drop(answer.send(Vec::new()));
                    } else {
                        self.shards.ask(shard, Job::ReadMany(users, answer))?;
                    }
                    answers.push(shown);
                }
                Ok(Started::ReadMany(ids, answers, asked.select(), shares))
            }
            _ => Err(Refused::Internal),
        }
    }

    /// Sends a command about what a user tells.
    pub fn tell(&self, user: UserId, command: TellCommand) -> Result<Started, Refused> {
        let (answer, outcome) = channel();
        self.shards.ask(self.shards.of(user), Job::Tell(user, Box::new(command), answer))?;
        Ok(Started::Telling(outcome))
    }

    /// The answer to a bulk read: what each shard says of its own users, in the order asked. Where it grows longer than
    /// usual, it takes a larger share.
    fn merge(
        &self,
        ids: &[UserId],
        by_shard: Vec<Vec<Shown>>,
        write: impl Fn(&mut Text, &Shown),
        shares: &mut OwnedSemaphorePermit,
    ) -> Result<Vec<u8>, Error> {
        let mut by_shard: Vec<_> = by_shard.into_iter().map(Vec::into_iter).collect();
        let mut reserved = ids.len() * USUAL_PRESENCE;
        let mut text = Text(Vec::with_capacity(reserved));
        text.0.extend_from_slice(b"{\"value\":[");
        let mut separator: &[u8] = b"";
        for id in ids {
            if let Some(shown) = by_shard.get_mut(self.shards.of(*id)).and_then(Iterator::next) {
                text.0.extend_from_slice(separator);
                write(&mut text, &shown);
                separator = b",";
            }
            if text.0.len() > reserved {
                shares.merge(self.reserve(reserved)?);
                reserved *= 2;
            }
        }
        text.0.extend_from_slice(b"]}");
        Ok(text.0)
    }
}

/// Room for a presence object of a user who tells little.
pub const USUAL_PRESENCE: usize = 384;

/// Writes a presence object, as this user sees it. Rule H3.
pub fn write(text: &mut Text, shown: &Shown, me: Option<UserId>, select: Select) {
    let Shown { user, presence, version, told } = shown;
    let details = told.as_ref().map(|told| told.view()).unwrap_or_default();
    let mut resource = Resource::new(*user, *presence, *version).with_select(select).with_details(details);
    if me == Some(*user) {
        // Instants are Unix milliseconds.
        resource = resource.for_owner(Some(0));
    }
    // A sink that grows takes everything.
    let _ = resource.write(text);
}

/// What was answered; an answer that never comes is that of a server that ends.
async fn told<T>(answer: Receiver<T>) -> Result<T, Refused> {
    answer.await.map_err(|_| Refused::Internal)
}

impl Started {
    /// Waits for the answer, and writes it as this user sees it.
    pub async fn finish(self, app: &App, me: Option<UserId>) -> Result<Outcome, Refused> {
        match self {
            Self::Action(outcome) => {
                told(outcome).await?.map(|()| Outcome::Done).map_err(|error| Error::from(error).into())
            }
            Self::Telling(outcome) => {
                told(outcome).await?.map(|()| Outcome::Done).map_err(|error| Error::from(error).into())
            }
            Self::Read(shown, select) => {
                let mut text = Text(Vec::with_capacity(USUAL_PRESENCE));
                write(&mut text, &told(shown).await?, me, select);
                Ok(Outcome::Body(text.0))
            }
            Self::ReadMany(ids, answers, select, mut shares) => {
                let mut by_shard = Vec::with_capacity(answers.len());
                for answer in answers {
                    by_shard.push(told(answer).await?);
                }
                let write = |text: &mut Text, shown: &Shown| write(text, shown, me, select);
                Ok(Outcome::Long(app.merge(&ids, by_shard, write, &mut shares)?, shares))
            }
        }
    }
}
