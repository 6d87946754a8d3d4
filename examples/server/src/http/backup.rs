//! `POST /admin/backup` makes a backup, and `GET /admin/backup` tells how the latest one went. Both need the permission
//! `Presence.Admin.All`.
//!
//! A backup goes to the directory that the operator has named on the command line, under a name that the server makes: a
//! client chooses no path. A client that hangs up ends nothing.

use super::App;
use super::account::Account;
use super::admin::authorise;
use super::audit::{Act, Trail};
use super::body::is_too_large;
use super::response::{Ids, OperationName, RequestError, json};
use axum::Extension;
use axum::extract::{Request, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use presence_core::graph::Error;
use presence_engine::backup;
use serde_json::{Value, json as value};
use std::sync::Arc;
use std::time::Duration;

/// The longest time that a client waits for its backup. Then it is told that the backup is being made.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// Makes a backup. Responds when it is complete, or says that it goes on.
pub async fn create(State(app): State<Arc<App>>, Extension(ids): Extension<Ids>, request: Request) -> Response {
    let response = make(&app, request).await.unwrap_or_else(|error| error.response(&ids, &app.clock));
    OperationName::attach("createBackup", response)
}

async fn make(app: &Arc<App>, request: Request) -> Result<Response, RequestError> {
    let (parts, mut body) = request.into_parts();
    if is_too_large(&parts.headers) {
        return Err(Error::TooLarge.into());
    }
    app.check_overload()?;
    let account = authorise(app, &parts.headers);
    app.discard_body(&mut body).await?;
    let _in_flight = app.enter(account?)?;
    Trail::of(&parts.extensions).note(|| Act::new("createBackup", None));
    let name = app.backups.begin().ok_or(RequestError::BackupRunning)?;
    // A thread of its own, which goes on when the client hangs up.
    let making = app.clone();
    let made = tokio::task::spawn_blocking(move || making.backups.make(&name, &making.shards));
    let state = match tokio::time::timeout(LONGEST_WAIT, made).await {
        Ok(made) => made.map_err(|_| RequestError::Internal)?,
        Err(_) => app.backups.state(),
    };
    match state {
        backup::State::Failed { is_full: true, .. } => Err(RequestError::NoRoomForBackup),
        backup::State::Failed { .. } => Err(RequestError::BackupFailed),
        state => Ok(respond(&state)),
    }
}

/// Serves the state of the latest backup.
pub async fn state(State(app): State<Arc<App>>, Extension(ids): Extension<Ids>, headers: HeaderMap) -> Response {
    let allowed = authorise(&app, &headers).and_then(|account: Account| app.enter(account));
    let response = match allowed {
        Ok(_in_flight) => json(describe(&app.backups.state()).to_string().into_bytes()),
        Err(error) => error.response(&ids, &app.clock),
    };
    OperationName::attach("getBackup", response)
}

fn respond(state: &backup::State) -> Response {
    let mut response = json(describe(state).to_string().into_bytes());
    if matches!(state, backup::State::Running(_)) {
        *response.status_mut() = StatusCode::ACCEPTED;
    }
    response
}

/// Describes a state: `none`, `running`, `complete` or `failed`.
fn describe(state: &backup::State) -> Value {
    match state {
        backup::State::None => value!({"state": "none"}),
        backup::State::Running(name) => value!({"state": "running", "name": name}),
        backup::State::Complete(made) => value!({
            "state": "complete",
            "name": made.path.file_name().map(|name| name.to_string_lossy()),
            "path": made.path.to_string_lossy(),
            "created": made.created,
            "bytes": made.bytes,
            "seconds": made.took.as_secs_f64(),
        }),
        backup::State::Failed { error, .. } => value!({"state": "failed", "error": error}),
    }
}
