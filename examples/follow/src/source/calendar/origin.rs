//! Where a calendar is read from: a file, or an address.

use std::fmt::{self, Display, Formatter};
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use ureq::http::{HeaderMap, HeaderValue, Uri};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Proxy};

/// The longest calendar that is read.
const MAX_LEN: u64 = 16 << 20;
/// The time that a server has for all of it.
const PATIENCE: Duration = Duration::from_secs(60);
/// What a server's next answer may refer to, and the request headers that say so.
const VALIDATORS: [(&str, &str); 2] = [("etag", "if-none-match"), ("last-modified", "if-modified-since")];

/// A file or an address. An address is shown without what follows its host: whoever knows all of it can read the calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A file.
    File(PathBuf),
    /// An address.
    Url(Uri),
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((scheme, rest)) = text.split_once("://") else { return Ok(Self::File(text.into())) };
        // An invitation to subscribe: the same as https.
        let scheme = if scheme.eq_ignore_ascii_case("webcal") { "https" } else { scheme };
        let uri: Uri = format!("{scheme}://{rest}").parse().map_err(|error| format!("no address ({error})"))?;
        match uri.scheme_str() {
            Some("https" | "http") if uri.host().is_some() => Ok(Self::Url(uri)),
            _ => Err("a file, or an address that begins with https://, http:// or webcal://".to_owned()),
        }
    }
}

impl Display for Origin {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Url(uri) => write!(f, "the calendar of {}", uri.host().unwrap_or_default()),
        }
    }
}

