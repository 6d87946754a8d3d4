//! The presence object, as responses and bulk reads show it.

#[cfg(feature = "details")]
use crate::details::{DetailsView, WorkPlace};
use crate::graph::request::ids::Ids;
use crate::graph::request::select::Select;
use crate::id::UserId;
use crate::presence::Presence;

/// A presence object, as [H3](crate::rules#h3) says.
///
/// ```
/// use presence_core::graph::{Buffer, Resource};
/// use presence_core::{Presence, UserId};
///
/// let resource = Resource::new(UserId::from_bytes([0x11; 16]), Presence::InACall, 7);
/// let mut bytes = [0; Resource::MAX_LEN];
/// let mut body = Buffer::new(&mut bytes);
/// resource.write(&mut body)?;
/// let begins = br#"{"id":"11111111-1111-1111-1111-111111111111","availability":"Busy","activity":"InACall","#;
/// assert!(body.written().starts_with(begins));
/// # Ok::<(), presence_core::BufferFull>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Resource<'a> {
    /// The user.
    pub user: UserId,
    /// The published presence.
    pub presence: Presence,
    /// The version of the user; the version of its details is added to it.
    pub version: u64,
    /// The members to write.
    pub select: Select,
    /// Status message, out of office and work location; `None` writes them as null. Feature `details`.
    #[cfg(feature = "details")]
    pub details: Option<DetailsView<'a>>,
    /// True if the reader is the user: only then the times of the status message are written. Feature `details`.
    #[cfg(feature = "details")]
    pub is_own: bool,
    /// The Unix time, in milliseconds, of the instant 0, if it is known. Feature `details`.
    #[cfg(feature = "details")]
    pub epoch: Option<u64>,
    #[cfg(not(feature = "details"))]
    details: core::marker::PhantomData<&'a ()>,
}

impl<'a> Resource<'a> {
    /// The length of the longest presence object without details, in bytes.
    pub const MAX_LEN: usize = 211;

    /// Creates a presence object without details, with every member.
    #[must_use]
    pub const fn new(user: UserId, presence: Presence, version: u64) -> Self {
        Self {
            user,
            presence,
            version,
            select: Select::ALL,
            #[cfg(feature = "details")]
            details: None,
            #[cfg(feature = "details")]
            is_own: false,
            #[cfg(feature = "details")]
            epoch: None,
            #[cfg(not(feature = "details"))]
            details: core::marker::PhantomData,
        }
    }

    /// Sets the members to write.
    ///
    #[cfg_attr(feature = "details", doc = "```")]
    #[cfg_attr(not(feature = "details"), doc = "```ignore")]
    /// use presence_core::details::Details;
    /// use presence_core::graph::{Buffer, Resource, Select};
    /// use presence_core::{Presence, UserId};
    ///
    /// let details: Details<40> = Details::new();
    /// let resource = Resource::new(UserId::from_bytes([0x11; 16]), Presence::Away, 7)
    ///     .with_details(details.view())
    ///     .with_select(Select::parse("?$select=availability,workLocation")?);
    /// let mut bytes = [0; Resource::max_len(40)];
    /// let mut body = Buffer::new(&mut bytes);
    /// resource.write(&mut body)?;
    /// let expected =
    ///     br#"{"availability":"Away","workLocation":{"workLocationType":"unspecified","placeId":null,"source":"none"}}"#;
    /// assert_eq!(body.written(), expected);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn with_select(mut self, select: Select) -> Self {
        self.select = select;
        self
    }

    /// Sets status message, out of office and work location. Feature `details`.
    #[cfg(feature = "details")]
    #[must_use]
    pub fn with_details(self, details: impl Into<Option<DetailsView<'a>>>) -> Self {
        Self { details: details.into(), ..self }
    }

    /// Writes the times of the status message too, for a reader who is the user. Feature `details`.
    ///
    /// `epoch` is the Unix time, in milliseconds, of the instant 0; without it the times are null.
    #[cfg(feature = "details")]
    #[must_use]
    pub const fn for_owner(mut self, epoch: Option<u64>) -> Self {
        self.is_own = true;
        self.epoch = epoch;
        self
    }

    /// Returns the length of the longest presence object with messages of this length. Feature `details`.
    ///
    /// Every byte of a message may need an escape.
    #[cfg(feature = "details")]
    #[must_use]
    pub const fn max_len(message: usize) -> usize {
        const TIMES: usize = r#","publishedDateTime":"2026-11-24T17:05:33.2070000Z","expiryDateTime":{"dateTime":"2026-11-24T17:05:33.2070000","timeZone":"UTC"}"#.len();
        const MESSAGES: usize = r#"{"message":{"content":"","contentType":"text"}}"#.len()
            + r#"{"message":"","isOutOfOffice":false}"#.len();
        const PLACE: usize =
            r#"{"workLocationType":"timeOff","placeId":"","source":"scheduled"}"#.len() + 6 * WorkPlace::MAX_ID_LEN;
        // Without details each of the three is null.
        const FIXED: usize = Resource::MAX_LEN - 3 * "null".len() + TIMES + MESSAGES + PLACE;
        FIXED.saturating_add(message.saturating_mul(12))
    }
}

impl Ids<'_> {
    /// The length of the longest response to a bulk read, in bytes, from a store without details.
    pub const MAX_RESPONSE: usize = r#"{"value":["#.len() + Self::MAX_COUNT * (Resource::MAX_LEN + 1) + 1;
}
