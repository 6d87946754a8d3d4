//! Errors of requests: status, code and message.

#[cfg(feature = "details")]
use crate::details::DetailsError;
use crate::graph::json::JsonError;
use crate::user::CommandError;

/// A member of a request's body, as messages name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Field {
    /// `sessionId`
    SessionId,
    /// `availability`
    Availability,
    /// `activity`
    Activity,
    /// `expirationDuration`
    ExpirationDuration,
    /// `ids`
    Ids,
    /// `requests`, of a batch
    Requests,
    /// `id`, of an element of a batch
    Id,
    /// `method`, of an element of a batch
    Method,
    /// `url`, of an element of a batch
    Url,
    /// `headers`, of an element of a batch
    Headers,
    /// `body`, of an element of a batch
    Body,
    /// `dependsOn`, of an element of a batch
    DependsOn,
    /// The user's id, in the path
    User,
    /// `at`, of a line: when it was sent
    At,
    /// `statusMessage`. Feature `details`.
    #[cfg(feature = "details")]
    StatusMessage,
    /// `message`. Feature `details`.
    #[cfg(feature = "details")]
    Message,
    /// `content`. Feature `details`.
    #[cfg(feature = "details")]
    Content,
    /// `contentType`. Feature `details`.
    #[cfg(feature = "details")]
    ContentType,
    /// `expiryDateTime`. Feature `details`.
    #[cfg(feature = "details")]
    ExpiryDateTime,
    /// `dateTime`. Feature `details`.
    #[cfg(feature = "details")]
    DateTime,
    /// `timeZone`. Feature `details`.
    #[cfg(feature = "details")]
    TimeZone,
    /// `workLocationType`. Feature `details`.
    #[cfg(feature = "details")]
    WorkLocationType,
    /// `placeId`. Feature `details`.
    #[cfg(feature = "details")]
    PlaceId,
    /// `$select`. Feature `details`.
    #[cfg(feature = "details")]
    Select,
    /// `$filter`. Feature `batch`.
    #[cfg(feature = "batch")]
    Filter,
}

impl Field {
    /// Returns the name of the member in a JSON text.
    #[must_use]
    pub const fn member(self) -> &'static str {
        match self {
            Self::SessionId => "sessionId",
            Self::Availability => "availability",
            Self::Activity => "activity",
            Self::ExpirationDuration => "expirationDuration",
            Self::Ids => "ids",
            Self::Requests => "requests",
            Self::Id => "id",
            Self::Method => "method",
            Self::Url => "url",
            Self::Headers => "headers",
            Self::Body => "body",
            Self::DependsOn => "dependsOn",
            Self::User => "user",
            Self::At => "at",
            #[cfg(feature = "details")]
            Self::StatusMessage => "statusMessage",
            #[cfg(feature = "details")]
            Self::Message => "message",
            #[cfg(feature = "details")]
            Self::Content => "content",
            #[cfg(feature = "details")]
            Self::ContentType => "contentType",
            #[cfg(feature = "details")]
            Self::ExpiryDateTime => "expiryDateTime",
            #[cfg(feature = "details")]
            Self::DateTime => "dateTime",
            #[cfg(feature = "details")]
            Self::TimeZone => "timeZone",
            #[cfg(feature = "details")]
            Self::WorkLocationType => "workLocationType",
            #[cfg(feature = "details")]
            Self::PlaceId => "placeId",
            #[cfg(feature = "details")]
            Self::Select => "$select",
            #[cfg(feature = "batch")]
            Self::Filter => "$filter",
        }
    }

    /// Returns the name in messages, capitalised as Graph does.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SessionId => "SessionId",
            Self::Availability => "Availability",
            Self::Activity => "Activity",
            Self::ExpirationDuration => "ExpirationDuration",
            Self::Ids => "Ids",
            Self::Requests => "Requests",
            Self::Id => "Id",
            Self::Method => "Method",
            Self::Url => "Url",
            Self::Headers => "Headers",
            Self::Body => "Body",
            Self::DependsOn => "DependsOn",
            Self::User => "User",
            Self::At => "At",
            #[cfg(feature = "details")]
            Self::StatusMessage => "StatusMessage",
            #[cfg(feature = "details")]
            Self::Message => "Message",
            #[cfg(feature = "details")]
            Self::Content => "Content",
            #[cfg(feature = "details")]
            Self::ContentType => "ContentType",
            #[cfg(feature = "details")]
            Self::ExpiryDateTime => "ExpiryDateTime",
            #[cfg(feature = "details")]
            Self::DateTime => "DateTime",
            #[cfg(feature = "details")]
            Self::TimeZone => "TimeZone",
            #[cfg(feature = "details")]
            Self::WorkLocationType => "WorkLocationType",
            #[cfg(feature = "details")]
            Self::PlaceId => "PlaceId",
            #[cfg(feature = "details")]
            Self::Select => "Select",
            #[cfg(feature = "batch")]
            Self::Filter => "Filter",
        }
    }
}

