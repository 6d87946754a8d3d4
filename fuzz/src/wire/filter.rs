//! Rule H8, written down independently: the ids of a read of the collection.

use super::route::decoded;
use presence_core::UserId;
use presence_core::graph::{Error, Field, Request};

/// Returns the value of `$filter`.
fn filter(target: &str) -> Option<String> {
    let (_, query) = target.split('#').next()?.split_once('?')?;
    let is_filter =
        |option: &&str| decoded(option.split('=').next().unwrap_or_default()).eq_ignore_ascii_case("$filter");
    let option = query.split('&').find(is_filter)?;
    Some(decoded(option.split_once('=').map_or("", |(_, value)| value)))
}

/// Removes a prefix in any case.
fn behind<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// Returns the texts between the quotation marks of `id in ('…','…')`.
fn quoted(filter: &str) -> Option<Vec<String>> {
    let filter = filter.replace(['+', '\t'], " ");
    let behind_id = behind(filter.trim_matches(' '), "id")?;
    let operator = behind_id.trim_start_matches(' ');
    if operator == behind_id {
        return None;
    }
    let list = behind(operator, "in")?.trim_start_matches(' ').strip_prefix('(')?.strip_suffix(')')?;
    let pieces: Vec<_> = list.split('\'').collect();
    let last = pieces.len() - 1;
    let is_separator = |(position, piece): (usize, &&str)| {
        piece.trim_matches(' ') == if position == 0 || position == last { "" } else { "," }
    };
    let is_list = last % 2 == 0 && pieces.iter().enumerate().step_by(2).all(is_separator);
    is_list.then(|| pieces.iter().skip(1).step_by(2).map(|piece| (*piece).to_owned()).collect())
}

fn ids(target: &str) -> Result<Vec<UserId>, Error> {
    let filter = filter(target).ok_or(Error::Missing(Field::Filter))?;
    let texts = quoted(&filter).ok_or(Error::Malformed(Field::Filter))?;
    if texts.is_empty() || texts.len() > 650 {
        return Err(Error::Count(Field::Ids));
    }
    texts.iter().map(|text| UserId::parse(text).map_err(|_| Error::Malformed(Field::Ids))).collect()
}

/// Checks the outcome of a read of the collection.
pub fn assert_filtered(target: &str, outcome: &Result<Request<'_>, Error>) {
    // The headers and the body of an element are looked for before its filter is read.
    if let Err(Error::Malformed(Field::Headers) | Error::Duplicate(Field::Headers | Field::Body)) = outcome {
        return;
    }
    match (ids(target), outcome) {
        (Err(expected), outcome) => assert_eq!(*outcome, Err(expected), "{target}"),
        (Ok(expected), Ok(Request::GetPresences(ids))) => {
            assert_eq!(ids.iter().collect::<Vec<_>>(), expected, "{target}")
        }
        (Ok(_), outcome) => assert_eq!(*outcome, Err(Error::Malformed(Field::Select)), "{target}"),
    }
}
