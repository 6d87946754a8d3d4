//! Requests of operators, which need the permission `Presence.Admin.All`: to list, erase and sign out users.
//!
//! - `GET /admin/users` lists the users of whom something is stored, a page at a time: no texts, and in no particular order. The
//!   pages follow the slots of the shards, so no user that stays is missed or listed twice, whatever changes meanwhile.
//! - `DELETE /admin/users/{id}` erases a user. It succeeds for any id, because it may be repeated, and because an earlier record
//!   of a user who has no slot any more is erased as well.
//! - `POST /admin/users/{id}/signOut` ends all sessions, as if their applications had cleared them. What the user has said, a
//!   preferred presence and a status message, stays ([U3](../../../../docs/behaviour.md#u3)).

use super::App;
use super::account::Account;
use super::audit::{Act, Trail};
use super::body::is_too_large;
use super::content::write_presence;
use super::dispatch::receive;
use super::response::{Ids, OperationName, RequestError};
use super::response_body::ResponseBody;
use axum::Extension;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode, Uri};
use presence_core::graph::{Environment, Error, Field, Resource, Select, Writer};
use presence_core::{BufferFull, UserId};
use presence_engine::feed::ids::{PagePosition, ScanPosition};
use presence_engine::shard::job::{ActionOutcome, Job, ListedUser};
use std::sync::Arc;
use tokio::sync::oneshot::{Sender, channel};

/// The users of a page, when nothing is said, and at most.
const DEFAULT_TOP: usize = 100;
const MAX_TOP: usize = 999;
/// The most jobs for one page. A page of a nearly empty server has fewer users than it could.
pub const MAX_JOBS: usize = 64;
/// The most bytes of a user in a list, with the separator: a presence without texts, and what is written beside it.
const MAX_USER: usize = Resource::MAX_LEN + 160;
/// The most bytes of a page around its users, with the address of the next page.
const MAX_ENVELOPE: usize = 256;
/// The properties of a presence object that a list shows, without texts.
const LISTED: &str = "/?$select=id,availability,activity,sequenceNumber";

/// Serves a page of the list of users.
pub async fn list(
    State(app): State<Arc<App>>,
    Extension(ids): Extension<Ids>,
    Extension(trail): Extension<Trail>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let response =
        list_users(&app, &uri, &headers, &trail).await.unwrap_or_else(|error| error.response(&ids, &app.clock));
    OperationName::attach("listUsers", response)
}

async fn list_users(app: &App, uri: &Uri, headers: &HeaderMap, trail: &Trail) -> Result<Response, RequestError> {
    if is_too_large(headers) {
        return Err(Error::TooLarge.into());
    }
    app.check_overload()?;
    let account = authorise(app, headers)?;
    trail.note(|| Act::new("listUsers", None));
    let _in_flight = app.enter(account)?;
    let Page { top, mut position } = parse_page(uri.query().unwrap_or_default(), app)?;
    let select = Select::parse(LISTED)?;
    // A shard's piece of the list is held until it is written.
    let _piece = app.reserve(account, top * size_of::<ListedUser>())?;
    let mut body = ResponseBody::new(app, account, MAX_ENVELOPE + top * MAX_USER)?;
    // Writing does not fail but for a fault, which `into_response` reports.
    let _ = body.write(b"{\"value\":[");
    let (mut count, mut separator): (_, &[u8]) = (0, b"");
    for _ in 0..MAX_JOBS {
        let Some(PagePosition { slot, generation }) = position.filter(|_| count < top) else { break };
        let ScanPosition { shard, offset } = slot;
        let (to, listed) = channel();
        app.shards.send(shard, Job::List(offset, top - count, to))?;
        let listed = receive(listed).await?;
        if offset > 0 && listed.generation != generation {
            // The shard was loaded anew, and its users are in other slots.
            return Err(RequestError::InvalidPage);
        }
        for user in &listed.users {
            let _ = body.write(separator).and_then(|()| write_user(&mut body, user, select));
            separator = b",";
        }
        count += listed.users.len();
        position = match listed.next {
            Some(offset) => Some(PagePosition { slot: ScanPosition { shard, offset }, generation: listed.generation }),
            None => (shard + 1 < app.shards.len())
                .then_some(PagePosition { slot: ScanPosition { shard: shard + 1, offset: 0 }, generation: 0 }),
        };
    }
    let _ = body.write(b"]");
    if let Some(position) = position {
        let token = app.feed_ids.format_page(position);
        let link = format!(",\"@odata.nextLink\":\"/admin/users?$top={top}&$skiptoken={token}\"");
        let _ = body.write(link.as_bytes());
    }
    let _ = body.write(b"}");
    body.into_response(app)
}

/// Writes a user of the list: its presence object without texts, and what operators want to know beside it.
fn write_user(body: &mut ResponseBody, user: &ListedUser, select: Select) -> Result<(), BufferFull> {
    let ListedUser { view, sessions, has_preferred, creator } = user;
    write_presence(body, view, None, select)?;
    // The object goes on.
    body.discard_last(1);
    let has_details = view.details.as_ref().is_some_and(|details| !details.is_empty());
    let creator = creator.map_or_else(|| "null".to_owned(), |application| format!("\"{application}\""));
    let rest = format!(
        ",\"sessions\":{sessions},\"hasPreferredPresence\":{has_preferred},\"hasDetails\":{has_details},\
         \"createdBy\":{creator}}}"
    );
    body.write(rest.as_bytes())
}

