//! What the command line says about the account.

use crate::http::Address;
use crate::tokens::TokenFile;
use clap::Args;
use std::path::PathBuf;

/// Whose account, and at which issuer.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Teams account")]
pub struct AccountOptions {
    /// Follow a Teams account, by this application (client) id of an app registration
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
    /// Directory (tenant) id or domain in which the application is registered
    #[arg(long, value_name = "TENANT", default_value = "organizations")]
    pub tenant: String,
    /// Another issuer of tokens than Microsoft Entra, for a server like Graph
    #[arg(long, value_name = "URL", conflicts_with = "tenant", alias = "authority")]
    pub issuer: Option<String>,
    /// Permissions to ask for
    #[arg(long, value_name = "SCOPE", default_value = "Presence.Read offline_access")]
    pub scope: String,
    /// Sign in with a code, in a browser on any device, instead of one on this computer
    #[arg(long)]
    pub device_code: bool,
    /// Show the address for the browser, and open none
    #[arg(long, conflicts_with = "device_code")]
    pub no_browser: bool,
    /// File of the sign-in, which only you can read [default: in your directory for programs' state]
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
}

impl AccountOptions {
    /// Returns the application's id; empty if there is none.
    #[must_use]
    pub fn client_id(&self) -> &str {
        self.client_id.as_deref().unwrap_or_default()
    }

    /// Returns the permissions to ask for.
    #[must_use]
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// Returns the way in which a person signs in.
    #[must_use]
    pub fn way(&self) -> super::Way {
        if self.device_code { super::Way::DeviceCode } else { super::Way::Browser { opens: !self.no_browser } }
    }

    /// Returns the issuer's address.
    ///
    /// # Errors
    ///
    /// A sentence.
    pub fn issuer(&self) -> Result<String, String> {
        let url = match &self.issuer {
            Some(issuer) => issuer.clone(),
            None if self.tenant.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)) => {
                format!("https://login.microsoftonline.com/{}/v2.0", self.tenant)
            }
            None => return Err(format!("--tenant {} is neither an id nor a domain.", self.tenant)),
        };
        let address = Address::parse(&url).map_err(|error| format!("--issuer: {error}."))?;
        Ok(address.as_str().into())
    }

    /// Returns the file of the sign-in.
    ///
    /// # Errors
    ///
    /// A sentence.
    pub fn token_file(&self) -> Result<TokenFile, String> {
        let path = self.token_file.clone().or_else(TokenFile::usual);
        path.map(TokenFile::new).ok_or_else(|| "This account has no home directory: give --token-file FILE.".into())
    }
}
