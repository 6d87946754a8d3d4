//! Settings of the environment: `PRESENCE_` and the name of the setting, in capital letters with underscores.

use super::definitions::{self, Kind};
use super::given::{Given, Layer, SettingError, Source};
use std::ffi::{OsStr, OsString};

/// What the names of variables begin with.
const PREFIX: &str = "PRESENCE_";

/// Variables that many programs share, and the settings they give if the server's own do not.
const SHARED: [(&str, &str); 2] = [("RUST_LOG", "log"), ("TZDIR", "zoneinfo")];

/// Returns the name of the variable that gives a setting.
pub fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase().replace('-', "_"))
}

/// Reads the settings among variables. Returns them, with a warning for each variable that looks like one.
///
/// An unknown name is no error, because others set such variables too: an orchestrator tells of a service `presence` by
/// `PRESENCE_SERVICE_HOST`. An empty variable counts as unset. The values of a list are separated by white space.
///
/// # Errors
///
/// [`SettingError::Value`] if a setting may not have a value.
pub fn read(variables: impl Iterator<Item = (OsString, OsString)>) -> Result<(Layer, Vec<String>), SettingError> {
    let (mut own, mut shared, mut unknown) = (Layer::new(), Layer::new(), Vec::new());
    for (name, value) in variables {
        let Some(name) = name.to_str().filter(|_| !value.is_empty()) else { continue };
        if let Some((_, key)) = SHARED.iter().find(|(known, _)| *known == name) {
            shared.insert((*key).to_owned(), given(name, key, Kind::Value, &value)?);
        }
        let Some(rest) = name.strip_prefix(PREFIX) else { continue };
        let key = rest.to_lowercase().replace('_', "-");
        match definitions::find(&key).filter(|_| variable(&key) == name) {
            Some(arg) => {
                let values = given(name, &key, definitions::kind(&arg), &value)?;
                own.insert(key, values);
            }
            None => {
                let nearest = variable(&definitions::nearest(&key));
                unknown.push(format!("the variable {name} is no setting, and does nothing; the nearest is {nearest}"));
            }
        }
    }
    shared.extend(own);
    Ok((shared, unknown))
}

fn given(name: &str, key: &str, kind: Kind, value: &OsStr) -> Result<Vec<Given>, SettingError> {
    let source = Source::Variable(name.to_owned());
    let values = match (kind, value.to_str()) {
        (Kind::List, Some(text)) => text.split_whitespace().map(OsString::from).collect(),
        _ => vec![value.to_owned()],
    };
    let check = |value: OsString| match definitions::check(key, &value) {
        Ok(()) => Ok(Given { value, source: source.clone() }),
        Err(problem) => Err(SettingError::Value(source.clone(), key.to_owned(), problem)),
    };
    values.into_iter().map(check).collect()
}
