//! Asks PipeWire by its own program.

use crate::Stop;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The time that it may take: PipeWire may hang.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most that it may write.
const MAX_LEN: u64 = 16 << 20;

/// Runs `pw-dump`. Returns `None` if it is not installed, fails, or does not end.
pub fn pw_dump(stop: &Stop) -> Option<Vec<u8>> {
    let mut command = Command::new("pw-dump");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let output = child.stdout.take()?;
    let reader = thread::spawn(move || {
        let mut dump = Vec::new();
        output.take(MAX_LEN).read_to_end(&mut dump).map(|_| dump)
    });
    let succeeded = wait(&mut child, stop);
    // It has ended, or been killed: so has its output.
    let dump = reader.join().ok()?.ok()?;
    succeeded.then_some(dump)
}

/// Waits for the program, and kills it when its time is over. Reports whether it succeeded.
fn wait(child: &mut Child, stop: &Stop) -> bool {
    let end = Instant::now() + PATIENCE;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) if Instant::now() < end && !stop.wait(Duration::from_millis(10)) => {}
            _ => {
                // It may just have ended.
                let _ = child.kill();
                let _ = child.wait();
                return false;
            }
        }
    }
}
