//! Tests of the configuration: a file under the environment under options, checked before a start and read anew on SIGHUP.

use crate::support::{ADELE, BOB, OTHER, TEAMS, program};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use tempfile::TempDir;

/// The longest time that a test waits for a line of the log.
const PATIENCE: Duration = Duration::from_secs(60);

/// A directory with a file of settings.
struct Home {
    directory: TempDir,
}

impl Home {
    fn new(settings: &str) -> Self {
        let home = Self { directory: TempDir::new().unwrap() };
        home.write("server.toml", settings);
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Returns the program in this directory.
    fn program(&self) -> Command {
        let mut program = program();
        program.current_dir(self.directory.path()).env_remove("RUST_LOG");
        program
    }

    /// Checks the file, with these options. Returns the status, the report and the messages.
    fn check(&self, options: &[&str]) -> (Option<i32>, String, String) {
        let mut program = self.program();
        program.args(["check-config", "--config", "server.toml"]).args(options);
        run(program)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn run(mut program: Command) -> (Option<i32>, String, String) {
    let output = program.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// A server that was started with a file of settings.
struct Running {
    child: Child,
    address: String,
    log: Receiver<String>,
}

impl Running {
    fn start(mut program: Command) -> Self {
        let mut child = program.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let log = lines(child.stderr.take().unwrap());
        let address =
            line.trim().strip_prefix("listening on http://").unwrap_or_else(|| panic!("no address: {line:?}"));
        Self { address: address.to_owned(), child, log }
    }

    /// Sends SIGHUP, and returns what is logged until the server says what it has done.
    fn reload(&self) -> String {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
        let mut all = String::new();
        loop {
            let line = self.log.recv_timeout(PATIENCE).expect("the log says what a reload has done");
            all.push_str(&line);
            all.push('\n');
            if line.contains("reloaded") {
                return all;
            }
        }
    }

    /// Begins a request, whose response ends with the connection.
    fn begin(&self, method: &str, token: &str, path: &str, body: &str) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        BufReader::new(stream)
    }

    fn status(&self, token: &str, path: &str) -> u16 {
        let mut line = String::new();
        self.begin("GET", token, path, "").read_line(&mut line).unwrap();
        line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no status: {line:?}"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(stream: ChildStderr) -> Receiver<String> {
    let (to, lines) = channel();
    std::thread::spawn(move || {
        BufReader::new(stream).lines().map_while(Result::ok).for_each(|line| drop(to.send(line)))
    });
    lines
}

/// Returns the path of a user's presence.
fn presence(user: &str) -> String {
    format!("/v1.0/users/{user}/presence")
}

#[test]
fn a_configuration_is_checked_and_shown_without_a_trace() {
    // A server that bound would fail.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap();
    let home = Home::new(&format!(
        "listen = \"{listen}\"\nusers = 500\nhost = [\"a.example\",\n\"b.example\"]\napp-token = [\"secret-one={TEAMS}\"]\n\
         app-token-file = [\"tokens\"]\n"
    ));
    home.write("tokens", &format!("# of the calendar\n\n  secret-two={OTHER}:Presence.Read.All  \n"));
    let mut program = home.program();
    program.args(["check-config", "--config=server.toml", "--users-per-application=7"]).env("PRESENCE_REQUESTS", "99");
    let (status, report, messages) = run(program);
    assert_eq!((status, messages.as_str()), (Some(0), ""), "{report}");
    for line in [
        format!("listen = \"{listen}\"  # server.toml:1"),
        "users = 500  # server.toml:2".to_owned(),
        "  \"b.example\",  # server.toml:4".to_owned(),
        "users-per-application = 7  # the command line".to_owned(),
        "requests = 99  # PRESENCE_REQUESTS".to_owned(),
        "data = \"presence-data\"  # default".to_owned(),
        "# connections-per-address: a 32nd of --connections, at least 16".to_owned(),
        format!("# token (hidden)={TEAMS}  # server.toml:5: app-token"),
        format!("# token (hidden)={OTHER}:Presence.Read.All  # tokens:3"),
    ] {
        assert!(report.lines().any(|found| found == line), "{line}\n{report}");
    }
    assert!(!report.contains("secret"), "{report}");
    assert_eq!(home.names(), ["server.toml", "tokens"], "no data is touched");
    // The report is a file of settings again, with the same meaning.
    home.write("again.toml", &report);
    let mut program = home.program();
    program.args(["check-config", "--config=again.toml"]);
    let (status, again, messages) = run(program);
    assert_eq!(status, Some(0), "{messages}");
    let settings = |report: &str| -> Vec<_> {
        let lines = report.lines().filter(|line| !line.starts_with('#'));
        lines.map(|line| line.split("  # ").next().unwrap().to_owned()).collect()
    };
    assert_eq!(settings(&again), settings(&report));
}

#[test]
fn what_is_wrong_is_named() {
    let home = Home::new("");
    let long = "x".repeat(20);
    home.write("tokens", &format!("\nsecret={TEAMS}\n"));
    home.write("bad", &format!("secret={TEAMS}\nsecret=7\n"));
    home.write("empty", "# none yet\n\n");
    let other = format!("listen = \"0.0.0.0:0\"\napp-token = [\"{long}={TEAMS}\"]\n");
    for (settings, options, expected) in [
        ("user = 7".to_owned(), vec![], "server.toml:1: \"user\" is no setting; the nearest is \"users\""),
        ("listen = \"here\"".to_owned(), vec![], "server.toml:1: listen: \"here\": expected ADDR:PORT"),
        (
            "listen = \"0.0.0.0:80\"".to_owned(),
            vec![],
            "--listen 0.0.0.0:80 is not a loopback address: without --app-token",
        ),
        ("app-token-file = [\"none\"]".to_owned(), vec![], "server.toml:1: app-token-file none: No such file"),
        ("app-token-file = [\"bad\"]".to_owned(), vec![], "bad:2: the application id is no GUID"),
        ("app-token-file = [\"empty\"]".to_owned(), vec![], "empty: no token is in it"),
        (format!("{other}app-token-file = [\"tokens\"]"), vec![], "tokens:2: a token has 20 characters at least"),
        (
            format!("{other}dev-token = [\"secret\"]"),
            vec![],
            "server.toml:3: dev-token: a development token needs a loopback address; --listen is 0.0.0.0:0",
        ),
        ("virtual-clock = true".to_owned(), vec![], "--virtual-clock needs"),
        (
            "virtual-clock = true\nreset-clock = true".to_owned(),
            vec![],
            "--reset-clock cannot be used with --virtual-clock",
        ),
        (
            "app-token-file = [\"tokens\"]".to_owned(),
            vec!["--dev-token", "secret"],
            "the same token is given twice: by tokens:2 and by --dev-token",
        ),
        (format!("user-name = [\"a@b={ADELE}\", \"A@B={BOB}\"]"), vec![], "--user-name a@b is given twice"),
        (
            format!("app-policy = [\"{TEAMS}=desk\", \"{TEAMS}=graph\"]"),
            vec![],
            &format!("--app-policy {TEAMS} is given twice"),
        ),
        ("connections = 1000000".to_owned(), vec![], "--connections 1000000 is more than the limit of open files"),
        ("log = \"a=b=c\"".to_owned(), vec![], "server.toml:1: log: "),
    ] {
        home.write("server.toml", &settings);
        let (status, report, messages) = home.check(&options);
        assert!(status == Some(2) && messages.contains(expected), "{expected}\n{status:?} {messages} {report}");
        assert!(!messages.contains("secret") && !report.contains("secret"), "no token is told: {messages}");
        // A start says the same, and leaves nothing behind.
        let mut program = home.program();
        program.args(["--config", "server.toml"]).args(&options);
        let (status, _, messages) = run(program);
        assert!(status == Some(2) && messages.contains(expected), "{expected}\n{status:?} {messages}");
        assert_eq!(home.names(), ["bad", "empty", "server.toml", "tokens"]);
    }
    let mut program = home.program();
    program.args(["check-config", "--config", "nowhere.toml"]);
    assert!(run(program).2.contains("--config nowhere.toml: No such file"));
    let mut program = home.program();
    program.arg("check-config").env("PRESENCE_CONFIG", "tokens");
    assert!(run(program).2.contains("tokens:2: "));
}

#[test]
fn credentials_of_systemd_are_tokens() {
    let home = Home::new("listen = \"127.0.0.1:0\"\n");
    fs::create_dir(home.path("credentials")).unwrap();
    home.write("credentials/app-token", &format!("calendar={TEAMS}\n"));
    home.write("credentials/unrelated", "7");
    let mut program = home.program();
    program.args(["--config", "server.toml"]).env("CREDENTIALS_DIRECTORY", home.path("credentials"));
    let server = Running::start(program);
    assert_eq!([server.status("calendar", &presence(ADELE)), server.status("7", &presence(ADELE))], [200, 401]);
    // They are read anew, too.
    home.write("credentials/app-token", &format!("mirror={TEAMS}\n"));
    home.write("credentials/user-token", &format!("adele={TEAMS}/{ADELE}\n"));
    assert!(server.reload().contains("reloaded: 2 tokens"));
    assert_eq!(["calendar", "mirror", "adele"].map(|token| server.status(token, &presence(ADELE))), [401, 200, 200]);
}

#[test]
fn a_reload_takes_what_it_can_and_names_what_needs_a_restart() {
    let names = |name: &str| format!("user-name = [\"{name}@example.com={ADELE}\"]\n");
    let base = format!("listen = \"127.0.0.1:0\"\nusers = 500\napp-token-file = [\"tokens\"]\n{}", names("adele"));
    let home = Home::new(&base);
    home.write("tokens", &format!("one={TEAMS}\n"));
    let mut program = home.program();
    program.args(["--config", "server.toml", "--sessions", "16"]);
    let server = Running::start(program);
    let path = |name: &str| presence(&format!("{name}@example.com"));
    assert_eq!([server.status("one", &path("adele")), server.status("one", &path("vance"))], [200, 404]);
    assert!(server.reload().contains("reloaded: nothing has changed"));

    home.write("tokens", &format!("two={TEAMS}\n"));
    let changed = base.replace("500", "700").replace("adele", "vance");
    home.write("server.toml", &format!("{changed}application-rate = \"2/360\"\nsessions = 32\nlog = \"debug\"\n"));
    let log = server.reload();
    assert!(log.contains("server.toml:2: users needs a restart: it is 500, and will be 700"), "{log}");
    assert!(log.contains("reloaded: user-name, application-rate, log, 1 tokens"), "{log}");
    assert!(!log.contains("sessions"), "the command line still counts: {log}");
    assert_eq!(server.status("one", &path("vance")), 401);
    let statuses = [path("vance"), path("adele"), path("vance")].map(|path| server.status("two", &path));
    assert_eq!(statuses, [200, 404, 429], "the rate counts as well");
    // Another reload gives nobody more, and says again what waits.
    let log = server.reload();
    assert!(log.contains("users needs a restart") && log.contains("reloaded: nothing has changed"), "{log}");
    assert_eq!(server.status("two", &path("vance")), 429);
}

#[test]
fn a_faulty_reload_changes_nothing_and_says_so() {
    let base = "listen = \"127.0.0.1:0\"\napp-token-file = [\"tokens\"]\n";
    let home = Home::new(base);
    home.write("tokens", &format!("one={TEAMS}\n"));
    let mut program = home.program();
    program.args(["--config", "server.toml"]);
    let server = Running::start(program);
    home.write("tokens", &format!("two={TEAMS}\n"));
    for (settings, expected) in [
        (format!("{base}user = 7\n"), "server.toml:3: \"user\" is no setting"),
        (format!("{base}policy = \"office\"\n"), "server.toml:3: policy:"),
        (format!("{base}app-policy = [\"{TEAMS}=desk\", \"{TEAMS}=graph\"]\n"), "is given twice"),
        ("listen = \"0.0.0.0:0\"\n".to_owned(), "--listen 0.0.0.0:0 is not a loopback address"),
        ("app-token-file = [\"none\"]".to_owned(), "none: No such file"),
        ("=".to_owned(), "server.toml:1: "),
    ] {
        home.write("server.toml", &settings);
        let log = server.reload();
        assert!(log.contains("not reloaded, everything stays as it is: ") && log.contains(expected), "{log}");
        assert_eq!(["one", "two"].map(|token| server.status(token, &presence(ADELE))), [200, 401]);
    }
    // An emptied file brings no development token.
    home.write("server.toml", base);
    home.write("tokens", "");
    assert!(server.reload().contains("tokens: no token is in it"));
    assert_eq!(server.status("one", &presence(ADELE)), 200);
    home.write("tokens", &format!("two={TEAMS}\n"));
    fs::remove_file(home.path("server.toml")).unwrap();
    assert!(server.reload().contains("--config server.toml: No such file"));
    home.write("server.toml", base);
    assert!(server.reload().contains("reloaded: 1 tokens"));
    assert_eq!(["one", "two"].map(|token| server.status(token, &presence(ADELE))), [401, 200]);
}

/// What is right for the file alone may be wrong for a server that listens elsewhere until it is restarted.
#[test]
fn a_reload_brings_no_development_token_to_other_machines() {
    let long = "x".repeat(20);
    let home = Home::new(&format!("listen = \"0.0.0.0:0\"\napp-token = [\"{long}={TEAMS}\"]\n"));
    let mut program = home.program();
    program.args(["--config", "server.toml"]);
    let mut server = Running::start(program);
    home.write("server.toml", "listen = \"127.0.0.1:0\"\ndev-token = [\"dev\"]\n");
    let log = server.reload();
    assert!(log.contains("not reloaded") && log.contains("--listen is 0.0.0.0:0"), "{log}");
    server.address = server.address.replace("0.0.0.0", "127.0.0.1");
    assert_eq!([server.status("dev", &presence(ADELE)), server.status(&long, &presence(ADELE))], [401, 200]);
}

#[test]
fn a_withdrawn_token_sees_no_further_change() {
    let home = Home::new("listen = \"127.0.0.1:0\"\ndev-token = [\"dev\"]\napp-token-file = [\"tokens\"]\n");
    home.write("tokens", &format!("stays={TEAMS}\ngoes={OTHER}\n"));
    let mut program = home.program();
    program.args(["--config", "server.toml"]);
    let server = Running::start(program);
    let follow = |token: &str| {
        let mut stream = server.begin("GET", token, "/presence/changes", "");
        read_until(&mut stream, "up-to-date");
        stream
    };
    let [mut stays, mut goes] = ["stays", "goes"].map(follow);
    home.write("tokens", &format!("stays={TEAMS}\n"));
    assert!(server.reload().contains("reloaded: 2 tokens"));
    let body = format!(r#"{{"sessionId":"{TEAMS}","availability":"Away","activity":"Away"}}"#);
    read_until(&mut server.begin("POST", "dev", &format!("{}/setPresence", presence(ADELE)), &body), "200 OK");
    read_until(&mut stays, ADELE);
    let mut rest = String::new();
    goes.read_to_string(&mut rest).unwrap();
    assert!(!rest.contains(ADELE), "{rest}");
}

fn read_until(stream: &mut impl BufRead, text: &str) {
    let mut line = String::new();
    while !line.contains(text) {
        line.clear();
        assert!(stream.read_line(&mut line).unwrap() > 0, "the stream ends without {text}");
    }
}

#[test]
fn the_file_has_what_options_have() {
    let home = Home::new(&format!(
        "listen = \"127.0.0.1:0\"\ndata = \"somewhere\"\nvirtual-clock = true\ndev-token = [\"dev\"]\nsessions = 16\n\
         policy = \"mirror\"\nuser-name = [\"adele@example.com={ADELE}\"]\nheartbeat = 7\n"
    ));
    let mut program = home.program();
    program.env("PRESENCE_CONFIG", home.path("server.toml"));
    let server = Running::start(program);
    assert_eq!(server.status("dev", &presence("ADELE@example.com")), 200);
    assert!(home.path("somewhere/shards").exists());
    drop(server);
    // A variable comes before it, and an option before that.
    let mut program = home.program();
    program.args(["--config", "server.toml", "--data", "line"]).env("PRESENCE_DATA", "variable");
    drop(Running::start(program));
    assert!(home.path("line/shards").exists() && !home.path("variable").exists());
}
