//! Section 7, written down independently: permissions, and the status of each error.

use presence_core::graph::{Caller, DetailsAction, Error, Permissions, Request};
use presence_core::{Command, Presence, SessionId, UserId};

/// What a request does, as section 7 tells requests apart.
#[derive(Default)]
struct Takes {
    /// The user that is read.
    read: Option<UserId>,
    /// Something is known of a user who may be anybody.
    reads_a_user: bool,
    /// Many users are read.
    reads_many: bool,
    /// The user that is written.
    written: Option<UserId>,
    /// The session that is named.
    session: Option<SessionId>,
    /// It is for a signed-in user only.
    is_delegated_only: bool,
}

impl Takes {
    fn of(request: &Request<'_>) -> Self {
        let writing = |user: &UserId| Self { written: Some(*user), ..Self::default() };
        match request {
            Request::Batch(_) => Self::default(),
            Request::Get { user, .. } => Self { read: Some(*user), ..Self::default() },
            Request::GetUser { .. } => Self { reads_a_user: true, ..Self::default() },
            Request::GetPresences(_) => Self { reads_many: true, ..Self::default() },
            Request::Execute { user, command } => match command {
                Command::SetPresence { session, .. } | Command::ClearPresence { session } => {
                    Self { session: Some(*session), ..writing(user) }
                }
                Command::SetPreferredPresence { .. } | Command::ClearPreferredPresence => writing(user),
            },
            Request::ExecuteDetails { user, action } => match action {
                DetailsAction::SetStatusMessage { .. } => writing(user),
                DetailsAction::SetLocation { .. } | DetailsAction::ClearLocations(_) => {
                    Self { is_delegated_only: true, ..writing(user) }
                }
            },
            _ => panic!("{request:?} is a new kind of request"),
        }
    }
}

/// What a caller may do to whom.
struct Rights {
    /// It reads every user.
    reads_all: bool,
    /// It reads the signed-in user.
    reads_own: bool,
    /// It writes those that it may write at all.
    writes: bool,
    /// It holds a permission at all.
    any: bool,
}

impl Rights {
    fn of(permissions: Permissions, is_delegated: bool) -> Self {
        let [read, read_all, read_write, read_write_all] =
            ["Presence.Read", "Presence.Read.All", "Presence.ReadWrite", "Presence.ReadWrite.All"]
                .map(|name| permissions.contains(Permissions::from_name(name).expect("a permission")));
        let any = read || read_all || read_write || read_write_all;
        if is_delegated {
            let writes = read_write || read_write_all;
            Self { reads_all: read_all, reads_own: any, writes, any }
        } else {
            Self { reads_all: read_all || read_write_all, reads_own: false, writes: read_write_all, any }
        }
    }
}

/// Checks that a caller may make a request; the elements of a batch are checked one by one. Rule H1.
pub fn may(caller: &Caller, request: &Request<'_>) -> Result<(), Error> {
    let (application, own, permissions) = match *caller {
        Caller::Trusted { .. } => return Ok(()),
        Caller::Application { application, permissions } => (application, None, permissions),
        Caller::Delegated { application, user, permissions } => (application, Some(user), permissions),
    };
    let (takes, rights) = (Takes::of(request), Rights::of(permissions, own.is_some()));
    let reads = rights.reads_all || rights.reads_own && takes.read == own;
    let errors = [
        (own.is_some() && takes.written.is_some() && own != takes.written, Error::OtherUser),
        (takes.is_delegated_only && own.is_none(), Error::MissingPermission),
        (takes.read.is_some() && !reads, Error::MissingPermission),
        (takes.reads_a_user && !rights.any, Error::MissingPermission),
        (takes.reads_many && !rights.reads_all, Error::MissingPermission),
        (takes.written.is_some() && !rights.writes, Error::MissingPermission),
        (takes.session.is_some_and(|session| session != application), Error::OtherSession),
    ];
    errors.into_iter().find(|(is_so, _)| *is_so).map_or(Ok(()), |(_, error)| Err(error))
}

/// Returns the status of an error. Rules H1, H2, H5, H6.
pub fn status(error: Error) -> u16 {
    match error {
        Error::Json(_) | Error::NotAnObject | Error::LineTooLong => 400,
        Error::Duplicate(_) | Error::Missing(_) | Error::Malformed(_) | Error::OutOfRange(_) => 400,
        Error::Pair | Error::Count(_) | Error::Repeated(_) | Error::NestedBatch | Error::NoSignedInUser => 400,
        Error::OtherUser => 401,
        Error::MissingPermission | Error::OtherSession => 403,
        Error::SessionNotFound | Error::UnknownPath | Error::UnknownUser => 404,
        Error::MethodNotAllowed => 405,
        Error::TooLarge => 413,
        Error::UnsupportedMediaType => 415,
        Error::FailedDependency => 424,
        Error::SessionsFull | Error::UsersFull | Error::ResponseTooLarge => 507,
        _ => panic!("{error:?} is the application's, or new"),
    }
}

/// Returns the code of an error by rule H1, or the name of the status if the rule has none.
pub fn code(error: Error) -> &'static str {
    match status(error) {
        400 if error == Error::NoSignedInUser => "BadRequest",
        400 => "InvalidArgument",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        405 => "MethodNotAllowed",
        413 => "RequestEntityTooLarge",
        415 => "UnsupportedMediaType",
        424 => "FailedDependency",
        507 => "InsufficientStorage",
        status => panic!("{status} is not documented"),
    }
}

/// Returns the names of a presence, availability and activity, by its number in the table of section 2.
pub fn names(presence: Presence) -> (&'static str, &'static str) {
    const NAMES: [(&str, &str); 15] = [
        ("PresenceUnknown", "PresenceUnknown"),
        ("Offline", "Offline"),
        ("Offline", "OffWork"),
        ("Away", "Away"),
        ("BeRightBack", "BeRightBack"),
        ("Available", "AvailableInactive"),
        ("Available", "Available"),
        ("Busy", "Busy"),
        ("Busy", "InAMeeting"),
        ("Busy", "InACall"),
        ("Busy", "InAConferenceCall"),
        ("DoNotDisturb", "DoNotDisturb"),
        ("DoNotDisturb", "Focusing"),
        ("DoNotDisturb", "UrgentInterruptionsOnly"),
        ("DoNotDisturb", "Presenting"),
    ];
    NAMES[usize::from(presence as u8)]
}
