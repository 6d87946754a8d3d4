//! Accounts: whom a request counts for, where callers share something.

use presence_core::graph::Caller;
use presence_core::{SessionId, UserId};

/// A caller, whatever its token permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Account {
    /// All who need no token.
    Anonymous,
    /// All development tokens.
    Developer,
    /// An application, with all users that it acts for.
    Application(SessionId),
    /// A signed-in user of an application.
    User(SessionId, UserId),
}

impl Account {
    /// Returns the account that this one is a part of.
    pub const fn parent(self) -> Option<Self> {
        match self {
            Self::User(application, _) => Some(Self::Application(application)),
            Self::Anonymous | Self::Developer | Self::Application(_) => None,
        }
    }

    /// Returns its kind, for metrics.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Developer => "developer",
            Self::Application(_) => "application",
            Self::User(..) => "user",
        }
    }
}

impl From<&Caller> for Account {
    fn from(caller: &Caller) -> Self {
        match *caller {
            Caller::Trusted { .. } => Self::Developer,
            Caller::Application { application, .. } => Self::Application(application),
            Caller::Delegated { application, user, .. } => Self::User(application, user),
        }
    }
}
