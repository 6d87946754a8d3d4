//! A light's serial line: section 10 of the behaviour, rules L1, L2 and L4.

mod assembly;
mod echo;
mod mirror;
#[cfg(all(feature = "batch", feature = "details"))]
mod requests;
mod room;
mod short_forms;
mod vectors;

use presence_core::graph::{Buffer, Caller, ChangeEvent, Context, SingleUserStore};
use presence_core::lines::Input;
use presence_core::{Instant, Policy, UserId};

const ME: UserId = UserId::from_bytes([0x11; 16]);
/// The response to what is said in short.
const SAID: &str = r#"{"id":null,"status":200}"#;

/// A light with room for four applications.
type Light = SingleUserStore<7>;

fn light() -> Light {
    Light::new(ME, Policy::DESK)
}

/// Serves a line at a moment, and returns what is written: a line for each change, and the response.
fn serve_at(now: Instant, light: &mut Light, line: &[u8]) -> Vec<String> {
    let context = Context::new(now, Caller::Trusted { me: Some(ME) });
    let (mut bytes, mut written) = ([0; 10_000], Vec::new());
    let mut response = Buffer::new(&mut bytes);
    let text = |buffer: &Buffer<'_>| String::from_utf8(buffer.written().to_vec()).unwrap();
    let input = Input::parse(line);
    let served = input.serve(&context, light, &mut response, &mut |user, transition| {
        if !transition.is_visible() {
            return;
        }
        let mut bytes = [0; ChangeEvent::MAX_LEN];
        let mut event = Buffer::new(&mut bytes);
        ChangeEvent::new(Instant::ZERO, user, transition).write(&mut event).unwrap();
        written.push(text(&event));
    });
    served.unwrap();
    assert_eq!(input.has_response(), !response.written().is_empty(), "{input:?}");
    written.extend((!response.written().is_empty()).then(|| text(&response)));
    written
}

fn serve(light: &mut Light, line: &str) -> Vec<String> {
    serve_at(Instant::ZERO, light, line.as_bytes())
}

/// Returns the response alone.
fn answer(light: &mut Light, line: &str) -> String {
    serve(light, line).pop().unwrap()
}

/// Returns the status and the message of a response.
fn outcome(response: &str) -> (u64, String) {
    let response: serde_json::Value = serde_json::from_str(response).unwrap();
    let message = response["body"]["error"]["message"].as_str().unwrap_or_default();
    (response["status"].as_u64().unwrap(), message.to_owned())
}