/// The reason for which a request was rejected. Nothing was changed. See [H1](crate::rules#h1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    /// 413: the body is longer than [`RawRequest::MAX_BODY`](super::RawRequest::MAX_BODY).
    TooLarge,
    /// 404: no such path.
    UnknownPath,
    /// 400: `/me`, in a request of a caller who acts for no user.
    NoSignedInUser,
    /// 404: no such user, as [`Context::known_users`](super::Context::known_users) says.
    UnknownUser,
    /// 405: the path exists, but not with this method.
    MethodNotAllowed,
    /// 415: the media type is not JSON, or the body has a content coding.
    UnsupportedMediaType,
    /// 400: the body is not JSON.
    Json(JsonError),
    /// 400: the body or the line is JSON, but no object.
    NotAnObject,
    /// 400: the line is longer than [`Line::MAX_LEN`](super::Line::MAX_LEN).
    LineTooLong,
    /// 400: a member is given twice.
    Duplicate(Field),
    /// 400: a required member is missing.
    Missing(Field),
    /// 400: a member has the wrong type or form.
    Malformed(Field),
    /// 400: a duration is out of range, or a text or an id is too long.
    OutOfRange(Field),
    /// 400: the combination of availability and activity is not supported here.
    Pair,
    /// 400: a list has more or fewer entries than it may have.
    Count(Field),
    /// 400: an id is given twice.
    Repeated(Field),
    /// 400: a batch inside a batch.
    NestedBatch,
    /// 400: the line is older than the one before.
    OutOfOrder,
    /// 401: no token, or an unknown one. For the application, which checks tokens.
    Unauthenticated,
    /// 429: too many requests. For the application, which counts them.
    Throttled {
        /// The value of the `Retry-After` header, in seconds.
        retry_after: u8,
    },
    /// 401: a delegated caller writes another user's presence.
    OtherUser,
    /// 403: the caller lacks the permission.
    MissingPermission,
    /// 403: an application names a session that is not its own.
    OtherSession,
    /// 404: there is no such session.
    SessionNotFound,
    /// 424: an element that this one depends on failed.
    FailedDependency,
    /// 507: the user has no room for another session.
    SessionsFull,
    /// 507: the store has no room for another user.
    UsersFull,
    /// 507: the response does not fit; nothing was done.
    ResponseTooLarge,
}

