//! Any conversation over the wire: every response is well formed, has a documented status and reports what was done.

mod answer;
mod bodies;
mod capacity;
mod expected;
mod expiry;
mod filter;
pub(crate) mod json;
mod route;
mod rules;
mod served;
pub(crate) mod tree;
mod users;
mod writer;

use presence_core::graph::{Caller, Context, Permissions, Trace};
use presence_core::{Duration, Instant, Policy, SessionId, UserId};
use served::{Input, Served};
use users::{Users, World};

/// Adele, the user that most corpora are about.
const ME: UserId = UserId::from_bytes(0xfa8b_f3dc_eca7_46b7_bad1_db19_9b62_afc3_u128.to_be_bytes());
const BOB: UserId = UserId::from_bytes(0x6682_5e03_7ef5_42da_9069_7246_02c3_1f6b_u128.to_be_bytes());
const TEAMS: SessionId = SessionId::from_bytes(0x2255_3876_f5ab_4529_bffb_cfe5_0aa8_9f87_u128.to_be_bytes());

/// The end of a request: a byte that no UTF-8 has.
const END: u8 = 0xFE;

/// Serves a conversation. The first byte selects the caller; then come requests, each with its end:
///
/// - `Q` (anything odd) for a request over HTTP: method, target and media type in the first line, with a content coding
///   behind a `|` if it has one, then its body; `L` (anything even) for a line; `O` for none: the application sets out of office (rule O1);
/// - a byte for the capacity of its response in a further run; of `O`, its lowest bit says whether the user is out of office,
///   the next one selects the user;
/// - a byte for the time before it: `@` none, `F` five minutes, as the low six bits count fifty seconds.
pub fn wire(data: &[u8]) {
    let Some((settings, conversation)) = data.split_first() else { return };
    let mut settings = Settings::new(*settings);
    for request in conversation.split(|byte| *byte == END) {
        let [kind, option, wait, text @ ..] = request else { continue };
        settings.now = settings.now.saturating_add(Duration::from_secs(u64::from(wait & 0x3F) * 50));
        if *kind == b'O' {
            let user = if option & 2 == 0 { ME } else { BOB };
            settings.users.set_out_of_office(settings.now, user, option & 1 == 1, &String::from_utf8_lossy(text));
            continue;
        }
        let head;
        let input = if kind % 2 == 0 {
            json::check(without_mark(text));
            Input::Line(text)
        } else {
            let end = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len());
            let body = text.get(end + 1..).unwrap_or_default();
            json::check(without_mark(body));
            head = String::from_utf8_lossy(&text[..end]).into_owned();
            let mut words = head.splitn(3, ' ');
            let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let media = words.next().unwrap_or_default();
            let (media, content_encoding) =
                media.split_once('|').map_or((media, None), |(media, coding)| (media, Some(coding)));
            let content_type = Some(media).filter(|media| !media.is_empty());
            Input::Http { method, target, content_type, content_encoding, body }
        };
        let context = settings.context();
        let full = Served::of(input, &context, &settings.users, usize::MAX);
        expected::assert_well_formed(input, &context, &settings.users, &full);
        answer::assert_written_is_read(&full.written);
        let all = full.written.len();
        for capacity in [all, all.saturating_sub(1), all * usize::from(*option) / 256] {
            let tight = Served::of(input, &context, &settings.users, capacity);
            capacity::assert_nothing_unreported(input, &context, &settings.users, &full, &tight, capacity);
        }
        settings.users = full.users;
    }
}

/// Returns a text without the byte order mark before it. Rule H9.
fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text)
}

/// The caller, the users, and the time.
struct Settings {
    users: Users,
    caller: Caller,
    has_unknown_users: bool,
    knows_nothing: bool,
    now: Instant,
}

impl Settings {
    fn new(bits: u8) -> Self {
        let caller = match bits & 3 {
            0 => Caller::Trusted { me: Some(ME) },
            1 => Caller::Trusted { me: None },
            2 => {
                let permissions = match bits & 12 {
                    0 => Permissions::ALL,
                    4 => Permissions::READ_WRITE_ALL,
                    8 => Permissions::READ_ALL,
                    _ => Permissions::READ.union(Permissions::READ_WRITE),
                };
                Caller::Application { application: TEAMS, permissions }
            }
            _ => {
                let permissions = match bits & 12 {
                    0 => Permissions::READ_ALL.union(Permissions::READ_WRITE),
                    4 => Permissions::READ_WRITE,
                    8 => Permissions::READ_ALL,
                    _ => Permissions::READ,
                };
                Caller::Delegated { application: TEAMS, user: ME, permissions }
            }
        };
        // A trusted caller needs no permissions: one of their bits is left.
        let policy = match (bits & 16, bits & 6) {
            (0, 4) => Policy::MIRROR,
            (0, _) => Policy::GRAPH,
            _ => Policy::DESK,
        };
        Self {
            users: Users::new(policy),
            caller,
            has_unknown_users: bits & 32 != 0,
            knows_nothing: bits & 64 != 0,
            now: Instant::from_secs(if bits & 128 == 0 { 1_000_000 } else { u64::MAX / 1000 - 2000 }),
        }
    }

    fn context(&self) -> Context<'static> {
        let trace = Trace {
            date: Some("2026-11-25T12:00:00"),
            request_id: Some("7"),
            // Some clients give their requests no id.
            client_request_id: (!self.has_unknown_users).then_some("\"\\\n\u{1}é😀"),
        };
        let mut context = Context::new(self.now, self.caller);
        if !self.knows_nothing {
            context = context.with_trace(trace).with_environment(&World);
        }
        if self.has_unknown_users {
            // Half of all users are unknown.
            context = context.with_known_users(&|user| user.to_bytes()[15] & 1 == 1);
        }
        context
    }
}
