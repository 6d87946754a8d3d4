//! The command `backup`: asks a running server for a backup, and waits until it is complete.

use bytes::Bytes;
use clap::Args;
use http::header::{AUTHORIZATION, HOST};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

/// The environment variable that holds the token.
const TOKEN: &str = "PRESENCE_TOKEN";
/// The time between two looks at a backup that takes long.
const LOOK: Duration = Duration::from_secs(1);
/// The most bytes of a response.
const MAX_RESPONSE: usize = 64 << 10;
const PATH: &str = "/admin/backup";

/// The options of the command.
#[derive(Debug, Args)]
pub struct BackupOptions {
    /// The address of the server, on this machine as a rule, because the token is sent as it is: HOST:PORT or unix:PATH
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8080")]
    server: String,

    /// A file that holds a token with the permission Presence.Admin.All [default: the environment variable PRESENCE_TOKEN
    /// holds it]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// What a server says of its latest backup, or of an error.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    state: String,
    name: Option<String>,
    path: Option<String>,
    error: Option<serde_json::Value>,
}

/// Makes a backup, and prints the path that it has on the server's machine.
///
/// # Errors
///
/// What the server says, or what keeps it from being asked.
pub fn run(options: &BackupOptions) -> Result<(), Box<dyn Error>> {
    let token = match &options.token_file {
        Some(path) => std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?,
        None => std::env::var(TOKEN).map_err(|_| format!("--token-file FILE, or {TOKEN}, must hold a token"))?,
    };
    let client = Client { server: &options.server, authorization: format!("Bearer {}", token.trim()) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!("{}", runtime.block_on(client.back_up())?);
    Ok(())
}

/// A client of a server.
struct Client<'a> {
    server: &'a str,
    authorization: String,
}

impl Client<'_> {
    async fn back_up(&self) -> Result<String, Box<dyn Error>> {
        let (status, mut answer) = self.ask(Method::POST).await?;
        if !status.is_success() {
            // The state says more than the error, unless the backup was not begun.
            let (_, state) = self.ask(Method::GET).await?;
            let why = if status.is_server_error() && state.state == "failed" { state.error } else { answer.error };
            return Err(self.failed(&why.unwrap_or_default()));
        }
        let name = answer.name.clone();
        while answer.state == "running" && answer.name == name {
            tokio::time::sleep(LOOK).await;
            (_, answer) = self.ask(Method::GET).await?;
        }
        let is_complete = answer.state == "complete" && answer.name == name;
        match answer.path.filter(|_| is_complete) {
            Some(path) => Ok(path),
            None => {
                let otherwise = "the server was restarted, or has begun another backup since";
                Err(self.failed(&answer.error.unwrap_or_else(|| otherwise.into())))
            }
        }
    }

    fn failed(&self, why: &serde_json::Value) -> Box<dyn Error> {
        let text = why.as_str().or_else(|| why["message"].as_str()).unwrap_or("no backup was made");
        format!("{}: {text}", self.server).into()
    }

    /// Asks for or about a backup, on a connection of its own.
    async fn ask(&self, method: Method) -> Result<(StatusCode, Answer), Box<dyn Error>> {
        let failed = |error: std::io::Error| format!("{}: {error}", self.server);
        match self.server.strip_prefix("unix:") {
            Some(path) => self.send(UnixStream::connect(path).await.map_err(failed)?, "localhost", method).await,
            None => self.send(TcpStream::connect(self.server).await.map_err(failed)?, self.server, method).await,
        }
    }

    async fn send<S>(&self, stream: S, host: &str, method: Method) -> Result<(StatusCode, Answer), Box<dyn Error>>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let request = Request::builder().method(method).uri(PATH).header(HOST, host);
        let request = request.header(AUTHORIZATION, &self.authorization).body(Empty::<Bytes>::new())?;
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_RESPONSE)
            .collect()
            .await
            .map_err(|error| error as Box<dyn Error>)?
            .to_bytes();
        let answer = serde_json::from_slice(&body).map_err(|_| format!("{}: {status}, and no answer", self.server))?;
        Ok((status, answer))
    }
}
