//! Histories of a store with details, compared with a model that knows only what each user has set, and until when. Rules M5,
//! S9, V1, V2.

use super::*;
use presence_core::details::{LocationLayer, WorkLocationType, WorkPlace};
use presence_core::{Command, CommandError, Duration, snapshot};
use proptest::prelude::*;
use support::model::cases;

const USERS: u8 = 6;
const SLOTS: usize = 3;

type Directory = InlineDirectory<UserId, SessionId, 2, SLOTS>;

#[derive(Clone, Debug)]
enum Step {
    /// A message for so many seconds; for none, the one there was is removed.
    Message(u8, u64),
    TooLong(u8),
    OutOfOffice(u8, bool),
    /// A location for so many seconds.
    Location(u8, LocationLayer, u64),
    Session(u8),
    ClearSession(u8),
    Advance,
    /// Everything is saved, and restored into a new store.
    Restart,
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let user = 0..USERS;
    let seconds = || prop_oneof![Just(0u64), 1..400u64];
    let layer = prop_oneof![Just(LocationLayer::Manual), Just(LocationLayer::Automatic)];
    prop_oneof![
        4 => (user.clone(), seconds()).prop_map(|(user, seconds)| Step::Message(user, seconds)),
        1 => user.clone().prop_map(Step::TooLong),
        2 => (user.clone(), any::<bool>()).prop_map(|(user, is_out)| Step::OutOfOffice(user, is_out)),
        3 => (user.clone(), layer, seconds()).prop_map(|(user, layer, seconds)| Step::Location(user, layer, seconds)),
        3 => user.clone().prop_map(Step::Session),
        2 => user.prop_map(Step::ClearSession),
        1 => Just(Step::Advance),
        1 => Just(Step::Restart),
        4 => (0..400u64).prop_map(Step::Pass),
    ]
}

/// What one user has set: in seconds, until when.
#[derive(Clone, Debug, Default)]
struct Model {
    message: u64,
    is_out_of_office: bool,
    manual: u64,
    automatic: u64,
    session: u64,
}

/// What others see: message, out of office, the location's layer, and presence.
type Visible = (bool, bool, Option<LocationLayer>, bool);

impl Model {
    fn has_details(&self, now: u64) -> bool {
        self.message > now || self.is_out_of_office || self.manual > now || self.automatic > now
    }

    fn visible(&self, now: u64) -> Visible {
        let location = if self.manual > now {
            Some(LocationLayer::Manual)
        } else {
            (self.automatic > now).then_some(LocationLayer::Automatic)
        };
        (self.message > now, self.is_out_of_office, location, self.session > now)
    }
}

fn id(user: u8) -> UserId {
    UserId::from_bytes([user; 16])
}

fn place(layer: LocationLayer) -> WorkPlace<'static> {
    let kind = if layer == LocationLayer::Manual { WorkLocationType::Office } else { WorkLocationType::Remote };
    WorkPlace { kind, id: None }
}

/// Returns what others see of a user, and its version on the wire.
fn read(store: &WithDetails<Directory, Map>, now: Instant, user: UserId) -> (Visible, u64) {
    let (presence, mut version) = store.read(now, user);
    let mut visible = (false, false, None, presence == Presence::InACall);
    store.read_details(now, user, &mut |details| {
        visible.0 = details.status_message.is_some();
        visible.1 = details.out_of_office.is_out_of_office;
        visible.2 = details.work_location.map(|location| match location.place.kind {
            WorkLocationType::Office => LocationLayer::Manual,
            _ => LocationLayer::Automatic,
        });
        version += details.version;
    });
    (visible, version)
}

/// Saves everything, and restores it into a new store.
fn restarted(store: &WithDetails<Directory, Map>, now: Instant) -> WithDetails<Directory, Map> {
    const NO_TIME: Option<Duration> = Some(Duration::ZERO);
    let mut restored = WithDetails::new(Directory::with_policy(Policy::GRAPH), Map::default());
    restored.store.raise_version_floor(store.store.version_floor());
    let mut bytes = [0; snapshot::max_details_len::<1120>()];
    for (user, record) in store.store.users() {
        let stored = snapshot::save(record.at(now).unwrap(), &mut bytes).unwrap();
        restored.store.insert(user, snapshot::restore(stored, now, NO_TIME).unwrap()).unwrap();
    }
    for (user, details) in &store.details.0 {
        let stored = snapshot::save_details(details.at(now).unwrap(), &mut bytes).unwrap();
        restored.insert(*user, snapshot::restore_details(stored, now, NO_TIME).unwrap()).unwrap();
    }
    restored
}

