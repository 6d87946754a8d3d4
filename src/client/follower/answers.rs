//! Answers, and what they mean for the receiver.

use super::{Follower, Request};
use crate::client::wait::Pause;
use crate::graph::Resource;
use crate::graph::json::Value;
use crate::presence::Presence;
use crate::single_user::SingleUser;
use crate::time::{Duration, Instant};
use crate::user::{Command, CommandError, Transition};

/// The answer to a request, as a [`Follower`] takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Reply {
    /// A presence object.
    Presence {
        /// The presence.
        presence: Presence,
        /// True if the user is out of office.
        is_out_of_office: bool,
    },
    /// The stream of a feed, which has begun.
    Opened,
    /// Anything else: another status, or a body that is not understood. That is a failure, and no presence.
    Failed {
        /// The time that the answer asks to wait, in `Retry-After`.
        retry_after: Option<Duration>,
    },
}

impl Reply {
    /// Reads the answer to a read of one user's presence: the status, the header `Retry-After`, as
    /// [`ErrorAnswer::parse_retry_after`](crate::client::ErrorAnswer::parse_retry_after) reads it, and the body.
    ///
    /// Of the body only the presence and out of office are read, so that nothing else in it can be wrong.
    ///
    /// ```
    /// use presence_core::client::Reply;
    /// use presence_core::{Duration, Presence};
    ///
    /// let reply = Reply::read(200, None, br#"{"availability":"Busy","activity":"InACall"}"#);
    /// assert_eq!(reply, Reply::Presence { presence: Presence::InACall, is_out_of_office: false });
    /// assert_eq!(Reply::read(200, None, b"<html>"), Reply::Failed { retry_after: None });
    /// let retry_after = Some(Duration::from_secs(30));
    /// assert_eq!(Reply::read(429, retry_after, b""), Reply::Failed { retry_after });
    /// ```
    #[must_use]
    pub fn read(status: u16, retry_after: Option<Duration>, body: &[u8]) -> Self {
        let object = if status == 200 { Value::parse(body).ok() } else { None };
        match object.and_then(|object| Resource::read(object).ok()) {
            Some((presence, is_out_of_office)) => Self::Presence { presence, is_out_of_office },
            None => Self::Failed { retry_after },
        }
    }
}

/// The consequence of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use]
pub struct Update<S> {
    /// The command for the receiver, under its policy; `None` if there is nothing to do ([P4](crate::rules#p4)).
    pub command: Option<Command<S>>,
    /// The presence that the receiver's policy does not allow: told once, until another one is answered.
    ///
    /// The receiver is sent nothing in its place, so what it shows ends with its lease.
    pub rejected: Option<Presence>,
}

impl<S> Update<S> {
    pub(super) const NOTHING: Self = Self { command: None, rejected: None };
}

impl<S: Copy> Follower<S> {
    /// Takes the answer to the newest request, and returns what to do about it.
    ///
    /// An answer to no request changes nothing.
    pub fn answered(&mut self, now: Instant, reply: Reply) -> Update<S> {
        let request = core::mem::replace(&mut self.request, Request::None);
        if request == Request::None {
            return Update::NOTHING;
        }
        match reply {
            Reply::Presence { presence, is_out_of_office } => self.understood(now, presence, is_out_of_office),
            Reply::Opened => {
                self.listen(now);
                Update::NOTHING
            }
            Reply::Failed { retry_after } => {
                // A late one has been counted.
                if request != Request::Late {
                    self.fail(now);
                }
                if let Some(asked_for) = retry_after {
                    self.pause = self.pause.later(Pause::asked_for(now, asked_for));
                }
                Update::NOTHING
            }
        }
    }

    /// Takes a presence that is known at `now`.
    fn understood(&mut self, now: Instant, presence: Presence, is_out_of_office: bool) -> Update<S> {
        self.pause = Pause::new(self.asked_at, self.interval);
        self.mirror(now, presence, is_out_of_office)
    }

    /// Makes the command that mirrors a presence.
    pub(super) fn mirror(&mut self, now: Instant, presence: Presence, is_out_of_office: bool) -> Update<S> {
        (self.failures, self.needs_sign_in) = (0, false);
        let lease = self.lease();
        self.fresh = Some(Pause::new(now, lease));
        if presence != Presence::Unknown {
            self.is_out_of_office = is_out_of_office;
        }
        let command = Command::mirror(self.session, presence, Some(lease));
        let is_allowed = match command {
            Some(Command::SetPresence { .. }) => self.policy.sessions.contains(presence),
            _ => true,
        };
        if is_allowed {
            self.rejected = None;
            return Update { command, rejected: None };
        }
        let is_told = self.rejected.replace(presence) == Some(presence);
        Update { command: None, rejected: if is_told { None } else { Some(presence) } }
    }

    /// Carries out an update on the one user of a device, under the follower's policy.
    ///
    /// # Errors
    ///
    /// [`CommandError::SessionsFull`] if the user has no room for the mirror's session. Clearing a session that is gone already
    /// is no error.
    pub fn show<const SESSIONS: usize>(
        &self,
        now: Instant,
        update: &Update<S>,
        user: &mut SingleUser<S, SESSIONS>,
        on_change: impl FnMut(&Transition<S>),
    ) -> Result<(), CommandError>
    where
        S: Ord,
    {
        let Some(command) = update.command else { return Ok(()) };
        match user.execute_under(now, command, self.policy, on_change) {
            Err(CommandError::NotFound) => Ok(()),
            result => result,
        }
    }

    /// Reports whether the user is known to be out of office at `now`: the appearance beside the presence
    /// ([P4](crate::rules#p4)). It ends with the lease of the answer that said so.
    #[must_use]
    pub fn is_out_of_office(&self, now: Instant) -> bool {
        self.is_out_of_office && self.fresh.is_some_and(|fresh| !fresh.is_over(now))
    }
}
