//! The calls of Graph's presence API.

use super::principal::Principal;
#[cfg(feature = "details")]
use crate::details::WorkPlace;
#[cfg(any(feature = "batch", feature = "details"))]
use crate::graph::Field;
#[cfg(feature = "batch")]
use crate::graph::Ids;
#[cfg(feature = "details")]
use crate::graph::Operation;
#[cfg(feature = "details")]
use crate::graph::TextBuffer;
use crate::graph::{Error, Select};
use crate::id::SessionId;
#[cfg(feature = "batch")]
use crate::id::UserId;
use crate::policy::Policy;
use crate::user::{Command, CommandError};

/// A call to Graph's presence API, or to a server like it: method, target, headers and body ([F4](crate::rules#f4)).
///
/// The target begins behind the version, so that the caller chooses server and version; a body is written into a buffer of
/// the caller. One that cannot be right is not built: the error is the one that the server would answer.
///
/// ```
/// use presence_core::client::{Call, Principal};
/// use presence_core::{Command, Duration, Policy, Presence, SessionId};
///
/// let command = Command::SetPresence {
///     session: SessionId::from_bytes([0x22; 16]),
///     presence: Presence::InACall,
///     lease: Some(Duration::from_mins(15)),
/// };
/// let call = Call::execute(Principal::ME, command, &Policy::GRAPH)?;
/// assert_eq!(call.method(), "POST");
/// assert_eq!(format!("https://graph.microsoft.com/v1.0{}", call.target()), "https://graph.microsoft.com/v1.0/me/presence/setPresence");
/// let mut buffer = [0; Call::MAX_COMMAND_BODY];
/// assert_eq!(
///     call.write_body(&mut buffer)?,
///     br#"{"sessionId":"22222222-2222-2222-2222-222222222222","availability":"Busy","activity":"InACall","expirationDuration":"PT15M"}"#,
/// );
/// assert!(call.headers(Some("Bearer eyJ0eXAi"), None).any(|header| header == ("Content-Type", "application/json")));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Call<'a> {
    pub(super) action: Action<'a>,
    pub(super) select: Select,
    is_head: bool,
}

