//! The real program, started on its own port and directory, and requests to it.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;
use tempfile::TempDir;

pub const ADELE: &str = "fa8bf3dc-eca7-46b7-bad1-db199b62afc3";
pub const BOB: &str = "66825e03-7ef5-42da-9069-724602c31f6b";
pub const TEAMS: &str = "22553876-f5ab-4529-bffb-cfe50aa89f87";
pub const OTHER: &str = "33553876-f5ab-4529-bffb-cfe50aa89f87";

/// The tokens and names of every test's server.
///
/// They are a trusted caller's, two applications', one that may only read, one that may write, one that may only explain, two
/// users', and one that may only read its user.
const TOKENS: [(&str, &str); 10] = [
    ("--dev-token", "dev"),
    ("--app-token", "teams=22553876-f5ab-4529-bffb-cfe50aa89f87"),
    ("--app-token", "other=33553876-f5ab-4529-bffb-cfe50aa89f87"),
    ("--app-token", "reader=22553876-f5ab-4529-bffb-cfe50aa89f87:Presence.Read.All"),
    ("--app-token", "writer=22553876-f5ab-4529-bffb-cfe50aa89f87:Presence.ReadWrite.All"),
    ("--app-token", "explainer=22553876-f5ab-4529-bffb-cfe50aa89f87:Presence.Explain.All"),
    ("--user-token", "adele=22553876-f5ab-4529-bffb-cfe50aa89f87/fa8bf3dc-eca7-46b7-bad1-db199b62afc3"),
    ("--user-token", "bob=22553876-f5ab-4529-bffb-cfe50aa89f87/66825e03-7ef5-42da-9069-724602c31f6b"),
    ("--user-token", "self=22553876-f5ab-4529-bffb-cfe50aa89f87/fa8bf3dc-eca7-46b7-bad1-db199b62afc3:Presence.Read"),
    ("--user-name", "Adele.Vance+x@example.com=fa8bf3dc-eca7-46b7-bad1-db199b62afc3"),
];

pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_presence-server"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Returns the program, with the right to use a single core.
pub fn on_one_core() -> Command {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap();
    let first = allowed.trim().split(['-', ',']).next().unwrap();
    let mut command = Command::new("taskset");
    command.args(["-c", first]).arg(program().get_program());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub struct Server {
    child: Child,
    /// `http://ADDR:PORT`
    pub base: String,
    agent: ureq::Agent,
    data: PathBuf,
    _own: Option<TempDir>,
}

/// A response.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub text: String,
}

impl Response {
    pub fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Returns Graph's error code, after checking the shape of the whole body. Rule H1.
    pub fn error(&self) -> String {
        let body = self.json();
        let error = &body["error"];
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{self:?}");
        assert_eq!(error["innerError"]["request-id"].as_str(), self.header("request-id"), "{self:?}");
        assert!(error["innerError"]["date"].is_string(), "{self:?}");
        error["code"].as_str().unwrap_or_else(|| panic!("no code: {self:?}")).to_owned()
    }
}

impl Server {
    /// Starts a server on a new directory, with a virtual clock.
    pub fn start() -> Self {
        Self::start_with(&["--virtual-clock"])
    }

    /// Starts a server on a new directory.
    pub fn start_with(options: &[&str]) -> Self {
        let own = TempDir::new().unwrap();
        let mut server = Self::start_on(&own.path().join("data"), options);
        server._own = Some(own);
        server
    }

    /// Starts a server on this directory.
    pub fn start_on(data: &Path, options: &[&str]) -> Self {
        Self::start_as(program(), data, options)
    }

