//! Numbers as text.

/// Returns a number with some three significant digits, and commas.
pub fn number(value: f64) -> String {
    match value {
        ..9.995 => format!("{value:.2}"),
        ..99.95 => format!("{value:.1}"),
        _ => whole(value.round() as u64),
    }
}

pub fn whole(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns nanoseconds in the unit that suits them.
pub fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        ..9_999.5 => format!("{} ns", number(nanoseconds)),
        ..9_999_500.0 => format!("{} µs", number(nanoseconds / 1e3)),
        _ => format!("{} ms", number(nanoseconds / 1e6)),
    }
}

/// Returns a time that a clock has read, without fractions of a nanosecond.
pub fn read_time_and_ratio(nanoseconds: u64, ours: u64) -> String {
    let shown = if nanoseconds < 10_000 { format!("{} ns", whole(nanoseconds)) } else { time(nanoseconds as f64) };
    format!("{shown} {}", ratio(nanoseconds as f64, ours as f64))
}

/// Returns a round time.
pub fn short_time(nanoseconds: f64) -> String {
    if nanoseconds < 1e3 { format!("{nanoseconds} ns") } else { format!("{} µs", nanoseconds / 1e3) }
}

/// Returns how many times ours a number is; nothing where ours is zero.
pub fn ratio(value: f64, ours: f64) -> String {
    if ours > 0.0 && value.is_finite() { format!("({})", number(value / ours)) } else { "(–)".to_owned() }
}

pub fn time_and_ratio(value: f64, ours: f64) -> String {
    format!("{} {}", time(value), ratio(value, ours))
}

/// Returns one row of a table.
pub fn row(cells: impl IntoIterator<Item = String>) -> String {
    cells.into_iter().fold(String::from("|"), |row, cell| row + " " + &cell + " |") + "\n"
}

/// Returns the first two rows of a table: the first column to the left, the others to the right.
pub fn header(first: &str, others: impl IntoIterator<Item = String>) -> String {
    let others: Vec<String> = others.into_iter().collect();
    let rule = std::iter::once("---".to_owned()).chain(others.iter().map(|_| "---:".to_owned()));
    let rule = row(rule);
    row(std::iter::once(first.to_owned()).chain(others)) + &rule
}
