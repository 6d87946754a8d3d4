//! The addresses of an issuer, as it tells them (OpenID Connect Discovery).

use crate::http::{Address, Http, Request};
use serde::Deserialize;

/// The addresses of an issuer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Endpoints {
    /// For the browser.
    #[serde(rename = "authorization_endpoint")]
    pub authorization: String,
    /// For tokens.
    #[serde(rename = "token_endpoint")]
    pub token: String,
    /// For device codes, where there are any.
    #[serde(rename = "device_authorization_endpoint")]
    pub device_authorization: Option<String>,
}

impl Endpoints {
    /// Asks the issuer.
    ///
    /// # Errors
    ///
    /// The reason for which they are not known.
    pub fn ask(http: &Http, issuer: &str) -> Result<Self, String> {
        let url = format!("{issuer}/.well-known/openid-configuration");
        let headers = [("Accept", "application/json")];
        let answer = http.send(&Request { method: "GET", url: &url, headers: &headers, body: b"" })?;
        if answer.status != 200 {
            return Err(format!("{url} answers {}: is the tenant or the issuer right?", answer.status));
        }
        Self::read(&answer.body).map_err(|error| format!("{url}: {error}"))
    }

    /// Reads the issuer's answer. Tokens are sent to none of its addresses that everybody on the way can read.
    fn read(body: &[u8]) -> Result<Self, String> {
        let read: Self = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let all = [Some(&read.authorization), Some(&read.token), read.device_authorization.as_ref()];
        for url in all.into_iter().flatten() {
            // The address of a browser may have a query.
            Address::parse(url.split('?').next().unwrap_or_default())?;
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_an_issuer_are_safe_ones() {
        let of = |token: &str| {
            let body = serde_json::json!({ "issuer": "x", "authorization_endpoint": "https://a.b/c?p=1", "token_endpoint": token });
            Endpoints::read(body.to_string().as_bytes())
        };
        assert_eq!(of("https://a.b/token").unwrap().token, "https://a.b/token");
        assert!(of("http://a.b/token").is_err());
        assert!(Endpoints::read(b"<html>").is_err());
        assert!(Endpoints::read(b"{}").unwrap_err().contains("authorization_endpoint"));
    }
}
