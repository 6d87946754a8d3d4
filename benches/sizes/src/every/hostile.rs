//! What is worst for one part of the reader each: a beginning, what is repeated until the line is full, and an end.

pub(super) type Hostile = (&'static str, &'static str, &'static str);

/// How many sessions the users have to whom the longest spellings are sent: nobody's, and as many as there may be.
pub const LONGEST: [usize; 2] = [0, 4];

macro_rules! bodies {
    ($before:literal, $after:literal) => {
        [
            // Nesting, broken off and complete; every letter of it on its own.
            (concat!($before, "[["), "[", ""),
            ($before, "[[[[[[[[[[]]]]]]]]]],", $after),
            // Members that nobody asks for, with names that begin as those that are.
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
            // A name that only its end tells from another.
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

/// Lines: those bodies as an element's, and what only an element has.
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
    let mut place = 0;
    while place < all.len() {
        all[place] = if place < BODIES.len() { BODIES[place] } else { OWN[place - BODIES.len()] };
        place += 1;
    }
    all
};
