//! The client of a request: the peer of its connection, and the caller whom its token names. Logs tell who it was.

use crate::tokens::Identity;
use presence_core::SessionId;
use presence_core::UserId;
use presence_core::graph::Caller;
use serde::Serialize;
use std::net::IpAddr;

/// The client of a request. [`connections`](super::connections) attaches it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Client {
    /// The address of the peer; none at a Unix socket. Behind a proxy it is the proxy's.
    pub address: Option<IpAddr>,
    /// The caller, if its token is known.
    pub identity: Option<Identity>,
}

/// A client, as lines of logs name it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientFields {
    client: Option<IpAddr>,
    /// `application`, `user`, `developer`, or `anonymous` without a known token.
    caller: &'static str,
    application: Option<String>,
    signed_in_user: Option<String>,
}

impl From<Client> for ClientFields {
    fn from(Client { address, identity }: Client) -> Self {
        let names = |application: SessionId, user: Option<UserId>| {
            (Some(application.to_string()), user.map(|user| user.to_string()))
        };
        let (caller, (application, signed_in_user)) = match identity.map(|identity| identity.caller) {
            None => ("anonymous", (None, None)),
            Some(Caller::Trusted { .. }) => ("developer", (None, None)),
            Some(Caller::Application { application, .. }) => ("application", names(application, None)),
            Some(Caller::Delegated { application, user, .. }) => ("user", names(application, Some(user))),
        };
        Self { client: address.map(|address| address.to_canonical()), caller, application, signed_in_user }
    }
}
