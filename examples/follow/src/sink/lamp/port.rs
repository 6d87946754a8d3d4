//! Opening the serial port of a lamp.

use super::find;
use serialport::{ErrorKind, SerialPort};
use std::io::{Read, Write};
use std::time::Duration;

/// The bits in a second, of boards that have such a thing.
const BAUD: u32 = 115_200;
/// The time in which a line must be taken by the system. A lamp that reads nothing for so long is gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(2);
/// The time after which a read without a byte returns, to see whether it is still wanted.
const READ_TIMEOUT: Duration = Duration::from_millis(500);

/// An open line.
pub(super) struct Line {
    pub(super) name: String,
    /// Returns an error of kind `TimedOut` from time to time, when there is no byte.
    pub(super) reader: Box<dyn Read + Send>,
    pub(super) writer: Box<dyn Write>,
}

/// Something that opens the line of a lamp.
pub(super) trait Opener {
    /// Opens it, or returns why it cannot, as a sentence; `silent` is a port at which nobody has answered, the last to try again.
    fn open(&self, silent: Option<&str>) -> Result<Line, String>;
}

/// The serial ports of this computer.
#[derive(Debug)]
pub(super) struct Ports {
    name: Option<String>,
}

impl Ports {
    /// Creates an opener of this port, or of the first at which a lamp is found.
    pub(super) const fn new(name: Option<String>) -> Self {
        Self { name }
    }
}

impl Opener for Ports {
    fn open(&self, silent: Option<&str>) -> Result<Line, String> {
        let mut names = match &self.name {
            Some(name) => vec![name.clone()],
            // A lamp that was unplugged may come back under another name.
            None => find::lamps(
                &serialport::available_ports().map_err(|error| format!("cannot list serial ports: {error}."))?,
            ),
        };
        names.sort_by_key(|name| Some(name.as_str()) == silent);
        let mut reason = "no lamp is plugged in; --port takes the name of any serial port.".to_owned();
        for name in names {
            match open(&name) {
                Ok(line) => return Ok(line),
                Err(error) => reason = why(&name, &error),
            }
        }
        Err(reason)
    }
}

/// Opens a port. DTR tells boards with USB of their own that somebody listens; RTS and break, which reset some boards, stay as they
/// are.
pub(super) fn open(name: &str) -> Result<Line, serialport::Error> {
    let writer = serialport::new(name, BAUD).dtr_on_open(true).timeout(WRITE_TIMEOUT).open()?;
    let mut reader: Box<dyn SerialPort> = writer.try_clone()?;
    reader.set_timeout(READ_TIMEOUT)?;
    Ok(Line { name: name.to_owned(), reader: Box::new(reader), writer: Box::new(writer) })
}

/// Says why a port cannot be opened, and what to do about it.
fn why(name: &str, error: &serialport::Error) -> String {
    match error.kind() {
        ErrorKind::Io(std::io::ErrorKind::PermissionDenied) if cfg!(target_os = "linux") => {
            format!("cannot open {name}: permission denied. Add yourself to its group: sudo usermod -aG dialout $USER")
        }
        _ => format!("cannot open {name}: {error}."),
    }
}
