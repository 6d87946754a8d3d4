//! `decode IMAGE < LOG`: prints the lines of a defmt log, each as `time level message`.

use defmt_decoder::{DecodeError, Table};
use std::error::Error;
use std::io::Read;

fn main() -> Result<(), Box<dyn Error>> {
    let image = std::env::args_os().nth(1).ok_or("usage: decode IMAGE < LOG")?;
    let table = Table::parse(&std::fs::read(image)?)?.ok_or("the image has no log")?;
    let mut log = Vec::new();
    std::io::stdin().read_to_end(&mut log)?;
    let mut decoder = table.new_stream_decoder();
    decoder.received(&log);
    loop {
        match decoder.decode() {
            Ok(frame) => {
                let time = frame.display_timestamp().map_or_else(String::new, |time| time.to_string());
                let level = frame.level().map_or("", |level| level.as_str());
                println!("{time} {level} {}", frame.display_message());
            }
            Err(DecodeError::UnexpectedEof) => return Ok(()),
            Err(DecodeError::Malformed) => return Err("the log is damaged".into()),
        }
    }
}
