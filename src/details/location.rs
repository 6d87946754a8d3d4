//! The work location, in layers. Rule W1.

use crate::time::Instant;

/// What kind of place somebody works at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum WorkLocationType {
    /// In an office.
    Office = 1,
    /// Somewhere else.
    Remote,
    /// Not at work.
    TimeOff,
}

impl WorkLocationType {
    /// Every one, in the order of their bytes.
    pub const ALL: [Self; 3] = [Self::Office, Self::Remote, Self::TimeOff];

    /// The name on the wire; where nobody says anything, it is `unspecified` there. O(1).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Office => "office",
            Self::Remote => "remote",
            Self::TimeOff => "timeOff",
        }
    }

    /// The type of this name, in any case. O(1).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name))
    }
}

/// Who says where somebody works, the strongest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum LocationLayer {
    /// A calendar.
    Scheduled,
    /// A device: the network it is in, the desk it is at.
    Automatic,
    /// The user.
    Manual,
}

impl LocationLayer {
    /// Every one, the weakest first.
    pub const ALL: [Self; 3] = [Self::Scheduled, Self::Automatic, Self::Manual];

    /// The name on the wire, where it is the source of a location; where nobody says anything, that is `none`. O(1).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Automatic => "automatic",
            Self::Manual => "manual",
        }
    }
}

/// Some of the layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct LocationLayers(u8);

impl LocationLayers {
    /// What `clearAutomaticLocation` drops.
    pub const AUTOMATIC: Self = Self::only(LocationLayer::Automatic);
    /// What `clearLocation` drops: all but the calendar's.
    pub const MANUAL_AND_AUTOMATIC: Self = Self(Self::only(LocationLayer::Manual).0 | Self::AUTOMATIC.0);
    /// What a calendar drops that has nothing to say.
    pub const SCHEDULED: Self = Self::only(LocationLayer::Scheduled);

    /// This layer alone. O(1).
    #[must_use]
    pub const fn only(layer: LocationLayer) -> Self {
        Self(1 << layer as u8)
    }

    /// Whether this layer is one of them. O(1).
    #[must_use]
    pub const fn contains(self, layer: LocationLayer) -> bool {
        self.0 & 1 << layer as u8 != 0
    }
}

/// A place to work at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct WorkPlace<'a> {
    /// What kind of place.
    pub kind: WorkLocationType,
    /// Which one, if somebody said so; at most [`WorkPlace::MAX_ID_LEN`] bytes.
    pub id: Option<&'a str>,
}

impl WorkPlace<'_> {
    /// The length of the longest [`id`](Self::id), in bytes of UTF-8.
    pub const MAX_ID_LEN: usize = 64;
}

/// Where somebody works, and who says so. Rule W1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct WorkLocation<'a> {
    /// Where.
    pub place: WorkPlace<'a>,
    /// The strongest layer that says something.
    pub source: LocationLayer,
}

#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct StoredPlace {
    kind: WorkLocationType,
    /// Empty where there is none.
    id: heapless::String<{ WorkPlace::MAX_ID_LEN }>,
    pub(super) until: Instant,
}

impl StoredPlace {
    /// Puts it where it will lie; nothing if its id has no room.
    fn put(to: &mut Option<Self>, place: WorkPlace<'_>, until: Instant) {
        let stored = to.insert(Self { kind: place.kind, id: heapless::String::new(), until });
        if stored.id.push_str(place.id.unwrap_or_default()).is_err() {
            *to = None;
        }
    }

    pub(super) fn view(&self) -> WorkPlace<'_> {
        WorkPlace { kind: self.kind, id: Some(self.id.as_str()).filter(|id| !id.is_empty()) }
    }
}

/// What each layer says.
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

    /// What a layer says from now on; nothing if it has no room.
    pub(super) fn set(&mut self, layer: LocationLayer, place: WorkPlace<'_>, until: Instant) {
        StoredPlace::put(self.get_mut(layer), place, until);
    }

    /// A layer says nothing any more.
    pub(super) fn clear(&mut self, layer: LocationLayer) {
        *self.get_mut(layer) = None;
    }

    /// When a layer's place ends; never where there is none.
    pub(super) fn until(&self, layer: LocationLayer) -> Instant {
        self.get(layer).map_or(Instant::NEVER, |place| place.until)
    }

    /// Whether one of these layers says something.
    pub(super) fn any(&self, layers: LocationLayers) -> bool {
        LocationLayer::ALL.iter().any(|layer| layers.contains(*layer) && self.get(*layer).is_some())
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.scheduled.is_none() && self.automatic.is_none() && self.manual.is_none()
    }

    pub(super) fn strongest(&self) -> Option<WorkLocation<'_>> {
        Self::strongest_of(|layer| self.get(layer).map(StoredPlace::view))
    }

    /// What is shown at a moment, and how often the end of a layer has changed that until then. Of those that end together
    /// the weakest ends first, so who ends unseen does so no later than someone stronger.
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

    /// What is shown if the layers say this.
    pub(super) fn strongest_of<'a>(says: impl Fn(LocationLayer) -> Option<WorkPlace<'a>>) -> Option<WorkLocation<'a>> {
        LocationLayer::ALL.into_iter().rev().find_map(|source| Some(WorkLocation { place: says(source)?, source }))
    }

    pub(super) fn rebase(&mut self, from: Instant, to: Instant) {
        for layer in LocationLayer::ALL {
            if let Some(place) = self.get_mut(layer) {
                place.until = place.until.rebased(from, to);
            }
        }
    }
}