impl Error {
    /// Returns the HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Unauthenticated | Self::OtherUser => 401,
            Self::MissingPermission | Self::OtherSession => 403,
            Self::UnknownPath | Self::UnknownUser | Self::SessionNotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::FailedDependency => 424,
            Self::Throttled { .. } => 429,
            Self::SessionsFull | Self::UsersFull | Self::ResponseTooLarge => 507,
            _ => 400,
        }
    }

    /// Returns the error code, as Graph names it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self.status() {
            400 if matches!(self, Self::NoSignedInUser) => "BadRequest",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "NotFound",
            405 => "MethodNotAllowed",
            413 => "RequestEntityTooLarge",
            415 => "UnsupportedMediaType",
            424 => "FailedDependency",
            429 => "TooManyRequests",
            507 => "InsufficientStorage",
            _ => "InvalidArgument",
        }
    }

    /// Returns the value of the `Retry-After` header, in seconds.
    #[must_use]
    pub const fn retry_after(self) -> Option<u8> {
        match self {
            Self::Throttled { retry_after } => Some(retry_after),
            _ => None,
        }
    }

    /// Returns the message, in up to five pieces that follow each other.
    #[must_use]
    pub const fn message(self) -> [&'static str; 5] {
        let name = self.field_name();
        let (first, rest) = before_star(self.template());
        let (second, third) = before_star(rest);
        let has_second = rest.len() > second.len();
        [first, name, second, if has_second { name } else { "" }, third]
    }

    /// Returns the name of the field that the error is about; empty if it is about none.
    pub(super) const fn field_name(self) -> &'static str {
        match self.field() {
            Some(field) => field.name(),
            None => "",
        }
    }

    /// Returns the field that the error is about.
    const fn field(self) -> Option<Field> {
        match self {
            Self::Duplicate(field)
            | Self::Missing(field)
            | Self::Malformed(field)
            | Self::OutOfRange(field)
            | Self::Count(field)
            | Self::Repeated(field) => Some(field),
            _ => None,
        }
    }

    /// Returns the message, with a star for the name of the field. Each is a constant, so that a small device takes it
    /// out of a table.
    pub(super) const fn template(self) -> &'static str {
        match self {
            Self::TooLarge => "The request is too large.",
            Self::UnknownPath => "Resource not found.",
            Self::NoSignedInUser => "/me request is only valid with delegated authentication flow.",
            Self::UnknownUser => "User not found.",
            Self::MethodNotAllowed => "The method is not allowed for this resource.",
            Self::UnsupportedMediaType => "The body must be uncompressed application/json.",
            Self::Json(error) => error.message(),
            Self::NotAnObject => "The request is not a JSON object.",
            Self::LineTooLong => "The line is too long.",
            Self::Duplicate(_) => "[*]: The field is given twice.",
            Self::Missing(_) => "[*]: The * field is required.",
            Self::Malformed(_) => "The provided [*] is not valid.",
            Self::OutOfRange(_) => "The provided [*] is out of range.",
            Self::Pair => "The provided combination of [Availability] and [Activity] is not supported.",
            Self::Count(_) => "The number of [*] is out of range.",
            Self::Repeated(_) => "The same [*] is given twice.",
            Self::NestedBatch => "A batch must not contain a batch.",
            Self::OutOfOrder => "The provided [At] lies before that of an earlier line.",
            Self::Unauthenticated => "The caller is not known.",
            Self::Throttled { .. } => "Too many requests.",
            Self::OtherUser => "A delegated caller may write its own presence only.",
            Self::MissingPermission => "The caller lacks the permission.",
            Self::OtherSession => "An application may name its own session only.",
            Self::SessionNotFound => "Presence session not found.",
            Self::FailedDependency => "An element that this one depends on failed.",
            Self::SessionsFull => "The user has no room for another session.",
            Self::UsersFull => "There is no room for another user.",
            Self::ResponseTooLarge => "There is no room for the answer.",
        }
    }
}

impl JsonError {
    const fn message(self) -> &'static str {
        match self {
            Self::NotUtf8 => "The request is not UTF-8.",
            Self::Syntax => "The request is not well-formed JSON.",
            Self::TooDeep => "The request is nested too deeply.",
            // Requests name the member: `Error::Duplicate`.
            Self::DuplicateMember => "A member is given twice.",
        }
    }
}

/// Splits a text at its first star.
const fn before_star(text: &str) -> (&str, &str) {
    let mut position = 0;
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        if *byte == b'*'
            && let Some((before, starred)) = text.split_at_checked(position)
            && let Some((_, behind)) = starred.split_at_checked(1)
        {
            return (before, behind);
        }
        position = position.saturating_add(1);
        rest = after;
    }
    (text, "")
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.message().iter().try_for_each(|piece| f.write_str(piece))
    }
}

impl core::error::Error for Error {}

impl From<JsonError> for Error {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

#[cfg(feature = "details")]
impl From<DetailsError> for Error {
    fn from(error: DetailsError) -> Self {
        match error {
            DetailsError::MessageTooLong => Self::OutOfRange(Field::Content),
            DetailsError::OutOfOfficeTooLong => Self::OutOfRange(Field::Message),
            DetailsError::PlaceTooLong => Self::OutOfRange(Field::PlaceId),
            DetailsError::UsersFull => Self::UsersFull,
            DetailsError::Unsupported => Self::UnknownPath,
        }
    }
}

impl From<CommandError> for Error {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::NotFound => Self::SessionNotFound,
            CommandError::Lease | CommandError::PreferredDuration => Self::OutOfRange(Field::ExpirationDuration),
            CommandError::Presence | CommandError::PreferredPresence => Self::Pair,
            CommandError::SessionsFull => Self::SessionsFull,
            CommandError::UsersFull => Self::UsersFull,
        }
    }
}