    /// Starts a server whose files cannot grow beyond this many blocks, as on a full disk.
    pub fn start_on_full_disk(blocks: u32, data: &Path, options: &[&str]) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit -Sf {blocks}; exec \"$0\" \"$@\"")]);
        shell.arg(program().get_program()).stdin(Stdio::null()).stdout(Stdio::piped());
        Self::start_as(shell, data, options)
    }

    /// Starts a server that may use a single core.
    pub fn start_on_one_core(data: &Path, options: &[&str]) -> Self {
        Self::start_as(on_one_core(), data, options)
    }

    fn start_as(mut command: Command, data: &Path, options: &[&str]) -> Self {
        command.stderr(Stdio::inherit());
        Self::start_command(command, data, options)
    }

    /// Starts a server with this command, whose messages go where it says.
    pub fn start_command(mut command: Command, data: &Path, options: &[&str]) -> Self {
        command.args(["--listen", "127.0.0.1:0", "--data"]).arg(data).args(options);
        for (option, value) in TOKENS {
            command.args([option, value]);
        }
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let base = line.split_whitespace().find(|word| word.starts_with("http://"));
        let base = base.unwrap_or_else(|| panic!("no address: {line:?}")).to_owned();
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .timeout_global(Some(Duration::from_secs(30)))
            .build();
        Self { child, base, agent: config.into(), data: data.to_owned(), _own: None }
    }

    /// Lifts the limit of [`Server::start_on_full_disk`] while the server runs.
    pub fn remove_size_limit(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("prlimit").args(["--pid", &id, "--fsize=unlimited"]).status().unwrap().success());
    }

    /// Returns the data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Kills the server, and starts it again on the same data.
    pub fn kill_and_restart(mut self, options: &[&str]) -> Self {
        let own = self._own.take();
        self.kill();
        let mut next = Self::start_on(&self.data, options);
        next._own = own;
        next
    }

    /// Kills the server.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Takes the temporary directory, so that it outlives the server.
    pub fn keep(&mut self) -> TempDir {
        self._own.take().unwrap()
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }

    /// Waits until the server has ended.
    pub fn wait(&mut self) -> ExitStatus {
        for _ in 0..600 {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("it does not end");
    }

    /// Returns the number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns the server's resident memory, in bytes.
    pub fn memory(&self) -> usize {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
    }

    /// Opens a connection.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.base.strip_prefix("http://").unwrap()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
        stream
    }

    /// Sends bytes, and reads until the server closes the connection.
    pub fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(bytes).unwrap();
        let mut text = Vec::new();
        // Closing with unread bytes resets the connection; what came before counts.
        let _ = stream.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Sends a request.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = self.agent.run(request.body(body).unwrap()).unwrap();
        let text = response.body_mut().read_to_string().unwrap();
        Response { status: response.status().as_u16(), headers: response.headers().clone(), text }
    }

    pub fn get(&self, token: &str, path: &str) -> Response {
        self.send("GET", path, &[("authorization", &format!("Bearer {token}"))], b"")
    }

    pub fn post(&self, token: &str, path: &str, body: &Value) -> Response {
        let token = format!("Bearer {token}");
        let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
        self.send("POST", path, &headers, body.to_string().as_bytes())
    }

    /// Sends a POST without body and content type, as clients do.
    pub fn post_empty(&self, token: &str, path: &str) -> Response {
        self.send("POST", path, &[("authorization", &format!("Bearer {token}"))], b"")
    }

    /// Sets a session's presence.
    pub fn set(&self, user: &str, session: &str, activity: &str, lease: &str) -> Response {
        let availability = match activity {
            "InACall" => "Busy",
            "Presenting" => "DoNotDisturb",
            plain => plain,
        };
        let body = json!({"sessionId": session, "availability": availability, "activity": activity, "expirationDuration": lease});
        self.post("dev", &format!("/v1.0/users/{user}/presence/setPresence"), &body)
    }

    /// Sets the same presence for many users, in batches, and requires success.
    pub fn set_all(&self, users: &[String], activity: &str) {
        assert_eq!(self.try_set_all(users, activity).len(), users.len());
    }

    /// Sets the same presence for many users, in batches. Returns the users that were not rejected for want of a slot.
    pub fn try_set_all(&self, users: &[String], activity: &str) -> Vec<String> {
        let availability = if activity == "InACall" { "Busy" } else { activity };
        let mut set = Vec::new();
        for chunk in users.chunks(20) {
            let elements: Vec<_> = chunk
                .iter()
                .map(|user| {
                    json!({"id": user, "method": "POST", "headers": {"content-type": "application/json"},
                        "url": format!("/users/{user}/presence/setPresence"),
                        "body": {"sessionId": TEAMS, "availability": availability, "activity": activity,
                            "expirationDuration": "PT4H"}})
                })
                .collect();
            let response = self.post("dev", "/v1.0/$batch", &json!({ "requests": elements }));
            assert_eq!(response.status, 200);
            for element in response.json()["responses"].as_array().unwrap() {
                match element["status"].as_u64().unwrap() {
                    200 => set.push(element["id"].as_str().unwrap().to_owned()),
                    status => assert_eq!(status, 507, "{element}"),
                }
            }
        }
        set
    }

    /// Returns the presence objects of many users.
    pub fn presences(&self, users: &[String]) -> Vec<Value> {
        let mut found = Vec::new();
        for chunk in users.chunks(650) {
            let response = self.post("dev", "/v1.0/communications/getPresencesByUserId", &json!({ "ids": chunk }));
            found.extend_from_slice(response.json()["value"].as_array().unwrap());
        }
        found
    }

    /// Returns a user's presence object.
    pub fn presence(&self, user: &str) -> Value {
        let response = self.get("dev", &format!("/v1.0/users/{user}/presence"));
        assert_eq!(response.status, 200, "{response:?}");
        response.json()
    }

    /// Returns a user's activity and sequence number.
    pub fn activity(&self, user: &str) -> (String, String) {
        let presence = self.presence(user);
        let text = |name: &str| presence[name].as_str().unwrap_or_default().to_owned();
        (text("activity"), text("sequenceNumber"))
    }

    /// Advances the virtual clock.
    pub fn advance(&self, seconds: u64) {
        let response = self.post_empty("dev", &format!("/dev/advance?seconds={seconds}"));
        assert_eq!(response.status, 200, "{response:?}");
    }

    /// Returns the value of a metric.
    pub fn metric(&self, name: &str) -> f64 {
        let response = self.send("GET", "/metrics", &[], b"");
        let line = response.text.lines().find(|line| line.starts_with(name) && !line.starts_with('#'));
        let line = line.unwrap_or_else(|| panic!("no {name}: {}", response.text));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }
}

/// Starts the program on data, and returns its messages if it rejects the data.
pub fn start_error(data: &Path, users: &str) -> Option<String> {
    let mut child = program()
        .args(["--listen", "127.0.0.1:0", "--virtual-clock", "--dev-token", "dev", "--users", users, "--data"])
        .arg(data)
        .spawn()
        .unwrap();
    // If it accepts the data, it serves until it is killed.
    let serves = BufReader::new(child.stdout.take().unwrap()).lines().next().is_some();
    if serves {
        child.kill().unwrap();
    }
    let status = child.wait().unwrap();
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(serves || status.code() == Some(2), "{status}: {text}");
    (!serves).then_some(text)
}

/// Starts the program on data that it must reject, and returns its messages.
pub fn expect_start_error(data: &Path, users: &str) -> String {
    start_error(data, users).expect("the data is accepted")
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the id of a numbered user.
pub fn numbered(number: u32) -> String {
    format!("{number:08x}-0000-4000-8000-{:012x}", (u64::from(number) * 0x9E37_79B9) & 0xFFFF_FFFF_FFFF)
}
