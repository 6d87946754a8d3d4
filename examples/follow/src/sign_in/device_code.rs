//! Showing a device code.

use super::hints::printable;
use crate::Console;
use presence_core::client::DeviceAnswer;
use presence_core::graph::json::Value;

/// Tells the person where to enter which code.
pub(super) fn show(code: &DeviceAnswer<'_>, console: &Console) {
    let mut buffer = [0; 512];
    let mut text = |value: Value<'_>| printable(value.text_start(&mut buffer).unwrap_or_default());
    let (address, user_code) = (text(code.verification_uri), text(code.user_code));
    let minutes = code.expires_in.as_secs() / 60;
    console.say(&format!("To sign in, open {address} and enter the code {user_code}, within {minutes} minutes."));
}
