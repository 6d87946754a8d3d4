//! The permissions of a caller.

/// A set of the permissions that [section 7](crate::rules#permissions) names, in one byte, built in `const`.
///
/// What a permission allows depends on the [`Caller`](super::Caller) that holds it.
///
/// ```
/// use presence_core::graph::Permissions;
///
/// const SIGNED_IN: Permissions = Permissions::READ_ALL.union(Permissions::READ_WRITE);
/// assert!(SIGNED_IN.contains(Permissions::READ_WRITE));
/// assert!(!SIGNED_IN.contains(Permissions::READ_WRITE_ALL));
/// assert_eq!(Permissions::from_name("Presence.Read.All"), Some(Permissions::READ_ALL));
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Permissions(u8);

impl Permissions {
    /// No permission.
    pub const EMPTY: Self = Self(0);
    /// `Presence.Read`: the application reads the signed-in user.
    pub const READ: Self = Self(1);
    /// `Presence.Read.All`: it reads every user.
    pub const READ_ALL: Self = Self(1 << 1);
    /// `Presence.ReadWrite`: it reads and writes the signed-in user.
    pub const READ_WRITE: Self = Self(1 << 2);
    /// `Presence.ReadWrite.All`: an application by itself reads and writes every user. For a signed-in user it is
    /// `Presence.ReadWrite`.
    pub const READ_WRITE_ALL: Self = Self(1 << 3);
    /// Every permission.
    pub const ALL: Self = Self(15);

    const NAMES: [(&'static str, Self); 4] = [
        ("Presence.Read", Self::READ),
        ("Presence.Read.All", Self::READ_ALL),
        ("Presence.ReadWrite", Self::READ_WRITE),
        ("Presence.ReadWrite.All", Self::READ_WRITE_ALL),
    ];

    /// Returns the permission with a name, as tokens and Graph's documentation write it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, permission)| *permission)
    }

    /// Returns the permissions of both sets.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Reports whether every permission of `other` is in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Reports whether some permission of `other` is in this set.
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Reports whether the set has no permission.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns the set of these bits, the lowest for `Presence.Read`.
    #[cfg(feature = "arbitrary")]
    pub(crate) const fn from_bits(bits: u8) -> Self {
        Self(bits & Self::ALL.0)
    }
}

impl core::fmt::Debug for Permissions {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let names = Self::NAMES.iter().filter(|(_, permission)| self.contains(*permission));
        f.debug_set().entries(names.map(|(name, _)| name)).finish()
    }
}
