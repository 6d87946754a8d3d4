//! The work location of a user, in layers.

use crate::time::Instant;

/// A kind of place to work at. The discriminants are the bytes of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum WorkLocationType {
    /// An office.
    Office = 1,
    /// Any other place, such as the user's home.
    Remote,
    /// No place: the user is not working.
    TimeOff,
}

impl WorkLocationType {
    /// All types, in ascending order of their bytes.
    pub const ALL: [Self; 3] = [Self::Office, Self::Remote, Self::TimeOff];

    /// Returns the name on the wire. Without a location, the wire has `unspecified`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Office => "office",
            Self::Remote => "remote",
            Self::TimeOff => "timeOff",
        }
    }

    /// Returns the type with this name, ignoring case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name))
    }
}

/// A source of a work location, the strongest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum LocationLayer {
    /// The calendar.
    Scheduled,
    /// A device that knows its network or desk.
    Automatic,
    /// The user.
    Manual,
}

impl LocationLayer {
    /// All layers, the weakest first.
    pub const ALL: [Self; 3] = [Self::Scheduled, Self::Automatic, Self::Manual];

    /// Returns the name on the wire. Without a location, the wire has `none`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Automatic => "automatic",
            Self::Manual => "manual",
        }
    }
}

/// A set of layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct LocationLayers(u8);

impl LocationLayers {
    /// The layer that Graph's `clearAutomaticLocation` clears.
    pub const AUTOMATIC: Self = Self::only(LocationLayer::Automatic);
    /// The layers that Graph's `clearLocation` clears: all but the calendar's.
    pub const MANUAL_AND_AUTOMATIC: Self = Self(Self::only(LocationLayer::Manual).0 | Self::AUTOMATIC.0);
    /// The layer of the calendar.
    pub const SCHEDULED: Self = Self::only(LocationLayer::Scheduled);

    /// Creates the set of this layer alone.
    #[must_use]
    pub const fn only(layer: LocationLayer) -> Self {
        Self(1 << layer as u8)
    }

    /// Reports whether the set contains this layer.
    #[must_use]
    pub const fn contains(self, layer: LocationLayer) -> bool {
        self.0 & 1 << layer as u8 != 0
    }
}

/// A place to work at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct WorkPlace<'a> {
    /// The kind of place.
    pub kind: WorkLocationType,
    /// The id of the place, if known; at most [`MAX_ID_LEN`](Self::MAX_ID_LEN) bytes.
    pub id: Option<&'a str>,
}

impl WorkPlace<'_> {
    /// The length of the longest [`id`](Self::id), in bytes of UTF-8.
    pub const MAX_ID_LEN: usize = 64;
}

/// The work location of a user. Rule [W1](crate::rules#w1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct WorkLocation<'a> {
    /// The place.
    pub place: WorkPlace<'a>,
    /// The strongest layer that has a place.
    pub source: LocationLayer,
}

/// The memory of the place of one layer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct StoredPlace {
    kind: WorkLocationType,
    /// Empty if there is none.
    id: heapless::String<{ WorkPlace::MAX_ID_LEN }>,
    pub(super) until: Instant,
}

impl StoredPlace {
    /// Stores a place; `None` if its id does not fit.
    fn put(slot: &mut Option<Self>, place: WorkPlace<'_>, until: Instant) {
        let stored = slot.insert(Self { kind: place.kind, id: heapless::String::new(), until });
        if stored.id.push_str(place.id.unwrap_or_default()).is_err() {
            *slot = None;
        }
    }

    pub(super) fn view(&self) -> WorkPlace<'_> {
        WorkPlace { kind: self.kind, id: Some(self.id.as_str()).filter(|id| !id.is_empty()) }
    }
}

/// The places of all layers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct Layers {
    scheduled: Option<StoredPlace>,
    automatic: Option<StoredPlace>,
    manual: Option<StoredPlace>,
}

impl Layers {
    pub(super) const EMPTY: Self = Self { scheduled: None, automatic: None, manual: None };

    pub(super) const fn get(&self, layer: LocationLayer) -> Option<&StoredPlace> {
        match layer {
            LocationLayer::Scheduled => self.scheduled.as_ref(),
            LocationLayer::Automatic => self.automatic.as_ref(),
            LocationLayer::Manual => self.manual.as_ref(),
        }
    }

    const fn get_mut(&mut self, layer: LocationLayer) -> &mut Option<StoredPlace> {
        match layer {
            LocationLayer::Scheduled => &mut self.scheduled,
            LocationLayer::Automatic => &mut self.automatic,
            LocationLayer::Manual => &mut self.manual,
        }
    }

    /// Stores the place of a layer, or clears the layer if the id does not fit.
    pub(super) fn set(&mut self, layer: LocationLayer, place: WorkPlace<'_>, until: Instant) {
        StoredPlace::put(self.get_mut(layer), place, until);
    }

    /// Clears a layer.
    pub(super) fn clear(&mut self, layer: LocationLayer) {
        *self.get_mut(layer) = None;
    }

    /// Returns the end of a layer's place, or never if there is none.
    pub(super) fn until(&self, layer: LocationLayer) -> Instant {
        self.get(layer).map_or(Instant::NEVER, |place| place.until)
    }

    /// Reports whether one of these layers has a place.
    pub(super) fn any(&self, layers: LocationLayers) -> bool {
        LocationLayer::ALL.iter().any(|layer| layers.contains(*layer) && self.get(*layer).is_some())
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.scheduled.is_none() && self.automatic.is_none() && self.manual.is_none()
    }

    pub(super) fn strongest(&self) -> Option<WorkLocation<'_>> {
        Self::strongest_of(|layer| self.get(layer).map(StoredPlace::view))
    }

    /// Returns the visible location at an instant, and how many visible changes lead to it.
    ///
    /// Of layers that end together the weakest ends first, so the end of a layer is hidden if a stronger one ends then or later.
    pub(super) fn strongest_at(&self, now: Instant) -> (Option<WorkLocation<'_>>, u64) {
        let (mut ended, mut hidden_until) = (0_u64, None);
        for place in LocationLayer::ALL.into_iter().rev().filter_map(|layer| self.get(layer)) {
            if place.until.is_due(now) && hidden_until < Some(place.until) {
                ended = ended.saturating_add(1);
            }
            hidden_until = hidden_until.max(Some(place.until));
        }
        let lasting = |layer| self.get(layer).filter(|place| !place.until.is_due(now));
        (Self::strongest_of(|layer| lasting(layer).map(StoredPlace::view)), ended)
    }

    /// Returns the visible location if the layers have these places.
    pub(super) fn strongest_of<'a>(
        place_of: impl Fn(LocationLayer) -> Option<WorkPlace<'a>>,
    ) -> Option<WorkLocation<'a>> {
        LocationLayer::ALL.into_iter().rev().find_map(|source| Some(WorkLocation { place: place_of(source)?, source }))
    }

    pub(super) fn rebase(&mut self, from: Instant, to: Instant) {
        for layer in LocationLayer::ALL {
            if let Some(place) = self.get_mut(layer) {
                place.until = place.until.rebased(from, to);
            }
        }
    }
}