/// The parameters of a page.
#[derive(Debug, PartialEq, Eq)]
struct Page {
    top: usize,
    position: Option<PagePosition>,
}

/// Parses `$top`, 1 to [`MAX_TOP`], and the `$skiptoken` of an earlier page of this run of the server.
fn parse_page(query: &str, app: &App) -> Result<Page, RequestError> {
    let (mut top, mut position) = (DEFAULT_TOP, PagePosition::START);
    for pair in query.split('&') {
        // Clients escape the dollar sign.
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match name.strip_prefix('$').or_else(|| name.strip_prefix("%24")).unwrap_or(name) {
            "top" => top = parse_top(value).ok_or(RequestError::InvalidPage)?,
            "skiptoken" => {
                position = app.feed_ids.parse_page(value, app.shards.len()).ok_or(RequestError::InvalidPage)?
            }
            _ => {}
        }
    }
    Ok(Page { top, position: Some(position) })
}

/// Parses the number of users of a page, in digits alone.
fn parse_top(value: &str) -> Option<usize> {
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    value.parse().ok().filter(|top| is_number && (1..=MAX_TOP).contains(top))
}

/// Erases a user.
pub async fn erase(
    State(app): State<Arc<App>>,
    Extension(ids): Extension<Ids>,
    user: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    act("eraseUser", app, ids, user, request, Job::Erase).await
}

/// Ends all sessions of a user.
pub async fn sign_out(
    State(app): State<Arc<App>>,
    Extension(ids): Extension<Ids>,
    user: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    act("signOutUser", app, ids, user, request, Job::SignOut).await
}

/// Executes an operator's action on a user, whatever the body; responds with 204 when it is durable.
async fn act(
    name: &'static str,
    app: Arc<App>,
    ids: Ids,
    user: Result<Path<String>, PathRejection>,
    request: Request,
    job: fn(UserId, Sender<ActionOutcome>) -> Job,
) -> Response {
    let (parts, mut body) = request.into_parts();
    let outcome = match check(&app, &parts.headers, &mut body, user.ok()).await {
        Ok((user, account)) => {
            Trail::of(&parts.extensions).note(|| Act::new(name, Some(user)));
            run(&app, account, user, job).await
        }
        Err(error) => Err(error),
    };
    let response = match outcome {
        Ok(()) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            response
        }
        Err(error) => error.response(&ids, &app.clock),
    };
    OperationName::attach(name, response)
}

async fn run(
    app: &App,
    account: Account,
    user: UserId,
    job: fn(UserId, Sender<ActionOutcome>) -> Job,
) -> Result<(), RequestError> {
    let _in_flight = app.enter(account)?;
    let (to, outcome) = channel();
    app.shards.send(app.shards.of(user), job(user, to))?;
    Ok(receive(outcome).await??)
}

/// Checks a request in the order of [H2](../../../../docs/behaviour.md#h2), but permission before the id. Returns the user, and
/// who asks.
async fn check(
    app: &App,
    headers: &HeaderMap,
    body: &mut Body,
    user: Option<Path<String>>,
) -> Result<(UserId, Account), RequestError> {
    if is_too_large(headers) {
        return Err(Error::TooLarge.into());
    }
    app.check_overload()?;
    let is_allowed = authorise(app, headers);
    app.discard_body(body).await?;
    let account = is_allowed?;
    let Path(id) = user.ok_or(Error::Malformed(Field::User))?;
    match id.parse() {
        Ok(user) => Ok((user, account)),
        Err(_) if id.contains('@') => Ok((app.user(&id).ok_or(Error::UnknownUser)?, account)),
        Err(_) => Err(Error::Malformed(Field::User).into()),
    }
}

/// Checks that the caller is an operator within its limits. Returns who it is.
pub fn authorise(app: &App, headers: &HeaderMap) -> Result<Account, RequestError> {
    let identity = app.identify(headers)?;
    let account = Account::from(&identity.caller);
    app.count(account)?;
    app.check_in_flight(account)?;
    if identity.is_admin() { Ok(account) } else { Err(Error::MissingPermission.into()) }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    #[tokio::test]
    async fn pages_have_whole_numbers_of_users_within_limits() {
        let (fixture, _queue) = Fixture::stalled();
        let page = |query: &str| parse_page(query, &fixture.app);
        let of = |top| Ok(Page { top, position: Some(PagePosition::START) });
        for (query, top) in [
            ("", DEFAULT_TOP),
            ("$skip=7", DEFAULT_TOP),
            ("$top=1", 1),
            ("top=2", 2),
            ("%24top=007", 7),
            ("x=1&$top=998", MAX_TOP - 1),
            ("$top=999", MAX_TOP),
        ] {
            assert_eq!(page(query), of(top), "{query}");
        }
        let wrong = [
            "", "0", "-1", "+1", "-012", "1000", "1998", "1999", "1.0", "1e2", "0x1", " 1", "1 ", "%31", "\0",
            "\0\0\0\0", "１",
        ];
        for number in wrong.into_iter().chain(["18446744073709551617", "99999999999999999999999"]) {
            assert_eq!(page(&format!("$top={number}")), Err(RequestError::InvalidPage), "{number:?}");
        }
        let token = fixture.app.feed_ids.format_page(PagePosition::START);
        assert_eq!(page(&format!("$top=7&$skiptoken={token}")), of(7));
        for token in ["", "0", "\0", &token[1..], &format!("{token}\0"), &token.replace('0', "-012")] {
            assert_eq!(page(&format!("$skiptoken={token}")), Err(RequestError::InvalidPage), "{token:?}");
        }
    }
}
