//! Settings of a file, in TOML: a name and a value in each line, without sections.

use super::definitions::{self, CONFIG, Kind};
use super::given::{Given, Layer, SettingError, Source};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Reads a file that a setting of this name has named.
///
/// # Errors
///
/// [`SettingError`], with the line, of the first thing that is wrong.
pub fn read(path: &Path, name: &str) -> Result<Layer, SettingError> {
    let text = fs::read_to_string(path).map_err(|error| SettingError::Read(name.to_owned(), path.to_owned(), error))?;
    parse(path, &text)
}

/// Parses the text of a file.
pub fn parse(path: &Path, text: &str) -> Result<Layer, SettingError> {
    let file = File { path: path.to_owned(), text };
    let table = DeTable::parse(text).map_err(|error| {
        let span = error.span().unwrap_or_default();
        SettingError::Syntax(file.at(span), error.message().trim().replace('\n', ", "))
    })?;
    let mut entries: Vec<_> = table.get_ref().iter().collect();
    // Of several mistakes the first in the file is told.
    entries.sort_by_key(|(key, _)| key.span().start);
    entries.into_iter().map(|(key, value)| file.entry(key.get_ref(), key.span(), value)).collect()
}

struct File<'a> {
    path: PathBuf,
    text: &'a str,
}

impl File<'_> {
    /// Returns the source of what stands at a place of the text.
    fn at(&self, span: Range<usize>) -> Source {
        let before = self.text.as_bytes().get(..span.start).unwrap_or_default();
        Source::File(self.path.clone(), 1 + before.iter().filter(|byte| **byte == b'\n').count())
    }

    fn entry(
        &self,
        key: &str,
        span: Range<usize>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<(String, Vec<Given>), SettingError> {
        let source = self.at(span);
        if key == CONFIG {
            return Err(SettingError::Inside(source));
        }
        let Some(arg) = definitions::find(key) else {
            return Err(SettingError::Unknown(source, key.to_owned(), definitions::nearest(key)));
        };
        let values = match (definitions::kind(&arg), value.get_ref()) {
            (Kind::List, DeValue::Array(values)) => {
                let given = |value: &Spanned<_>| self.given(key, value, "expected a text or a number");
                values.iter().map(given).collect::<Result<_, _>>()?
            }
            (Kind::List, _) => {
                let problem = format!("expected a list: {key} = [\"…\", \"…\"]");
                return Err(SettingError::Value(source, key.to_owned(), problem));
            }
            (Kind::Flag, DeValue::Boolean(_)) => vec![self.given(key, value, "")?],
            (Kind::Flag, _) => {
                return Err(SettingError::Value(source, key.to_owned(), "expected true or false".to_owned()));
            }
            (Kind::Value, _) => vec![self.given(key, value, "expected a text or a number")?],
        };
        Ok((key.to_owned(), values))
    }

    /// Checks a value, and returns it as an option has it.
    fn given(&self, key: &str, value: &Spanned<DeValue<'_>>, expected: &str) -> Result<Given, SettingError> {
        let source = self.at(value.span());
        let failed = |problem| SettingError::Value(source.clone(), key.to_owned(), problem);
        let text = match value.get_ref() {
            DeValue::String(text) => text.clone().into_owned(),
            DeValue::Integer(number) => i128::from_str_radix(number.as_str(), number.radix())
                .map(|number| number.to_string())
                .map_err(|error| failed(error.to_string()))?,
            DeValue::Boolean(flag) if expected.is_empty() => flag.to_string(),
            _ => return Err(failed(expected.to_owned())),
        };
        definitions::check(key, text.as_ref()).map_err(failed)?;
        Ok(Given { value: text.into(), source })
    }
}
