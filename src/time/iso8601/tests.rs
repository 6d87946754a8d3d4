//! Tests of what only this module knows of a duration's text.

extern crate std;
use super::*;
use std::string::ToString;

fn read(text: &str) -> Option<(bool, u64, bool)> {
    IsoDuration::parse(text).ok().map(|read| (read.negative, read.whole.0, read.finer))
}

#[test]
fn h4_iso_8601_day_time() {
    for (text, millis) in [
        ("PT5M", 300_000),
        ("PT300S", 300_000),
        ("P0DT5M", 300_000),
        ("P1D", 86_400_000),
        ("P1DT1S", 86_401_000),
        ("PT1H2M3.045S", 3_723_045),
        ("+PT1S", 1_000),
        ("PT0.5S", 500),
        ("PT01H", 3_600_000),
        ("PT1H1S", 3_601_000),
        ("P1W", 604_800_000),
        ("P52W", 31_449_600_000),
    ] {
        assert_eq!(read(text), Some((false, millis, false)), "{text}");
    }
    assert_eq!(read("-PT1H"), Some((true, 3_600_000, false)));
    assert_eq!(read("PT0.0010009S"), Some((false, 1, true)));
    assert_eq!(read("P99999999999999999999999D"), Some((false, u64::MAX, true)));
    for text in [
        "",
        "P",
        "PT",
        "P1DT",
        "PTH",
        "PT1",
        "P1",
        "1HPT",
        "PT1X",
        "PT1M1H",
        "PT1H1H",
        "P1.5W",
        "PW",
        "P1WT1S",
        "P1M",
        "P1Y",
        "pt1h",
        "PT1h",
        "PT1,5S",
        "PT1.5M",
        "P1.5D",
        "PT.5S",
        "PT1.S",
        "--PT1S",
        "PT-1S",
        " PT1S",
        "PT1S ",
        "P1DT1D",
        "PT1S1S",
        "P1D1H",
        "PT000000000000000000000000000001S",
        "banana",
        "1h",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
    assert!(IsoDuration::parse("PT00000000000000000000000000001S").is_ok(), "32 bytes");
}

#[test]
fn h4_python_timedelta() {
    for (text, expected) in [
        ("1:00:00", (false, 3_600_000, false)),
        ("0:05:30.5", (false, 330_500, false)),
        ("0:00:05.500000", (false, 5_500, false)),
        ("1 day, 2:00:00", (false, 93_600_000, false)),
        ("3 days, 23:59:59", (false, 345_599_000, false)),
        ("-1 day, 23:00:00", (true, 3_600_000, false)),
        ("-0 days, 1:00:00", (false, 3_600_000, false)),
        ("-1 day, 23:59:59.999999", (true, 0, true)),
    ] {
        assert_eq!(read(text), Some(expected), "{text}");
    }
    for text in [
        "1:00",
        "1:0:00",
        "1:00:0",
        "1:60:00",
        "1:00:60",
        "24:00:00",
        "1:00:000",
        "1:000:00",
        "-1:00:00",
        "+1:00:00",
        "1 day",
        "1 day,2:00:00",
        "1 dayss, 2:00:00",
        "1.5 day, 2:00:00",
        "1.5:00:00",
        "001:00:00",
        ":00:00",
        "1 day, 1 day, 2:00:00",
        "1:00:00.",
        "+1 day, 2:00:00",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
}

#[test]
fn what_is_written_is_read_back() {
    for millis in [0, 1, 10, 500, 999, 1000, 1001, 60_000, 61_000, 3_600_000, 86_400_000, 90_061_007, u64::MAX] {
        let text = Duration(millis).to_string();
        assert_eq!(read(&text), Some((false, millis, false)), "{text}");
    }
    for (millis, expected) in [
        (0, "PT0S"),
        (1, "PT0.001S"),
        (10, "PT0.01S"),
        (100, "PT0.1S"),
        (1_050, "PT1.05S"),
        (10_500, "PT10.5S"),
        (600_000, "PT10M"),
        (3_601_000, "PT1H1S"),
        (86_400_000, "P1D"),
        (90_000_000, "P1DT1H"),
        (864_060_000, "P10DT1M"),
        (86_400_000_100, "P1000DT0.1S"),
        (u64::MAX, "P213503982334DT14H25M51.615S"),
    ] {
        assert_eq!(Duration(millis).to_string(), expected);
    }
    assert_eq!(std::format!("{:>6}|{:<6}|", Duration(60_000), Duration(0)), "  PT1M|PT0S  |");
}
