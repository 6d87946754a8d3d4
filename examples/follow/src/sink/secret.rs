//! Passwords and tokens, which do not belong on a command line: others on the computer can read it.

use std::path::Path;

/// Returns the first line of a file, or what a variable of the environment is set to; `None` if neither is given.
///
/// # Errors
///
/// A sentence, for a file that cannot be read, and for an empty secret.
pub(crate) fn read(file: Option<&Path>, variable: &str) -> Result<Option<String>, String> {
    let (place, text) = match file {
        Some(path) => {
            let text =
                std::fs::read_to_string(path).map_err(|error| format!("Cannot read {}: {error}.", path.display()))?;
            (path.display().to_string(), text)
        }
        None => match std::env::var(variable) {
            Ok(text) => (variable.to_owned(), text),
            Err(_) => return Ok(None),
        },
    };
    let line = text.lines().next().unwrap_or_default().trim_end();
    if line.is_empty() { Err(format!("{place} is empty.")) } else { Ok(Some(line.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_of_a_file_is_a_secret() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let name = file.path().display();
        let read = || read(Some(file.path()), "PRESENCE_NOT_SET");
        assert_eq!(read(), Err(format!("{name} is empty.")));
        std::fs::write(file.path(), " pass word \r\nsecond\n").unwrap();
        assert_eq!(read(), Ok(Some(" pass word".to_owned())));
        assert_eq!(super::read(None, "PRESENCE_NOT_SET"), Ok(None));
        assert!(super::read(Some(&file.path().join("missing")), "").unwrap_err().starts_with("Cannot read "));
    }
}