/// The request that a call makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) enum Action<'a> {
    Presence(Principal<'a>),
    #[cfg(feature = "details")]
    User(Principal<'a>),
    #[cfg(feature = "batch")]
    PresencesByUserId(&'a [UserId]),
    #[cfg(feature = "batch")]
    Presences(&'a [UserId]),
    Execute(Principal<'a>, Command<SessionId>),
    #[cfg(feature = "details")]
    SetStatusMessage(Principal<'a>, &'a str, Option<u64>),
    #[cfg(feature = "details")]
    SetLocation(Principal<'a>, Operation, WorkPlace<'a>),
    #[cfg(feature = "details")]
    ClearLocation(Principal<'a>, Operation),
}

impl<'a> Call<'a> {
    /// The length of the longest body of a call that [`execute`](Self::execute) makes, in bytes.
    pub const MAX_COMMAND_BODY: usize = r#"{"sessionId":"","availability":"","activity":"","expirationDuration":""}"#
        .len()
        + SessionId::TEXT_LEN
        + "DoNotDisturb".len()
        + "UrgentInterruptionsOnly".len()
        + "P213503982334DT14H25M51.615S".len();

    const fn new(action: Action<'a>) -> Self {
        Self { action, select: Select::ALL, is_head: false }
    }

    /// Creates a read of one user's presence.
    #[must_use]
    pub const fn presence(user: Principal<'a>) -> Self {
        Self::new(Action::Presence(user))
    }

    /// Creates a read of what is known of one user: `GET /me`, `GET /users/{id}`. Feature `details`.
    #[cfg(feature = "details")]
    #[must_use]
    pub const fn user(user: Principal<'a>) -> Self {
        Self::new(Action::User(user))
    }

    /// Creates a read of many users' presences: `POST /communications/getPresencesByUserId`. Feature `batch`.
    ///
    /// # Errors
    ///
    /// [`Error::Count`] of [`Field::Ids`] for no id, or for more than [`Ids::MAX_COUNT`].
    #[cfg(feature = "batch")]
    pub const fn presences_by_user_id(ids: &'a [UserId]) -> Result<Self, Error> {
        match counted(ids) {
            Ok(ids) => Ok(Self::new(Action::PresencesByUserId(ids))),
            Err(error) => Err(error),
        }
    }

    /// Creates a read of the collection: `GET /communications/presences?$filter=id in (…)` ([H8](crate::rules#h8)). Feature
    /// `batch`.
    ///
    /// Its target takes 43 bytes for each id, and servers limit the length of targets: ask for few users so.
    ///
    /// # Errors
    ///
    /// [`Error::Count`] of [`Field::Ids`] for no id, or for more than [`Ids::MAX_COUNT`].
    #[cfg(feature = "batch")]
    pub const fn presences(ids: &'a [UserId]) -> Result<Self, Error> {
        match counted(ids) {
            Ok(ids) => Ok(Self::new(Action::Presences(ids))),
            Err(error) => Err(error),
        }
    }

    /// Creates the call of a command: `setPresence`, `clearPresence`, `setUserPreferredPresence` or
    /// `clearUserPreferredPresence`.
    ///
    /// `policy` is that of the receiver, [`Policy::GRAPH`] in doubt.
    ///
    /// # Errors
    ///
    /// [`Error::Pair`] or [`Error::OutOfRange`] of [`Field::ExpirationDuration`](crate::graph::Field::ExpirationDuration) for what the policy does not allow.
    pub fn execute(user: Principal<'a>, command: Command<SessionId>, policy: &Policy) -> Result<Self, Error> {
        match command {
            Command::SetPresence { presence, lease, .. } => {
                policy.check_session(presence, lease).map_err(CommandError::from)?;
            }
            Command::SetPreferredPresence { presence, duration } => {
                policy.check_preferred(presence, duration).map_err(CommandError::from)?;
            }
            Command::ClearPresence { .. } | Command::ClearPreferredPresence => {}
        }
        Ok(Self::new(Action::Execute(user, command)))
    }

    /// Creates `setStatusMessage`; an empty text removes the message ([T1](crate::rules#t1)). Feature `details`.
    ///
    /// `expires_at` is the Unix time in milliseconds after which it is no longer shown.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] of [`Field::Content`] for more than [`TextBuffer::CAPACITY`] bytes.
    #[cfg(feature = "details")]
    pub fn set_status_message(user: Principal<'a>, text: &'a str, expires_at: Option<u64>) -> Result<Self, Error> {
        if text.len() > TextBuffer::CAPACITY {
            return Err(Error::OutOfRange(Field::Content));
        }
        Ok(Self::new(Action::SetStatusMessage(user, text, expires_at)))
    }

    /// Creates `setManualLocation` ([W1](crate::rules#w1)). Feature `details`.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] of [`Field::PlaceId`] for more than [`WorkPlace::MAX_ID_LEN`] bytes.
    #[cfg(feature = "details")]
    pub fn set_manual_location(user: Principal<'a>, place: WorkPlace<'a>) -> Result<Self, Error> {
        Self::set_location(user, Operation::SetManualLocation, place)
    }

    /// Creates `setAutomaticLocation` ([W1](crate::rules#w1)). Feature `details`.
    ///
    /// # Errors
    ///
    /// As [`set_manual_location`](Self::set_manual_location).
    #[cfg(feature = "details")]
    pub fn set_automatic_location(user: Principal<'a>, place: WorkPlace<'a>) -> Result<Self, Error> {
        Self::set_location(user, Operation::SetAutomaticLocation, place)
    }

    #[cfg(feature = "details")]
    fn set_location(user: Principal<'a>, operation: Operation, place: WorkPlace<'a>) -> Result<Self, Error> {
        if place.id.is_some_and(|id| id.len() > WorkPlace::MAX_ID_LEN) {
            return Err(Error::OutOfRange(Field::PlaceId));
        }
        Ok(Self::new(Action::SetLocation(user, operation, place)))
    }

    /// Creates `clearLocation`, which removes manual and automatic location. Feature `details`.
    #[cfg(feature = "details")]
    #[must_use]
    pub const fn clear_location(user: Principal<'a>) -> Self {
        Self::new(Action::ClearLocation(user, Operation::ClearLocation))
    }

    /// Creates `clearAutomaticLocation`. Feature `details`.
    #[cfg(feature = "details")]
    #[must_use]
    pub const fn clear_automatic_location(user: Principal<'a>) -> Self {
        Self::new(Action::ClearLocation(user, Operation::ClearAutomaticLocation))
    }

    /// Sets the members that a read of presences asks for; of another call it changes nothing. Feature `details`.
    ///
    /// ```
    /// use presence_core::client::{Call, Principal};
    /// use presence_core::graph::Select;
    ///
    /// let call = Call::presence(Principal::ME).with_select(Select::parse("?$select=availability,activity")?);
    /// assert_eq!(call.target().to_string(), "/me/presence?$select=availability,activity");
    /// # Ok::<(), presence_core::graph::Error>(())
    /// ```
    #[cfg(feature = "details")]
    #[must_use]
    pub const fn with_select(mut self, select: Select) -> Self {
        if self.reads_presences() {
            self.select = select;
        }
        self
    }

    /// Asks for the head of the answer alone; of a call whose method is not `GET` it changes nothing.
    #[must_use]
    pub fn as_head(mut self) -> Self {
        self.is_head = self.method() == "GET";
        self
    }

    #[cfg(feature = "details")]
    const fn reads_presences(&self) -> bool {
        #[cfg(feature = "batch")]
        if matches!(self.action, Action::PresencesByUserId(_) | Action::Presences(_)) {
            return true;
        }
        matches!(self.action, Action::Presence(_))
    }

    /// Returns the method.
    #[must_use]
    pub const fn method(&self) -> &'static str {
        match self.action {
            _ if self.is_head => "HEAD",
            Action::Presence(_) => "GET",
            #[cfg(feature = "batch")]
            Action::Presences(_) => "GET",
            #[cfg(feature = "details")]
            Action::User(_) => "GET",
            _ => "POST",
        }
    }

    /// Returns the headers, but for `Host` and the length of the body, which HTTP clients write themselves.
    ///
    /// `authorization` is [`TokenAnswer::authorization`](super::super::TokenAnswer::authorization), or another value of that
    /// header; `client_request_id` is the caller's name for this call, which an error repeats. Both are sent as they are.
    pub fn headers<'h>(
        &self,
        authorization: Option<&'h str>,
        client_request_id: Option<&'h str>,
    ) -> impl Iterator<Item = (&'static str, &'h str)> + use<'h> {
        headers(self.has_body(), authorization, client_request_id)
    }
}

/// Returns the headers of a request with or without a body.
pub(super) fn headers<'h>(
    has_body: bool,
    authorization: Option<&'h str>,
    client_request_id: Option<&'h str>,
) -> impl Iterator<Item = (&'static str, &'h str)> + use<'h> {
    [
        ("Authorization", authorization),
        ("Accept", Some("application/json")),
        ("Content-Type", has_body.then_some("application/json")),
        ("client-request-id", client_request_id),
    ]
    .into_iter()
    .filter_map(|(name, value)| value.map(|value| (name, value)))
}

/// Checks the number of ids.
#[cfg(feature = "batch")]
const fn counted(ids: &[UserId]) -> Result<&[UserId], Error> {
    if ids.is_empty() || ids.len() > Ids::MAX_COUNT { Err(Error::Count(Field::Ids)) } else { Ok(ids) }
}
