//! Bodies that are worst for a part of the parser that only batches and details have, and their targets.

use super::hostile::Hostile;

const SET_STATUS_MESSAGE: &str = "/v1.0/me/presence/setStatusMessage";
const SET_LOCATION: &str = "/v1.0/me/presence/setManualLocation";
const BULK: &str = "/v1.0/communications/getPresencesByUserId";
const BATCH: &str = "/v1.0/$batch";

pub const BODIES: [(&str, Hostile); 22] = [
    (SET_STATUS_MESSAGE, (r#"{"statusMessage":{"message":{"content":""#, "x", r#""}}}"#)),
    (SET_STATUS_MESSAGE, (r#"{"statusMessage":{"message":{"content":""#, r"\u00e9", r#""}}}"#)),
    (SET_STATUS_MESSAGE, (r#"{"statusMessage":{"message":{"content":""#, r"\ud83d\ude00", r#""}}}"#)),
    (SET_STATUS_MESSAGE, (r#"{"statusMessage":{"#, r#""a":0,"#, r#","message":{"content":"x"}}}"#)),
    (SET_STATUS_MESSAGE, (r#"{"statusMessage":{"message":{"#, r#""a":0,"#, r#","content":"x"}}}"#)),
    (
        SET_STATUS_MESSAGE,
        (
            r#"{"statusMessage":{"message":{"content":"x"},"expiryDateTime":{"#,
            r#""a":0,"#,
            r#","dateTime":"2026-11-27T10:30:00","timeZone":"UTC"}}}"#,
        ),
    ),
    (
        SET_STATUS_MESSAGE,
        (
            r#"{"statusMessage":{"message":{"content":"x"},"expiryDateTime":{"timeZone":"UTC","dateTime":""#,
            r"\u0030",
            r#""}}}"#,
        ),
    ),
    (
        SET_STATUS_MESSAGE,
        (
            r#"{"statusMessage":{"message":{"content":"x"},"expiryDateTime":{"dateTime":"2026-11-27T10:30:00","timeZone":""#,
            r"\u0055",
            r#""}}}"#,
        ),
    ),
    (SET_LOCATION, (r#"{"workLocationType":"office","placeId":""#, r"\u0055", r#""}"#)),
    (SET_LOCATION, (r#"{"placeId":null,"workLocationType":""#, r"\u006f", r#""}"#)),
    (BULK, (r#"{"ids":["#, r#""","#, "]}")),
    (BULK, (r#"{"ids":["#, "{},", "]}")),
    (BULK, (r#"{"ids":["#, r#""\u0031","#, "]}")),
    (BULK, (r#"{"#, r#""a":0,"#, r#","ids":["11111111-1111-1111-1111-111111111111"]}"#)),
    (BATCH, (r#"{"requests":["#, "{},", "]}")),
    (BATCH, (r#"{"requests":["#, r#"{"id":"a"},"#, "]}")),
    (BATCH, (r#"{"requests":["#, r#"{"id":"\u0061"},"#, "]}")),
    (BATCH, (r#"{"requests":["#, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]],", "]}")),
    (BATCH, (r#"{"#, r#""a":0,"#, r#","requests":[{"id":"1","method":"GET","url":"/me/presence"}]}"#)),
    (BATCH, (r#"{"requests":[{"id":"1","method":"GET","url":"/me/presence","dependsOn":["#, r#""1","#, "]}]}")),
    (BATCH, (r#"{"requests":[{"id":"1","method":"GET","url":"/me/presence","dependsOn":["#, r#""\u0031","#, "]}]}")),
    (BATCH, (r#"{"requests":[{"method":"GET","url":"/me/presence","id":""#, r"\u0061", r#""}]}"#)),
];
