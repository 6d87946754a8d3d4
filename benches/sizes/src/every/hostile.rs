//! Input that is worst for one part of the parser each: a beginning, a part that is repeated until the line is full, an end.

pub(super) type Hostile = (&'static str, &'static str, &'static str);

/// The numbers of sessions of the users to whom the longest spellings are sent.
pub const LONGEST: [usize; 2] = [0, 4];

macro_rules! bodies {
    ($before:literal, $after:literal) => {
        [
            // Nesting, broken off and complete; every letter of it on its own.
            (concat!($before, "[["), "[", ""),
            ($before, "[[[[[[[[[[]]]]]]]]]],", $after),
            // Unknown members, with names that begin like known ones.
            (concat!($before, "{"), r#""":0,"#, concat!("}", $after)),
            (concat!($before, "{"), r#""a":0,"#, concat!("}", $after)),
            (concat!($before, "{"), r#""a":[],"#, concat!("}", $after)),
            (concat!($before, "{"), r#""\u0061":0,"#, concat!("}", $after)),
            (concat!($before, "{"), r#""\u0061\u0063":0,"#, concat!("}", $after)),
            (concat!($before, "{"), r#""sessionI":0,"#, concat!("}", $after)),
            (concat!($before, "{"), r#""expirationDuratio":0,"#, concat!("}", $after)),
            (concat!($before, "{"), r#""\u0065xpirationDuration\u0000":0,"#, concat!("}", $after)),
            (concat!($before, "{"), r#""availabilit\u0079":{},"#, concat!("}", $after)),
            // A request that is well formed but for its last field, behind many members.
            (concat!($before, r#"{"sessionId":"22553876-f5ab-4529-bffb-cfe50aa89f80","availability":"Busy","activity":"InACall","#), r#""x":0,"#, concat!(r#","expirationDuration":"PT0S"}"#, $after)),
            (concat!($before, "{"), r#""a":0,"#, concat!(r#","sessionId":"22553876-f5ab-4529-bffb-cfe50aa89f80","availability":"Busy","activity":"InACall","expirationDuration":"PT0S"}"#, $after)),
            // Long strings where short ones are expected.
            (concat!($before, r#"{"availability":"Busy","activity":"InACall","sessionId":""#), r"\u0032", concat!("\"}", $after)),
            (concat!($before, r#"{"availability":"Busy","activity":"InACall","sessionId":""#), "2", concat!("\"}", $after)),
            (concat!($before, r#"{"sessionId":"22553876-f5ab-4529-bffb-cfe50aa89f80","activity":"InACall","availability":""#), r"\u00e9", concat!("\"}", $after)),
            (concat!($before, r#"{"sessionId":"22553876-f5ab-4529-bffb-cfe50aa89f80","availability":"Busy","activity":"InACall","expirationDuration":""#), r"\ud83d\ude00", concat!("\"}", $after)),
            (concat!($before, r#"{"sessionId":"22553876-f5ab-4529-bffb-cfe50aa89f80","availability":"Busy","activity":"InACall","expirationDuration":""#), "\u{1f600}", concat!("\"}", $after)),
            // A name that is as long as can be.
            (concat!($before, "{\""), r"\u0061", concat!("\":0}", $after)),
            // Numbers, words, spaces.
            (concat!($before, "["), "-0.5e-7,", concat!("]", $after)),
            (concat!($before, "["), "false,", concat!("]", $after)),
            ($before, "1", $after),
            ($before, " ", concat!("{}", $after)),
        ]
    };
}

/// Bodies of a request.
pub const BODIES: [Hostile; 23] = bodies!("", "");

/// Targets of a request.
pub const TARGETS: [Hostile; 5] = [
    ("/v1.0/me/presence/", "x", ""),
    ("/v1.0/me/presence/", "%2e", ""),
    ("/", "%2f", ""),
    ("/v1.0/users/", "%32", "/presence/setPresence"),
    ("/v1.0/me/presence/setPresence?", "%24select=a&", ""),
];

/// Lines: the same bodies in an element, and parts that only an element has.
pub const LINES: [Hostile; 37] = {
    const BODIES: [Hostile; 23] = bodies!(
        r#"{"id":"1","method":"POST","url":"/v1.0/me/presence/setPresence","headers":{"Content-Type":"application/json"},"body":"#,
        "}"
    );
    const OWN: [Hostile; 14] = [
        ("", "[", ""),
        ("", "{\"a\":", ""),
        ("", " ", "{}"),
        ("", "\u{1f600}", ""),
        ("\"", r"\u0061", "\""),
        ("{", r#""a":0,"#, "}"),
        ("{", r#""\u0075":0,"#, r#","id":"1","method":"POST","url":"/v1.0/me/presence/setPresence"}"#),
        (r#"{"method":"POST","url":"/v1.0/me/presence/setPresence","id":""#, r"\u0061", "\"}"),
        (r#"{"id":"1","method":"POST","url":"/v1.0/me/presence/"#, "%32", "\"}"),
        (r#"{"id":"1","method":"POST","url":"/v1.0/me/presence/"#, r"\u0025\u0033\u0032", "\"}"),
        (r#"{"id":"1","method":"POST","url":"/v1.0/users/"#, r"\u0025\u0033\u0032", "/presence/setPresence\"}"),
        (r#"{"id":"1","method":""#, r"\u0050", r#"","url":"/v1.0/me/presence/setPresence"}"#),
        (r#"{"id":"1","method":"POST","url":"/v1.0/me/presence/setPresence","headers":{"#, r#""a":"b","#, "}}"),
        (
            r#"{"id":"1","method":"POST","url":"/v1.0/me/presence/setPresence","headers":{"#,
            r#""content-typ":"b","#,
            r#","content-type":"application/json"},"body":{}}"#,
        ),
    ];
    let mut all = [("", "", ""); 37];
    let mut index = 0;
    while index < all.len() {
        all[index] = if index < BODIES.len() { BODIES[index] } else { OWN[index - BODIES.len()] };
        index += 1;
    }
    all
};
