//! Responses: what a shard answers, for tasks and for threads.

use crate::shard::job::UserView;
use presence_core::UserId;
use std::collections::HashMap;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::oneshot::Receiver;

/// The error of a call. Nothing was changed, unless the engine was stopped meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallError {
    /// The queue of the user's shard is full. It has [`QUEUE`](crate::shard::QUEUE) places; try again a little later.
    QueueFull,
    /// The disk has no room for changes, so they are refused, or the engine has stopped.
    Unavailable,
}

impl std::fmt::Display for CallError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::QueueFull => "the queue of the shard is full",
            Self::Unavailable => "there is no room for changes, or the engine has stopped",
        })
    }
}

impl std::error::Error for CallError {}

/// The response of a shard that has been asked. Await it in a task, or [`wait`](Self::wait) for it in a thread.
///
/// A shard executes what it was asked in order, whether or not anybody waits for the response.
#[derive(Debug)]
#[must_use = "the call may be refused"]
pub struct Response<T>(pub(super) Result<Receiver<T>, CallError>);

impl<T> Response<T> {
    /// Waits for the response. What it shows is durable.
    ///
    /// # Errors
    ///
    /// [`CallError`].
    ///
    /// # Panics
    ///
    /// In a task of tokio, which must not block. Await the response there.
    pub fn wait(self) -> Result<T, CallError> {
        self.0?.blocking_recv().map_err(|_| CallError::Unavailable)
    }
}

impl<T> Future for Response<T> {
    type Output = Result<T, CallError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Ok(receiver) => Pin::new(receiver).poll(context).map_err(|_| CallError::Unavailable),
            Err(error) => Poll::Ready(Err(*error)),
        }
    }
}

/// The responses of the shards that have been asked about many users.
#[derive(Debug)]
#[must_use = "the call may be refused"]
pub struct ManyResponses {
    pub(super) users: Vec<UserId>,
    /// Each asked about some of the users.
    pub(super) shards: Vec<Response<Vec<UserView>>>,
}

impl ManyResponses {
    /// Waits for all responses in a thread. Returns the users in the order in which they were asked for.
    ///
    /// # Errors
    ///
    /// [`CallError`] of any shard.
    ///
    /// # Panics
    ///
    /// In a task of tokio, as [`Response::wait`].
    pub fn wait(self) -> Result<Vec<UserView>, CallError> {
        let views: Result<Vec<_>, _> = self.shards.into_iter().map(Response::wait).collect();
        Ok(in_order(&self.users, views?))
    }

    /// Does the same in a task.
    ///
    /// # Errors
    ///
    /// [`CallError`] of any shard.
    pub async fn receive(self) -> Result<Vec<UserView>, CallError> {
        let mut views = Vec::with_capacity(self.shards.len());
        for response in self.shards {
            views.push(response.await?);
        }
        Ok(in_order(&self.users, views))
    }
}

fn in_order(users: &[UserId], views: Vec<Vec<UserView>>) -> Vec<UserView> {
    let by_id: HashMap<_, _> = views.into_iter().flatten().map(|view| (view.user, view)).collect();
    users.iter().filter_map(|user| by_id.get(user).cloned()).collect()
}
