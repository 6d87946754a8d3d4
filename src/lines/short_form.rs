//! Short forms: a presence and a duration, in words.

use crate::graph::{Error, Field};
use crate::policy::Policy;
use crate::presence::Presence;
use crate::time::{Duration, IsoDuration};
use crate::user::{Command, CommandError};

/// A line for hosts of a few lines of script: a presence, and possibly for how long ([L4](crate::rules#l4)).
///
/// `FromStr` reads a name (`Busy`, `inacall`) or a pair (`Busy/InACall`), in any case, and a duration after white space.
/// `Display` writes a name, and the duration in whole milliseconds.
///
/// ```
/// use presence_core::graph::{Error, Field};
/// use presence_core::lines::ShortForm;
/// use presence_core::{Command, Duration, Policy, Presence};
///
/// let form: ShortForm = "busy/InACall PT1H".parse()?;
/// assert_eq!(form, ShortForm::new(Presence::InACall, Some(Duration::from_hours(1))));
/// assert_eq!(form.to_string(), "InACall PT1H");
/// let command = form.command(7, &Policy::DESK)?;
/// let lease = Some(Duration::from_hours(1));
/// assert_eq!(command, Command::SetPresence { session: 7, presence: Presence::InACall, lease });
///
/// assert_eq!("Away/InACall".parse::<ShortForm>(), Err(Error::Pair));
/// assert_eq!("Away tomorrow".parse::<ShortForm>(), Err(Error::Malformed(Field::ExpirationDuration)));
/// # Ok::<(), presence_core::graph::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct ShortForm {
    /// The presence that is said; Offline clears the session.
    pub presence: Presence,
    /// The duration, as it was written; `None` if there is none.
    pub lease: Option<IsoDuration>,
}

impl ShortForm {
    /// Creates the short form of a presence; without a lease, it is the receiver's default.
    #[must_use]
    pub fn new(presence: Presence, lease: impl Into<Option<Duration>>) -> Self {
        Self { presence, lease: lease.into().map(IsoDuration::from) }
    }

    /// Returns the command for a session: Offline clears it, anything else sets it.
    ///
    /// Offline has no use for a duration, which is ignored.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] of [`Field::ExpirationDuration`], or [`Error::Pair`], for what the policy does not allow.
    pub fn command<S>(self, session: S, policy: &Policy) -> Result<Command<S>, Error> {
        let Self { presence, lease } = self;
        if presence == Presence::Offline {
            return Ok(Command::ClearPresence { session });
        }
        let lease = within(lease, policy)?;
        policy.check_session(presence, lease).map_err(CommandError::from)?;
        Ok(Command::SetPresence { session, presence, lease })
    }
}

/// Returns a lease that the policy allows.
pub(super) fn within(lease: Option<IsoDuration>, policy: &Policy) -> Result<Option<Duration>, Error> {
    let out_of_range = Error::OutOfRange(Field::ExpirationDuration);
    lease.map(|lease| lease.within(policy.leases).ok_or(out_of_range)).transpose()
}

impl core::str::FromStr for ShortForm {
    type Err = Error;

    /// Reads a name or a pair, and a duration.
    ///
    /// # Errors
    ///
    /// [`Error::Pair`] for a name or a pair that is not in the table, [`Error::Malformed`] of [`Field::ExpirationDuration`].
    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim_ascii();
        let end = text.bytes().position(|byte| byte.is_ascii_whitespace()).unwrap_or(text.len());
        let (name, duration) = (text.get(..end).unwrap_or_default(), text.get(end..).unwrap_or_default().trim_ascii());
        let presence = name.parse().map_err(|_| Error::Pair)?;
        let lease = match duration {
            "" => None,
            _ => Some(IsoDuration::parse(duration).map_err(|_| Error::Malformed(Field::ExpirationDuration))?),
        };
        Ok(Self { presence, lease })
    }
}

impl core::fmt::Display for ShortForm {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.presence.activity().name())?;
        match self.lease {
            None => Ok(()),
            Some(lease) if lease.is_negative() => write!(f, " -{}", lease.magnitude()),
            Some(lease) => write!(f, " {}", lease.magnitude()),
        }
    }
}
