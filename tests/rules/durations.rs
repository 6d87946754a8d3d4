//! Durations as text: rules H4 and S2, against recorded examples and against a second, naive reader.

use support::model;

use model::duration::{Exact, assert_read, iso_8601, naive};
use presence_core::{Duration, DurationRange, IsoDuration, Policy};
use proptest::prelude::*;

#[test]
fn h4_s2_the_recorded_examples() {
    let examples: serde_json::Value = serde_json::from_str(include_str!("../vectors/durations.json")).unwrap();
    for example in examples.as_array().unwrap() {
        let text = example["value"].as_str().unwrap();
        let read = IsoDuration::parse(text);
        match example["seconds"].as_i64() {
            None => assert!(read.is_err() && example["malformed"] == true, "{text:?}"),
            Some(seconds) => {
                let read = read.unwrap();
                assert_eq!(read.magnitude(), Duration::from_secs(seconds.unsigned_abs()), "{text:?}");
                assert_eq!(read.is_negative(), seconds < 0, "{text:?}");
                let lease = read.within(Policy::GRAPH.leases);
                assert_eq!(lease.is_some(), example["setPresence"] == true, "{text:?} as a lease");
                assert_eq!(lease.is_some(), (300..=14_400).contains(&seconds));
            }
        }
        assert_read(text);
    }
}

#[test]
fn h4_any_legal_spelling() {
    for (text, seconds) in [
        ("PT300S", 300),
        ("P0DT5M", 300),
        ("PT0H5M", 300),
        ("PT0005M", 300),
        ("+PT5M", 300),
        ("PT5M0S", 300),
        ("PT5M0.000S", 300),
        ("P1D", 86_400),
        ("P1DT1S", 86_401),
        ("PT90M", 5400),
        ("1:00:00", 3600),
        ("01:00:00", 3600),
        ("0:05:30", 330),
        ("1 day, 2:00:00", 93_600),
        ("2 days, 0:00:00", 172_800),
        ("-0 days, 1:00:00", 3600),
        ("P1W", 604_800),
        ("+P01W", 604_800),
        ("P0W", 0),
        ("P52W", 52 * 604_800),
        ("P30500568904W", 30_500_568_904 * 604_800),
    ] {
        assert_eq!(IsoDuration::parse(text).unwrap().magnitude(), Duration::from_secs(seconds), "{text:?}");
        assert_read(text);
    }
    assert_eq!(IsoDuration::parse("0:05:30.5").unwrap().magnitude(), Duration::from_millis(330_500));
}

#[test]
fn h4_bad_syntax() {
    for text in [
        "PW",
        "P1.5W",
        "P1W1D",
        "P1WT1H",
        "P1WT",
        "P1D1W",
        "P1W1W",
        "PT1W",
        "P1w",
        "P-1W",
        "P1Y1W",
        "1W",
        "P1M",
        "P1Y",
        "PT1,5S",
        "PT1.5H",
        "P1.5D",
        "P4.T15053M",
        "-P1.T1S",
        "P4.",
        "PT5",
        "PTM",
        "PD",
        "PT.5S",
        "PT5.S",
        ":05:00",
        "5M",
        "pt5m",
        "PT5m",
        "PT1S1M",
        "PT1M1M",
        "P1H",
        "PT1D",
        "P-1D",
        "PT-5M",
        "- PT5M",
        "PT5M ",
        " PT5M",
        "PT 5M",
        "PT5M\0",
        "PT٥M",
        "1:00",
        "1:0:0",
        "1:00:60",
        "24:00:00",
        "-1:00:00",
        "1 day",
        "1 day, ",
        "one day, 1:00:00",
        "1 day 1:00:00",
        "P1DT",
        "--PT5M",
        "+-PT5M",
        "+",
        "-",
        ".",
        ":",
    ] {
        assert!(IsoDuration::parse(text).is_err(), "{text:?}");
        assert_eq!(naive(text), None, "{text:?}");
    }
}

/// The shortest spelling: no part is zero, but for no time at all.
#[test]
fn h4_how_a_duration_is_written() {
    for (millis, text) in [
        (0, "PT0S"),
        (1, "PT0.001S"),
        (500, "PT0.5S"),
        (1000, "PT1S"),
        (60_000, "PT1M"),
        (300_000, "PT5M"),
        (3_600_000, "PT1H"),
        (3_601_000, "PT1H1S"),
        (86_400_000, "P1D"),
        (86_460_000, "P1DT1M"),
        (90_061_010, "P1DT1H1M1.01S"),
        (u64::MAX, "P213503982334DT14H25M51.615S"),
    ] {
        assert_eq!(Duration::from_millis(millis).to_string(), text);
    }
}

#[test]
fn h4_at_most_32_bytes() {
    let longest = format!("PT{}1M", "0".repeat(28));
    assert_eq!(longest.len(), 32);
    assert_eq!(IsoDuration::parse(&longest).unwrap().magnitude(), Duration::from_mins(1));
    assert!(IsoDuration::parse(&format!("PT0{}1M", "0".repeat(28))).is_err());
}

