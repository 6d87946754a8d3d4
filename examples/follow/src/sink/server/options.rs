//! The options of a server that is told.

use super::Server;
use crate::http::{Address, Http};
use crate::sink::secret;
use clap::{Args, ValueEnum};
use presence_core::{Policy, SessionId, UserId};
use std::path::PathBuf;

/// Which server is told.
#[derive(Clone, Debug, Args)]
pub struct TellOptions {
    /// Tell it to this project's server, or to one like it, as an application's own session
    #[arg(long, value_name = "URL", requires_all = ["tell_user", "tell_application"])]
    pub tell_server: Option<String>,
    /// Id of the user whose presence it is there
    #[arg(long, value_name = "ID", requires = "tell_server")]
    pub tell_user: Option<UserId>,
    /// Id of the application of the token, which is that of the session
    #[arg(long, value_name = "ID", requires = "tell_server")]
    pub tell_application: Option<SessionId>,
    /// File with the application's token; or set PRESENCE_TELL_TOKEN
    #[arg(long, value_name = "FILE", requires = "tell_server")]
    pub tell_token_file: Option<PathBuf>,
    /// The presences that the server allows this application, as its --app-policy says; others are not told to it
    #[arg(long, value_name = "POLICY", requires = "tell_server", default_value = "graph")]
    pub tell_policy: TellPolicy,
}

/// The policy of a server.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum TellPolicy {
    /// Graph's five pairs.
    Graph,
    /// Everything from Away up.
    Desk,
    /// Everything but Offline.
    Mirror,
}

impl TellPolicy {
    const fn policy(self) -> &'static Policy {
        match self {
            Self::Graph => &Policy::GRAPH,
            Self::Desk => &Policy::DESK,
            Self::Mirror => &Policy::MIRROR,
        }
    }
}

impl TellOptions {
    /// Returns the server to tell, if there is one.
    ///
    /// # Errors
    ///
    /// A sentence.
    pub(crate) fn server(&self, http: &Http) -> Result<Option<Server>, String> {
        let (Some(url), Some(user), Some(application)) = (&self.tell_server, self.tell_user, self.tell_application)
        else {
            return Ok(None);
        };
        let address = Address::parse(url).map_err(|error| format!("--tell-server: {error}."))?;
        let token = secret::read(self.tell_token_file.as_deref(), "PRESENCE_TELL_TOKEN")?
            .ok_or("--tell-server needs a token: give --tell-token-file FILE.")?;
        if !token.bytes().all(|byte| matches!(byte, 0x21..=0x7E)) {
            return Err("The token for --tell-server is more than one word.".into());
        }
        let (authorization, policy) = (format!("Bearer {token}"), self.tell_policy.policy());
        Ok(Some(Server { http: http.clone(), address, authorization, user, application, policy }))
    }
}