proptest! {
    #![proptest_config(cases(256))]

    /// In any history of more users than there are slots: who has a session or details has a slot, and a command fails for
    /// want of one only when all have such users; everyone sees what was set, until it ends; a visible change raises the
    /// version and moves the cursor, and nothing lowers the version of a user that keeps its slot, a restart neither.
    #[test]
    fn m5_v1_v2_details_keep_the_slot_and_the_version(steps in prop::collection::vec(step(), 1..100)) {
        let mut store = WithDetails::new(Directory::with_policy(Policy::GRAPH), Map::default());
        let mut models: [Model; USERS as usize] = Default::default();
        let mut highest = [0; USERS as usize];
        let mut seconds = 0;
        let long = "x".repeat(1121);
        for step in steps {
            let now = Instant::from_secs(seconds);
            let before = models.clone();
            let is_stored = |model: &&Model| model.has_details(seconds) || model.session > seconds;
            let is_full = models.iter().filter(is_stored).count() == SLOTS;
            let cursor = store.store.cursor();
                        let details = match step {
                Step::Message(user, lasts) => {
                    let text = if lasts == 0 { "" } else { "x" };
                    models[user as usize].message = if lasts == 0 { 0 } else { seconds + lasts };
                    let expires_at = Instant::from_secs(seconds + lasts);
                    Some((user, DetailsCommand::SetStatusMessage { text, expires_at }))
                }
                Step::TooLong(user) => {
                    Some((user, DetailsCommand::SetStatusMessage { text: &long, expires_at: Instant::NEVER }))
                }
                Step::OutOfOffice(user, is_out_of_office) => {
                    models[user as usize].is_out_of_office = is_out_of_office;
                    Some((user, DetailsCommand::SetOutOfOffice(OutOfOffice { is_out_of_office, message: None })))
                }
                Step::Location(user, layer, lasts) => {
                    let model = &mut models[user as usize];
                    let until = if layer == LocationLayer::Manual { &mut model.manual } else { &mut model.automatic };
                    *until = seconds + lasts;
                    let until = Instant::from_secs(seconds + lasts);
                    Some((user, DetailsCommand::SetLocation { layer, place: place(layer), until }))
                }
                _ => None,
            };
            if let Some((user, command)) = details {
                let (was, is) = (&before[user as usize], &models[user as usize]);
                let needs_slot = is.has_details(seconds) && !is_stored(&was);
                let expected = match step {
                    Step::TooLong(_) => Err(DetailsError::MessageTooLong),
                    _ if is_full && needs_slot => Err(DetailsError::UsersFull),
                    _ => Ok(()),
                };
                prop_assert_eq!(store.execute_details(now, id(user), command, &mut |_, _| {}), expected);
                if expected.is_err() {
                    models = before.clone();
                }
            }
            match step {
                Step::Session(user) => {
                    let was = &before[user as usize];
                    let session = session(TEAMS);
                    let command = Command::SetPresence { session, presence: Presence::InACall, lease: None };
                    let expected = if is_full && !is_stored(&was) { Err(CommandError::UsersFull) } else { Ok(()) };
                    prop_assert_eq!(store.execute(now, id(user), command, &mut |_, _| {}), expected);
                    if expected.is_ok() {
                        models[user as usize].session = seconds + 300;
                    }
                }
                Step::ClearSession(user) => {
                    let command = Command::ClearPresence { session: session(TEAMS) };
                    let had = before[user as usize].session > seconds;
                    prop_assert_eq!(store.execute(now, id(user), command, &mut |_, _| {}).is_ok(), had);
                    models[user as usize].session = 0;
                }
                Step::Advance => {
                    store.advance_details(now);
                    let has_details = models.iter().filter(|model| model.has_details(seconds)).count();
                    prop_assert_eq!(store.details.0.len(), has_details);
                }
                Step::Restart => {
                    store.advance_details(now);
                    support::advance_until_idle(&mut store.store, now, |_, _| {});
                    store = restarted(&store, now);
                }
                Step::Pass(passed) => seconds += passed,
                _ => {}
            }
            let is_command = !matches!(step, Step::Advance | Step::Restart | Step::Pass(_));
            let now = Instant::from_secs(seconds);
            for (user, model) in (0..USERS).zip(&models) {
                let at = user as usize;
                let (visible, version) = read(&store, now, id(user));
                prop_assert_eq!(visible, model.visible(seconds), "user {}", user);
                let has_slot = store.store.get(id(user)).is_some();
                prop_assert!(has_slot || !model.has_details(seconds) && model.session <= seconds, "user {}", user);
                prop_assert!(has_slot || !store.details.0.contains_key(&id(user)), "user {}", user);
                prop_assert!(!has_slot || version >= highest[at], "user {} fell to {}", user, version);
                if is_command && before[at].visible(seconds) != visible {
                    prop_assert!(version > highest[at], "user {} stayed at {}", user, version);
                    prop_assert_ne!(store.store.cursor(), cursor);
                }
                highest[at] = version.max(highest[at]);
            }
        }
    }
}
