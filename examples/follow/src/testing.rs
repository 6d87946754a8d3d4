//! What tests need: a server on loopback that answers as a test says, and the ends of a source's channel.

use crate::source::{Event, News, Reporter, Source};
use crate::{Clock, Console, Stop};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Longer than anything takes on a machine that is busy.
const FOREVER: Duration = Duration::from_secs(120);

/// A request, as it was received.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// Method and target.
    pub(crate) line: String,
    pub(crate) headers: Vec<String>,
    pub(crate) body: String,
}

impl Received {
    /// Returns a header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let find = |line: &'_ String| -> Option<usize> {
            let (found, _) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(found.len() + 2)
        };
        self.headers.iter().find_map(|line| find(line).map(|start| &line[start..]))
    }
}

/// The answer to a request.
pub(crate) enum Reaction {
    /// A status, lines of headers, and a body.
    Answer(u16, &'static str, String),
    /// A stream that goes on until the server's end of it is dropped.
    Stream(String, Option<Receiver<String>>),
    /// The connection is closed.
    Cut,
}

impl Reaction {
    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self::Answer(status, "", body.into())
    }
}

/// A server on loopback, with an answer for each request in turn, and after them the last one's connection is closed.
pub(crate) struct FakeServer {
    pub(crate) address: String,
    requests: Receiver<Received>,
    reactions: Arc<Mutex<VecDeque<Reaction>>>,
}

impl FakeServer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let (sender, requests) = channel();
        let reactions: Arc<Mutex<VecDeque<Reaction>>> = Arc::default();
        let queue = Arc::clone(&reactions);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (sender, queue) = (sender.clone(), Arc::clone(&queue));
                thread::spawn(move || serve(connection, &sender, &queue));
            }
        });
        Self { address, requests, reactions }
    }

    /// Adds an answer.
    pub(crate) fn will(&self, reaction: Reaction) {
        self.reactions.lock().expect("no panic").push_back(reaction);
    }

    /// Returns the next request.
    pub(crate) fn request(&self) -> Received {
        self.requests.recv_timeout(FOREVER).expect("a request")
    }

    /// Reports whether there was no other request.
    pub(crate) fn is_quiet(&self) -> bool {
        self.requests.try_recv().is_err()
    }
}

/// Serves a connection.
fn serve(connection: TcpStream, requests: &Sender<Received>, reactions: &Mutex<VecDeque<Reaction>>) {
    let mut reader = BufReader::new(connection.try_clone().expect("a connection"));
    let mut writer = connection;
    while let Some(request) = read(&mut reader) {
        let reaction = reactions.lock().expect("no panic").pop_front().unwrap_or(Reaction::Cut);
        let _ = requests.send(request);
        match reaction {
            Reaction::Cut => return,
            Reaction::Answer(status, headers, body) => {
                let len = body.len();
                let _ = write!(writer, "HTTP/1.1 {status} X\r\nContent-Length: {len}\r\n{headers}\r\n{body}");
            }
            Reaction::Stream(beginning, rest) => {
                let _ = write!(
                    writer,
                    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n{beginning}"
                );
                for piece in rest.into_iter().flatten() {
                    let _ = writer.write_all(piece.as_bytes());
                }
                return;
            }
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|len| *len > 0)?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_string()),
        }
    }
    let mut request = Received { line: lines.remove(0), headers: lines, body: String::new() };
    let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    request.body = String::from_utf8(body).expect("a text");
    Some(request)
}

/// What a source is given, and what it sends.
pub(crate) struct Ends {
    pub(crate) reporter: Reporter,
    events: Receiver<Event>,
}

impl Ends {
    pub(crate) fn of(source: Source, clock: Clock) -> Self {
        let (sender, events) = channel();
        let (stop, console) = (Stop::new(), Console::new(false));
        Self { reporter: Reporter { source, events: sender, stop, clock, console }, events }
    }

    /// Returns what the source sends next.
    pub(crate) fn news(&self) -> News {
        match self.events.recv_timeout(FOREVER) {
            Ok(Event::Update(update)) => update.news,
            other => panic!("{other:?}"),
        }
    }

    /// Returns what the source has sent.
    pub(crate) fn all(&self) -> Vec<News> {
        let news = |event| if let Event::Update(update) = event { update.news } else { panic!("{event:?}") };
        self.events.try_iter().map(news).collect()
    }
}
