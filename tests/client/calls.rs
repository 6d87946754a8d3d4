//! Calls out of a property test, and the request that each must be read as.

use arbitrary::{Arbitrary, Unstructured};
use presence_core::client::{Call, Principal};
use presence_core::details::{LocationLayer, LocationLayers, WorkLocationType, WorkPlace};
use presence_core::graph::{Caller, Context, DetailsAction, Environment, Error, Request, Select};
use presence_core::{Command, Instant, Policy, SessionId, UserId};
use proptest::prelude::*;
use std::hash::{DefaultHasher, Hash, Hasher};

pub const ME: UserId = UserId::from_bytes([0x11; 16]);
/// The Unix time of the instant 0.
pub const EPOCH: u64 = 1_700_000_000_000;
const PROPERTIES: [&str; 7] =
    ["id", "availability", "activity", "outOfOfficeSettings", "statusMessage", "sequenceNumber", "workLocation"];

/// A world in which every user principal name has a user, so that the name that arrives can be told.
pub struct Names;

impl Environment for Names {
    fn epoch(&self) -> Option<u64> {
        Some(EPOCH)
    }

    fn user(&self, principal_name: &str) -> Option<UserId> {
        Some(named(principal_name))
    }
}

fn named(name: &str) -> UserId {
    let mut bytes = [0; 16];
    for (salt, half) in bytes.chunks_exact_mut(8).enumerate() {
        let mut hasher = DefaultHasher::new();
        (salt, name).hash(&mut hasher);
        half.copy_from_slice(&hasher.finish().to_be_bytes());
    }
    UserId::from_bytes(bytes)
}

pub fn context(now: Instant) -> Context<'static> {
    Context::new(now, Caller::Trusted { me: Some(ME) }).with_environment(&Names)
}

#[derive(Clone, Debug)]
pub enum Who {
    Me,
    Id(UserId),
    Name(String),
}

impl Who {
    pub fn user(&self) -> UserId {
        match self {
            Self::Me => ME,
            Self::Id(id) => *id,
            Self::Name(name) => named(name),
        }
    }

    fn principal(&self) -> Principal<'_> {
        match self {
            Self::Me => Principal::ME,
            Self::Id(id) => Principal::id(*id),
            Self::Name(name) => Principal::name(name).expect("an at sign and few bytes"),
        }
    }
}

/// What a client wants.
#[derive(Clone, Debug)]
pub enum Wanted {
    Presence(Who, u8),
    User(Who),
    ById(Vec<UserId>, u8),
    Collection(Vec<UserId>, u8),
    Execute(Who, Command<SessionId>),
    Message(Who, String, Option<u64>),
    Location(Who, LocationLayer, WorkLocationType, Option<String>),
    ClearLocation(Who, LocationLayers),
}

impl Wanted {
    /// Returns the members whose bits are set; all of them for none.
    pub fn select(bits: u8) -> Select {
        let names: Vec<_> = (0..7).filter(|bit| bits & (1 << bit) != 0).map(|bit| PROPERTIES[bit]).collect();
        Select::parse(&format!("?$select={}", names.join(","))).unwrap()
    }

