//! The page of sizes says what the compiler does.

use presence_core::directory::InlineDirectory;
use presence_core::{SessionId, Transition, User, UserId};
use std::mem::size_of;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/sizes.md");
const BEGIN: &str = "<!-- memory: written by .ci/tables -->\n";
const END: &str = "<!-- end of memory -->";

/// Returns the table of memory, as the compiler has it.
fn table() -> String {
    let row = |bytes: [usize; 4]| bytes.map(|bytes| bytes.to_string()).join(" | ");
    let user = [
        size_of::<User<u8, 1>>(),
        size_of::<User<u8, 4>>(),
        size_of::<User<SessionId, 3>>(),
        size_of::<User<SessionId, 16>>(),
    ];
    let in_directory = [
        InlineDirectory::<u8, u8, 1, 1>::BYTES_PER_USER,
        InlineDirectory::<u8, u8, 4, 1>::BYTES_PER_USER,
        InlineDirectory::<UserId, SessionId, 3, 1>::BYTES_PER_USER,
        InlineDirectory::<UserId, SessionId, 16, 1>::BYTES_PER_USER,
    ];
    let session = [
        size_of::<User<u8, 2>>() - size_of::<User<u8, 1>>(),
        size_of::<User<SessionId, 2>>() - size_of::<User<SessionId, 1>>(),
    ];
    let transition = [size_of::<Transition<u8>>(), size_of::<Transition<SessionId>>()];
    format!(
        "| ids | `u8` | `u8` | GUID | GUID |\n| --- | ---: | ---: | ---: | ---: |\n| sessions of a user | 1 | 4 | 3 | 16 |\n\
         | each session more | {} |\n| a `Transition` | {} |\n| a `User` alone | {} |\n| a user of a `Directory` | {} |\n",
        row([session[0], session[0], session[1], session[1]]),
        row([transition[0], transition[0], transition[1], transition[1]]),
        row(user),
        row(in_directory),
    )
}

#[test]
fn the_page_of_sizes_shows_what_the_compiler_says() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (shown, after) = rest.split_once(END).unwrap();
    let expected = format!("\n{}\n", table());
    if std::env::var_os("WRITE_TABLES").is_some() {
        std::fs::write(PAGE, format!("{before}{BEGIN}{expected}{END}{after}")).unwrap();
    } else if cfg!(target_pointer_width = "64") {
        assert_eq!(shown, expected, "run .ci/tables");
    }
}
