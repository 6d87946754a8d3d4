//! The recipe of the README, compiled and tested.

// recipe
use arbitrary::{Result, Unstructured};
use presence_core::directory::InlineDirectory;
use presence_core::{Command, Duration, Instant, Policy, Presence, SessionId, Transition, UserId};
use std::collections::BTreeMap;

/// Your wrapper: a wall of lamps, one for each user, redrawn after each transition.
struct Wall {
    users: InlineDirectory<UserId, SessionId, 2, 8>,
    shown: BTreeMap<UserId, Presence>,
}

impl Wall {
    fn command(&mut self, now: Instant, user: UserId, command: Command) {
        let shown = &mut self.shown;
        let redraw = |user, transition: &Transition| _ = shown.insert(user, transition.after());
        let _ = self.users.execute(now, user, command, redraw);
    }
}

/// The harness: commands to a few users, and the time between them.
fn wall(data: &[u8]) {
    let wall = Wall { users: InlineDirectory::with_policy(Policy::DESK), shown: BTreeMap::new() };
    // An error is the end of the bytes.
    let _ = play(wall, Unstructured::new(data));
}

fn play(mut wall: Wall, mut bytes: Unstructured<'_>) -> Result<()> {
    let mut now = Instant::ZERO;
    while !bytes.is_empty() {
        now = now.saturating_add(bytes.arbitrary::<Duration>()?);
        let (user, command) = bytes.arbitrary::<(UserId, Command)>()?;
        wall.command(now, user, command);
        // The property of the wrapper.
        let shown = wall.shown.get(&user).copied().unwrap_or(Presence::Offline);
        assert_eq!(shown, wall.users.presence(now, user));
    }
    Ok(())
}
// end

#[test]
fn the_recipe_is_that_of_the_readme() {
    let recipe = include_str!("recipe.rs").split("// recipe\n").nth(1).and_then(|rest| rest.split("// end\n").next());
    assert!(include_str!("../README.md").contains(recipe.expect("between two comments")));
}

#[test]
fn the_recipe_works() {
    let mut state = 1_u32;
    for _ in 0..200 {
        let bytes: Vec<u8> = (0..200)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect();
        wall(&bytes);
    }
}