/// Reads a calendar again and again.
pub struct Reader {
    origin: Origin,
    agent: Agent,
    validators: Vec<(&'static str, HeaderValue)>,
}

impl Reader {
    /// Creates a reader that trusts what this machine trusts, and uses the proxy that the environment names.
    pub fn new(origin: Origin) -> Self {
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let near = matches!(&origin, Origin::Url(uri) if uri.host().is_some_and(is_near));
        let config = Agent::config_builder()
            // Nothing of an address that is a secret goes where everybody can read it.
            .https_only(matches!(&origin, Origin::Url(uri) if uri.scheme_str() == Some("https")))
            .tls_config(tls)
            .proxy(if near { None } else { Proxy::try_from_env() })
            .timeout_global(Some(PATIENCE))
            .user_agent(concat!("presence-follow/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { origin, agent: config.new_agent(), validators: Vec::new() }
    }

    /// Reads it. Returns `None` if the server says that it is as it was.
    ///
    /// # Errors
    ///
    /// The reason for which it cannot be read.
    pub fn read(&mut self) -> Result<Option<String>, String> {
        match &self.origin {
            Origin::File(path) => {
                let file = File::open(path).map_err(|error| error.to_string())?;
                bounded(file).map(Some)
            }
            Origin::Url(uri) => self.fetch(&uri.clone()),
        }
    }

    fn fetch(&mut self, uri: &Uri) -> Result<Option<String>, String> {
        let mut request = self.agent.get(uri);
        for (name, value) in &self.validators {
            request = request.header(*name, value);
        }
        let response = request.call().map_err(|error| without_address(&error))?;
        if response.status() == 304 {
            return Ok(None);
        }
        let validators = validators(response.headers());
        let text = bounded(response.into_body().into_reader())?;
        // Not before all of it is here: the next answer would say that it is as it was.
        self.validators = validators;
        Ok(Some(text))
    }

    /// Forgets what was read, so that the next reading is a whole one.
    pub fn forget(&mut self) {
        self.validators.clear();
    }
}

fn validators(headers: &HeaderMap) -> Vec<(&'static str, HeaderValue)> {
    VALIDATORS.iter().filter_map(|(given, asked)| Some((*asked, headers.get(*given)?.clone()))).collect()
}

fn is_near(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// Returns what went wrong in words that do not have the address.
fn without_address(error: &ureq::Error) -> String {
    match error {
        ureq::Error::BadUri(_) | ureq::Error::RequireHttpsOnly(_) => {
            "it leads to an address that is not https".to_owned()
        }
        error => error.to_string(),
    }
}

/// Reads a text that is not too long. What is not UTF-8 in it is replaced: names and descriptions do not matter.
fn bounded(source: impl Read) -> Result<String, String> {
    let mut bytes = Vec::new();
    let read = source.take(MAX_LEN + 1).read_to_end(&mut bytes);
    read.map_err(|error: io::Error| format!("it was cut off: {error}"))?;
    if bytes.len() as u64 > MAX_LEN {
        return Err(format!("it is longer than {} MiB", MAX_LEN >> 20));
    }
    Ok(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    #[test]
    fn an_origin_is_a_file_or_an_address_and_does_not_tell_its_secret() {
        let secret = "webcal://calendar.google.com/calendar/ical/me/private-0123/basic.ics";
        let origin: Origin = secret.parse().unwrap();
        assert_eq!(origin, Origin::Url(secret.replace("webcal", "https").parse().unwrap()));
        assert_eq!(origin.to_string(), "the calendar of calendar.google.com");
        assert_eq!("mine.ics".parse(), Ok(Origin::File("mine.ics".into())));
        assert_eq!(r"C:\mine.ics".parse(), Ok(Origin::File(r"C:\mine.ics".into())));
        for bad in ["ftp://a.b/c", "https://", "file:///tmp/a.ics"] {
            assert!(bad.parse::<Origin>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_or_too_long_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("mine.ics");
        let mut reader = Reader::new(Origin::File(path.clone()));
        assert!(reader.read().is_err());
        std::fs::write(&path, b"BEGIN:VCALENDAR\xff").unwrap();
        assert_eq!(reader.read(), Ok(Some("BEGIN:VCALENDAR\u{fffd}".to_owned())));
        File::create(&path).unwrap().set_len(MAX_LEN + 1).unwrap();
        assert_eq!(reader.read(), Err("it is longer than 16 MiB".to_owned()));
    }

    /// Answers one request after the other, and returns what was asked.
    fn serve(answers: &'static [&'static str]) -> (Origin, thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}/secret/basic.ics", listener.local_addr().unwrap()).parse().unwrap();
        let answer = |mut stream: TcpStream, answer: &str| {
            let mut asked = Vec::new();
            let mut byte = [0];
            while !asked.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
                asked.push(byte[0]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(asked).unwrap().to_ascii_lowercase()
        };
        let server = move || answers.iter().map(|text| answer(listener.accept().unwrap().0, text)).collect();
        (origin, thread::spawn(server))
    }

    #[test]
    fn an_address_is_asked_only_for_what_is_new() {
        let (origin, server) = serve(&[
            "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nLast-Modified: Mon, 30 Nov 2026 12:00:00 GMT\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
            "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 200 OK\r\nETag: \"2\"\r\nContent-Length: 5\r\nConnection: close\r\n\r\nab",
            "HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 302 There\r\nLocation: ftp://elsewhere/secret\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        ]);
        let mut reader = Reader::new(origin);
        assert_eq!(reader.read(), Ok(Some("abc".to_owned())));
        assert_eq!(reader.read(), Ok(None));
        // Cut off: the validators are still those of the last whole one.
        assert!(reader.read().is_err());
        assert!(reader.read().is_err());
        let error = reader.read().unwrap_err();
        assert!(!error.contains("secret"), "{error}");
        reader.forget();
        assert_eq!(reader.read(), Ok(Some(String::new())));
        let asked = server.join().unwrap();
        let validators =
            |asked: &String| (asked.contains("if-none-match: \"1\""), asked.contains("if-modified-since: mon, 30 nov"));
        let all: Vec<_> = asked.iter().map(validators).collect();
        assert_eq!(all, [(false, false), (true, true), (true, true), (true, true), (true, true), (false, false)]);
    }
}