    /// Builds the call, or returns the error that a server would answer.
    pub fn call(&self, policy: &Policy) -> Result<Call<'_>, Error> {
        Ok(match self {
            Self::Presence(who, bits) => Call::presence(who.principal()).with_select(Self::select(*bits)),
            Self::User(who) => Call::user(who.principal()),
            Self::ById(ids, bits) => Call::presences_by_user_id(ids)?.with_select(Self::select(*bits)),
            Self::Collection(ids, bits) => Call::presences(ids)?.with_select(Self::select(*bits)),
            Self::Execute(who, command) => Call::execute(who.principal(), *command, policy)?,
            Self::Message(who, text, expires_at) => Call::set_status_message(who.principal(), text, *expires_at)?,
            Self::Location(who, layer, kind, id) => {
                let place = WorkPlace { kind: *kind, id: id.as_deref() };
                match layer {
                    LocationLayer::Manual => Call::set_manual_location(who.principal(), place)?,
                    _ => Call::set_automatic_location(who.principal(), place)?,
                }
            }
            Self::ClearLocation(who, layers) if *layers == LocationLayers::AUTOMATIC => {
                Call::clear_automatic_location(who.principal())
            }
            Self::ClearLocation(who, _) => Call::clear_location(who.principal()),
        })
    }

    /// Returns the length of a target that `Call::write_target` promises, without members to select.
    pub fn target_bound(&self) -> usize {
        let who = match self {
            Self::ById(..) => return 45,
            Self::Collection(ids, _) => return 45 + 43 * ids.len(),
            Self::Presence(who, _) | Self::User(who) | Self::Execute(who, _) | Self::Message(who, ..) => who,
            Self::Location(who, ..) | Self::ClearLocation(who, _) => who,
        };
        match who {
            Who::Me => 45,
            Who::Id(_) => 45 + 36,
            Who::Name(name) => 45 + 3 * name.len(),
        }
    }

    /// Returns the length of a body that `Call::write_body` promises.
    pub fn body_bound(&self) -> usize {
        match self {
            Self::ById(ids, _) => 10 + 39 * ids.len(),
            Self::Execute(..) => Call::MAX_COMMAND_BODY,
            Self::Message(_, text, _) => 180 + 6 * text.len(),
            Self::Location(.., id) => 80 + 6 * id.as_ref().map_or(0, String::len),
            Self::Presence(..) | Self::User(_) | Self::Collection(..) | Self::ClearLocation(..) => 0,
        }
    }

    /// Checks that a request means what was wanted.
    pub fn assert_is(&self, request: Request<'_>) {
        match (self, request) {
            (Self::Presence(who, bits), request) => {
                assert_eq!(request, Request::Get { user: who.user(), select: Self::select(*bits) });
            }
            (Self::User(who), request) => {
                assert_eq!(request, Request::GetUser { user: who.user(), select: Select::ALL });
            }
            (Self::ById(ids, bits) | Self::Collection(ids, bits), Request::GetPresences(read)) => {
                assert!(read.iter().eq(ids.iter().copied()));
                assert_eq!(read.select(), Self::select(*bits));
            }
            (Self::Execute(who, command), request) => {
                assert_eq!(request, Request::Execute { user: who.user(), command: *command });
            }
            (Self::Message(who, text, unix), Request::ExecuteDetails { user, action }) => {
                assert_eq!(user, who.user());
                let DetailsAction::SetStatusMessage { content, expires_at } = action else { panic!("{action:?}") };
                assert!(content.is_some_and(|content| content.is_text(text)), "{text:?}");
                let last = 253_402_300_799_999;
                let instant = |unix: u64| Instant::from_millis(unix.min(last).saturating_sub(EPOCH));
                assert_eq!(expires_at, unix.map_or(Instant::NEVER, instant));
            }
            (Self::Location(who, wanted, kind, id), Request::ExecuteDetails { user, action }) => {
                assert_eq!(user, who.user());
                let DetailsAction::SetLocation { layer, kind: read, place_id, .. } = action else {
                    panic!("{action:?}")
                };
                assert_eq!((layer, read), (*wanted, *kind));
                assert_eq!(place_id.is_some(), id.is_some());
                assert!(place_id.zip(id.as_deref()).is_none_or(|(read, id)| read.is_text(id)));
            }
            (Self::ClearLocation(who, layers), request) => {
                let action = DetailsAction::ClearLocations(*layers);
                assert_eq!(request, Request::ExecuteDetails { user: who.user(), action });
            }
            (wanted, request) => panic!("{wanted:?} is read as {request:?}"),
        }
    }
}

fn id() -> impl Strategy<Value = UserId> {
    any::<[u8; 16]>().prop_map(UserId::from_bytes)
}

fn who() -> impl Strategy<Value = Who> {
    let name =
        ("\\PC{0,20}", "[a-z0-9.+/%?#&' \\\\\"]{0,20}").prop_map(|(any, ascii)| Who::Name(format!("{ascii}@{any}")));
    prop_oneof![2 => Just(Who::Me), 2 => id().prop_map(Who::Id), 3 => name]
}

pub fn command() -> impl Strategy<Value = Command<SessionId>> {
    proptest::collection::vec(any::<u8>(), 64)
        .prop_map(|bytes| Command::arbitrary(&mut Unstructured::new(&bytes)).unwrap())
}

pub fn wanted() -> impl Strategy<Value = Wanted> {
    let ids =
        || prop_oneof![40 => proptest::collection::vec(id(), 1..5), 1 => proptest::collection::vec(id(), 640..=650)];
    let text = prop_oneof![4 => any::<String>(), 1 => "\\PC{0,300}", 1 => Just(String::new()), 1 => Just("\u{1}".repeat(1120))];
    let layer = prop_oneof![Just(LocationLayer::Manual), Just(LocationLayer::Automatic)];
    let layers = prop_oneof![Just(LocationLayers::AUTOMATIC), Just(LocationLayers::MANUAL_AND_AUTOMATIC)];
    let place = proptest::option::of("\\PC{0,16}");
    let unix = proptest::option::of(prop_oneof![EPOCH..EPOCH * 2, Just(u64::MAX)]);
    prop_oneof![
        1 => (who(), any::<u8>()).prop_map(|(who, bits)| Wanted::Presence(who, bits)),
        1 => who().prop_map(Wanted::User),
        1 => (ids(), any::<u8>()).prop_map(|(ids, bits)| Wanted::ById(ids, bits)),
        1 => (ids(), any::<u8>()).prop_map(|(ids, bits)| Wanted::Collection(ids, bits)),
        3 => (who(), command()).prop_map(|(who, command)| Wanted::Execute(who, command)),
        2 => (who(), text, unix).prop_map(|(who, text, unix)| Wanted::Message(who, text, unix)),
        1 => (who(), layer, proptest::sample::select(&WorkLocationType::ALL[..]), place)
            .prop_map(|(who, layer, kind, place)| Wanted::Location(who, layer, kind, place)),
        1 => (who(), layers).prop_map(|(who, layers)| Wanted::ClearLocation(who, layers)),
    ]
}

pub fn policy() -> impl Strategy<Value = Policy> {
    proptest::sample::select(vec![Policy::GRAPH, Policy::DESK, Policy::MIRROR])
}