/// Compared exactly as written, then cut to whole milliseconds: a hair too short or too long is out of range.
#[test]
fn s2_compared_exactly_as_written() {
    for (text, lease) in [
        ("PT4M59.9999999S", None),
        ("PT5M", Some(300_000)),
        ("PT5M0.0009S", Some(300_000)),
        ("PT5M0.001S", Some(300_001)),
        ("PT3H59M59.9999S", Some(14_399_999)),
        ("PT4H0.0000001S", None),
        ("PT4H0.0000000S", Some(14_400_000)),
        ("-PT5M", None),
        ("-PT0S", None),
    ] {
        let read = IsoDuration::parse(text).unwrap();
        assert_eq!(read.within(Policy::GRAPH.leases), lease.map(Duration::from_millis), "{text}");
        assert_read(text);
    }
}

#[test]
fn h4_too_large_to_hold_is_out_of_range_not_bad_syntax() {
    let any = DurationRange { shortest: Duration::ZERO, longest: Duration::MAX };
    for text in [
        "P30500568905W",
        "P99999999999999999999999999999W",
        "P944444444444444444444444444444W",
        "P213503982335D",
        "PT18446744073709551.616S",
        "P99999999999999999999999999999D",
    ] {
        let read = IsoDuration::parse(text).unwrap();
        assert_eq!(read.within(any), None, "{text}");
        assert_eq!(read.within(Policy::GRAPH.leases), None, "{text}");
        assert_read(text);
    }
    assert_eq!(IsoDuration::parse("PT18446744073709551.615S").unwrap().within(any), Some(Duration::MAX));
}

proptest! {
    #![proptest_config(model::cases(1024))]

    /// Anything at all: read as the naive reader reads it, and never a panic.
    #[test]
    fn h4_any_text(text in "\\PC{0,40}") {
        assert_read(&text);
    }

    #[test]
    fn h4_what_looks_like_a_duration(text in "[-+]?P?([0-9]{0,3}[DHMSTW.,]){0,5}") {
        assert_read(&text);
    }

    #[test]
    fn h4_iso_8601(text in "[-+]?P([0-9]{1,20}D)?(T([0-9]{1,20}H)?([0-9]{1,4}M)?([0-9]{1,5}([.][0-9]{1,9})?S)?)?") {
        assert_read(&text);
    }

    /// Whole weeks are days by seven, of either sign.
    #[test]
    fn h4_whole_weeks(weeks in prop_oneof![0u64..60, any::<u32>().prop_map(u64::from), any::<u64>()], sign in prop_oneof![Just(""), Just("+"), Just("-")]) {
        let text = format!("{sign}P{weeks}W");
        assert_read(&text);
        let days = u128::from(weeks) * 7;
        prop_assert_eq!(IsoDuration::parse(&text), IsoDuration::parse(&format!("{sign}P{days}D")));
        // Never written.
        let written = IsoDuration::parse(&text).unwrap().magnitude().to_string();
        prop_assert!(!written.contains('W'), "{}", written);
    }

    /// Python writes no minus zero days.
    #[test]
    fn h4_timedelta(text in "(-?[1-9][0-9]{0,2} days?, )?[0-9]{1,2}:[0-6][0-9]:[0-6][0-9]([.][0-9]{1,8})?[0-9]?") {
        assert_read(&text);
    }

    /// Durations are read back from what is written, and written as the standard says.
    #[test]
    fn h4_what_is_written_is_read_back(millis in prop_oneof![any::<u64>(), 0u64..200_000_000, (0u64..400_000).prop_map(|s| s * 1000)]) {
        let text = Duration::from_millis(millis).to_string();
        let read = IsoDuration::parse(&text).unwrap();
        let any = DurationRange { shortest: Duration::ZERO, longest: Duration::MAX };
        prop_assert_eq!(read.within(any), Some(Duration::from_millis(millis)), "{}", text);
        prop_assert_eq!(iso_8601(&text), Some(Exact { is_negative: false, millis: millis.into(), is_finer: false }));
        // Nothing superfluous: no part is zero, but for no time at all.
        let parts = text.trim_start_matches(['P', 'T']).split_terminator(['D', 'H', 'M', 'S', 'T']);
        let zeros = parts.filter(|part| *part == "0").count();
        prop_assert_eq!(zeros, usize::from(text == "PT0S"), "{}", text);
    }
}

/// Durations too large to hold saturate, negative ones as well. Rule H4.
#[test]
fn h4_a_negative_timedelta_saturates() {
    let written = IsoDuration::parse("-1000000000000 day, 3:01:00.5").unwrap();
    assert_eq!(written.magnitude(), Duration::MAX);
    assert_eq!(IsoDuration::parse("-1 day, 23:00:00").unwrap().magnitude(), Duration::from_hours(1));
}
