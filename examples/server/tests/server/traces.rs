//! Tests of traces, with a receiver that reads OTLP by the field numbers of its published form, and by nothing of the sender's.

use crate::support::{ADELE, Server};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// The value of a field of protobuf.
#[derive(Clone, Debug)]
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// A message of protobuf: its fields in order.
struct Message<'a>(Vec<(u64, Field<'a>)>);

fn varint(bytes: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let (byte, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return value;
        }
        shift += 7;
    }
}

impl<'a> Message<'a> {
    fn read(mut bytes: &'a [u8]) -> Self {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let tag = varint(&mut bytes);
            let length = match tag & 7 {
                0 => {
                    fields.push((tag >> 3, Field::Number(varint(&mut bytes))));
                    continue;
                }
                1 => 8,
                2 => varint(&mut bytes) as usize,
                5 => 4,
                kind => panic!("a field of kind {kind}"),
            };
            let (value, rest) = bytes.split_at(length);
            bytes = rest;
            let number = || value.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
            fields.push((tag >> 3, if tag & 7 == 2 { Field::Bytes(value) } else { Field::Number(number()) }));
        }
        Self(fields)
    }

    fn all(&self, number: u64) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().filter_map(move |(field, value)| match value {
            Field::Bytes(bytes) if *field == number => Some(*bytes),
            _ => None,
        })
    }

    fn messages(&self, number: u64) -> impl Iterator<Item = Message<'a>> {
        self.all(number).map(Message::read)
    }

    fn text(&self, number: u64) -> String {
        String::from_utf8(self.all(number).next().unwrap_or_default().to_vec()).unwrap()
    }

    fn hex(&self, number: u64) -> String {
        self.all(number).next().unwrap_or_default().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn number(&self, number: u64) -> u64 {
        let found = self.0.iter().find_map(|(field, value)| match value {
            Field::Number(value) if *field == number => Some(*value),
            _ => None,
        });
        found.unwrap_or(0)
    }

    /// Returns the attributes in a field, each a key and an AnyValue.
    fn attributes(&self, number: u64) -> Vec<(String, String)> {
        let value = |value: Message<'_>| match value.0.first() {
            Some((1, Field::Bytes(text))) => String::from_utf8_lossy(text).into_owned(),
            Some((3, Field::Number(number))) => number.to_string(),
            other => format!("{other:?}"),
        };
        self.messages(number).map(|pair| (pair.text(1), value(pair.messages(2).next().unwrap()))).collect()
    }
}

/// A span of opentelemetry/proto/trace/v1/trace.proto.
#[derive(Debug)]
struct Span {
    service: Option<String>,
    trace: String,
    id: String,
    parent: String,
    name: String,
    kind: u64,
    times: (u64, u64),
    attributes: Vec<(String, String)>,
    status: u64,
}

impl Span {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Reads the spans of an ExportTraceServiceRequest.
fn spans(body: &[u8]) -> Vec<Span> {
    let mut found = Vec::new();
    for of_resource in Message::read(body).messages(1) {
        let resource = of_resource.messages(1).next().unwrap();
        let service = resource.attributes(1).into_iter().find(|(key, _)| key == "service.name").map(|(_, name)| name);
        for span in of_resource.messages(2).flat_map(|scope| scope.messages(2).collect::<Vec<_>>()) {
            found.push(Span {
                service: service.clone(),
                trace: span.hex(1),
                id: span.hex(2),
                parent: span.hex(4),
                name: span.text(5),
                kind: span.number(6),
                times: (span.number(7), span.number(8)),
                attributes: span.attributes(9),
                status: span.messages(15).next().map_or(0, |status| status.number(3)),
            });
        }
    }
    found
}

/// Reads a request, responds, and returns its first line and its body.
fn receive(mut stream: TcpStream) -> (String, Vec<u8>) {
    let mut bytes = Vec::new();
    let head = loop {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        bytes.push(byte[0]);
        if bytes.ends_with(b"\r\n\r\n") {
            break String::from_utf8(std::mem::take(&mut bytes)).unwrap().to_ascii_lowercase();
        }
    };
    assert!(head.contains("content-type: application/x-protobuf"), "{head}");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
    bytes.resize(length, 0);
    stream.read_exact(&mut bytes).unwrap();
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), bytes)
}

/// Starts a receiver, and returns its URL and what it gets.
fn receiver() -> (String, Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    let (to, received) = channel();
    std::thread::spawn(move || listener.incoming().all(|stream| to.send(receive(stream.unwrap())).is_ok()));
    (url, received)
}

#[test]
fn a_request_is_a_span_in_the_trace_of_its_caller() {
    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const PARENT: &str = "b7ad6b7169203331";
    let (url, received) = receiver();
    let mut server = Server::start_with(&["--virtual-clock", "--otlp-endpoint", &url]);
    let presence = format!("/v1.0/users/{ADELE}/presence");
    let get = |path: &str, parent: &str| {
        server.send("GET", path, &[("authorization", "Bearer dev"), ("traceparent", parent)], b"").status
    };
    assert_eq!(get(&format!("{presence}?token=secret"), &format!("00-{TRACE}-{PARENT}-01")), 200);
    // The caller does not sample this one; the next two have no parent.
    assert_eq!(get(&presence, "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"), 200);
    assert_eq!(get("/nowhere", "00-00000000000000000000000000000000-b7ad6b7169203331-01"), 404);
    assert_eq!(get("/health/live", "nonsense"), 200);
    server.terminate();
    assert!(server.wait().success());
    let mut all = Vec::new();
    while let Ok((line, body)) = received.recv_timeout(Duration::from_secs(1)) {
        assert_eq!(line, "post /v1/traces http/1.1");
        assert!(!body.windows(6).any(|window| window == b"secret"));
        all.extend(spans(&body));
    }
    let in_trace: Vec<_> = all.iter().filter(|span| span.trace == TRACE).collect();
    let request = in_trace.iter().find(|span| span.name == "getPresence").unwrap();
    assert_eq!((request.parent.as_str(), request.kind, request.status), (PARENT, 2, 0), "{request:?}");
    assert_eq!(request.service.as_deref(), Some("presence-server"));
    for (name, value) in [
        ("http.request.method", "GET"),
        ("url.path", &presence),
        ("http.response.status_code", "200"),
        ("client.address", "127.0.0.1"),
    ] {
        assert_eq!(request.attribute(name), Some(value), "{request:?}");
    }
    let shards = in_trace.iter().find(|span| span.name == "shards").unwrap();
    assert_eq!((shards.parent.as_str(), in_trace.len()), (request.id.as_str(), 2));
    assert!(request.times.0 <= shards.times.0 && shards.times.1 <= request.times.1, "{request:?} {shards:?}");
    let mut others: Vec<_> = all.iter().filter(|span| span.trace != TRACE).collect();
    others.sort_by_key(|span| span.times);
    let found: Vec<_> = others.iter().map(|span| (span.name.as_str(), span.parent.as_str())).collect();
    assert_eq!(found, [("unknown", ""), ("live", "")]);
    assert!(others.iter().all(|span| span.trace.len() == 32 && span.trace != "0".repeat(32)));
}

#[test]
fn a_collector_that_is_not_there_stops_nothing() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut server = Server::start_with(&["--virtual-clock", "--otlp-endpoint", &format!("http://{free}/v1/traces")]);
    for _ in 0..50 {
        assert_eq!(server.get("dev", &format!("/v1.0/users/{ADELE}/presence")).status, 200);
    }
    server.terminate();
    assert!(server.wait().success());
}
