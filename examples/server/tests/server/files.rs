//! Tests of who owns the data directory and its files, and of what their names may lead to.

use crate::support::{ADELE, Server, TEAMS, program};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// Few users, so that there is one journal whatever the number of cores.
const OPTIONS: [&str; 3] = ["--virtual-clock", "--users", "1000"];
/// Somebody else's number.
const NOBODY: u32 = 65_534;

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Returns the names and modes of all files of a directory.
fn modes(directory: &Path) -> Vec<(String, u32)> {
    let entries = fs::read_dir(directory).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name().into_string().unwrap(), mode(&entry.path()))).collect()
}

/// Requires that the directory and all its files are for their owner alone, and that there are these.
fn assert_private(directory: &Path, names: &[&str]) {
    assert_eq!(mode(directory), 0o700);
    let found = modes(directory);
    assert!(found.iter().all(|(_, mode)| *mode == 0o600), "{found:?}");
    for name in names {
        assert!(found.iter().any(|(file, _)| file == name), "{name} is missing: {found:?}");
    }
}

/// Starts the program on data, which it must refuse, and returns its messages.
fn refusal(data: &Path) -> String {
    refusal_of(&mut program(), data)
}

fn refusal_of(command: &mut Command, data: &Path) -> String {
    let output = command
        .args(["--listen", "127.0.0.1:0", "--users", "1000", "--dev-token", "dev", "--data"])
        .arg(data)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// Starts a server, stores something, and ends it. Returns its messages.
fn run(mut command: Command, data: &Path) -> String {
    let log = TempDir::new().unwrap();
    let log = log.path().join("log");
    command.stderr(fs::File::create(&log).unwrap());
    let mut server = Server::start_command(command, data, &OPTIONS);
    assert_eq!(server.set(ADELE, TEAMS, "InACall", "PT1H").status, 200);
    server.terminate();
    assert!(server.wait().success());
    fs::read_to_string(log).unwrap()
}

/// Returns the program with this umask.
fn with_umask(umask: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\"")]).arg(program().get_program());
    shell.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::piped());
    shell
}

/// The names of the files that the server, or SQLite for it, opens.
const FILES: [&str; 10] = [
    "lock",
    "shards",
    "shards.new",
    "journal-1-0.sqlite",
    "journal-1-0.sqlite-wal",
    "journal-1-0.sqlite-shm",
    "journal-1-0.sqlite-journal",
    "journal-1-0.probe",
    "journal-2-1.sqlite",
    "journal-keyed-2-1.sqlite",
];

#[test]
fn new_data_is_for_its_owner_alone_whatever_the_umask() {
    for umask in ["000", "022", "077"] {
        let own = TempDir::new().unwrap();
        let data = own.path().join("above").join("data");
        let server = Server::start_command(with_umask(umask), &data, &OPTIONS);
        server.set(ADELE, TEAMS, "InACall", "PT1H");
        // While it runs, with SQLite's log beside the journal.
        assert_private(&data, &["lock", "shards", "journal-1-0.sqlite", "journal-1-0.sqlite-wal"]);
        assert_eq!(mode(&own.path().join("above")), 0o700, "and so is what it creates above");
    }
}

#[test]
fn data_of_an_earlier_server_is_closed_to_others_and_keeps_its_content() {
    let own = TempDir::new().unwrap();
    let data = own.path().join("data");
    let mut server = Server::start_on(&data, &OPTIONS);
    server.set(ADELE, TEAMS, "InACall", "PT1H");
    // A kill leaves a log, and the server before this one its probe and a half-written number of shards.
    server.kill();
    fs::write(data.join("journal-1-0.probe"), "room").unwrap();
    fs::write(data.join("shards.new"), "1").unwrap();
    fs::write(data.join("notes.txt"), "the operator's").unwrap();
    for (name, _) in modes(&data) {
        set_mode(&data.join(name), 0o644);
    }
    set_mode(&data, 0o755);
    let log = run(program(), &data);
    let told = |name: &str, from: &str| {
        let line = log.lines().find(|line| line.contains(&format!("{name}: mode {from} changed to ")));
        assert!(line.is_some(), "{name} {from}: {log}");
    };
    told("/data", "755");
    for name in ["lock", "shards", "journal-1-0.sqlite", "journal-1-0.sqlite-wal", "journal-1-0.probe", "shards.new"] {
        told(name, "644");
    }
    let others: Vec<_> = modes(&data).into_iter().filter(|(_, mode)| *mode != 0o600).collect();
    assert_eq!(others, [("notes.txt".to_owned(), 0o644)], "what is not the server's stays");
    assert_eq!(mode(&data), 0o700);
    // Told once, and the user is there.
    let server = Server::start_on(&data, &OPTIONS);
    assert_eq!(server.activity(ADELE).0, "InACall");
}

#[test]
fn no_link_is_followed_and_nothing_behind_it_is_changed() {
    for name in FILES {
        for is_new in [true, false] {
            let own = TempDir::new().unwrap();
            let data = own.path().join("data");
            let target = own.path().join("target");
            fs::write(&target, "something of the owner's").unwrap();
            set_mode(&target, 0o644);
            if is_new {
                fs::create_dir(&data).unwrap();
            } else {
                run(program(), &data);
                let _ = fs::remove_file(data.join(name));
            }
            let before = modes(&data).len();
            symlink(&target, data.join(name)).unwrap();
            let message = refusal(&data);
            assert!(message.contains(&format!("{name}: a symbolic link")), "{message}");
            assert!(modes(&data).len() <= before + 2, "only the lock is created before");
            // One that leads nowhere creates nothing there.
            fs::remove_file(data.join(name)).unwrap();
            symlink(own.path().join("nowhere"), data.join(name)).unwrap();
            assert!(refusal(&data).contains(&format!("{name}: a symbolic link")));
            assert!(!own.path().join("nowhere").exists());
            // A second name of a file is one more way to lead to it.
            fs::remove_file(data.join(name)).unwrap();
            fs::hard_link(&target, data.join(name)).unwrap();
            let message = refusal(&data);
            assert!(message.contains(&format!("{name}: a file with a second name")), "{message}");
            assert_eq!(fs::read(&target).unwrap(), b"something of the owner's", "{name}");
            assert_eq!(mode(&target), 0o644, "{name}");
        }
    }
}

#[test]
fn what_is_no_file_is_refused_and_keeps_nobody_waiting() {
    for name in FILES {
        let own = TempDir::new().unwrap();
        let data = own.path().join("data");
        fs::create_dir(&data).unwrap();
        assert!(Command::new("mkfifo").arg(data.join(name)).status().unwrap().success());
        let message = refusal(&data);
        assert!(message.contains(&format!("{name}: not a regular file")), "{message}");
        fs::remove_file(data.join(name)).unwrap();
        fs::create_dir(data.join(name)).unwrap();
        let message = refusal(&data);
        assert!(message.contains(&format!("{name}: not a regular file")), "{message}");
    }
}

#[test]
fn the_lock_keeps_what_was_in_it() {
    let own = TempDir::new().unwrap();
    let data = own.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("lock"), "a note").unwrap();
    run(program(), &data);
    assert_eq!(fs::read(data.join("lock")).unwrap(), b"a note");
}

#[test]
fn a_directory_that_others_may_write_is_refused() {
    let own = TempDir::new().unwrap();
    let above = own.path().join("above");
    let data = above.join("data");
    fs::create_dir(&above).unwrap();
    fs::create_dir(&data).unwrap();
    // The sticky bit keeps others from renaming the directory, not from creating files in it.
    for bits in [0o777, 0o702, 0o1777] {
        set_mode(&data, bits);
        let message = refusal(&data);
        let expected = format!("other users may write {}, which has mode {bits:04o}", data.display());
        assert!(message.contains(&expected), "{message}");
        assert_eq!(mode(&data), bits, "nothing was changed");
        assert!(modes(&data).is_empty());
    }
    set_mode(&data, 0o700);
    // Whoever may write the directory above can put another in its place, unless the sticky bit is set.
    set_mode(&above, 0o777);
    let message = refusal(&data);
    assert!(message.contains(&format!("other users may write {}, which", above.display())), "{message}");
    set_mode(&above, 0o1777);
    run(program(), &data);
    assert_private(&data, &["lock"]);
}

#[test]
fn links_on_the_way_to_the_directory_are_followed_if_only_the_owner_can_change_them() {
    let own = TempDir::new().unwrap();
    let disk = own.path().join("disk");
    fs::create_dir(&disk).unwrap();
    // In a path, relative, to a link, and to a directory that is not there yet.
    symlink("disk", own.path().join("first")).unwrap();
    symlink("x/../../first/./data", disk.join("second")).unwrap();
    fs::create_dir(disk.join("x")).unwrap();
    run(program(), &own.path().join("first/second"));
    assert_private(&disk.join("data"), &["lock", "shards", "journal-1-0.sqlite"]);
    // The directory of a link counts too.
    let open = own.path().join("open");
    fs::create_dir(&open).unwrap();
    symlink(disk.join("data"), open.join("data")).unwrap();
    set_mode(&open, 0o777);
    let message = refusal(&open.join("data"));
    assert!(message.contains(&format!("other users may write {}, which", open.display())), "{message}");
    if is_root() {
        // Anybody can leave a link in a directory with the sticky bit.
        set_mode(&open, 0o1777);
        run(program(), &open.join("data"));
        std::os::unix::fs::lchown(open.join("data"), Some(NOBODY), None).unwrap();
        let message = refusal(&open.join("data"));
        assert!(message.contains(&format!("{} is owned by user 65534", open.join("data").display())), "{message}");
    }
    let (a, b) = (own.path().join("a"), own.path().join("b"));
    symlink(&a, &b).unwrap();
    symlink(&b, &a).unwrap();
    assert!(refusal(&a).contains("too many symbolic links"));
}

#[test]
fn a_directory_of_the_users_own_group_is_closed() {
    let own = TempDir::new().unwrap();
    let data = own.path().join("data");
    run(with_umask("002"), &data);
    // As an earlier server made it where every user has a group.
    let user = fs::metadata(&data).unwrap().uid();
    if fs::metadata(&data).unwrap().gid() == user {
        set_mode(&data, 0o775);
        run(program(), &data);
        assert_eq!(mode(&data), 0o700);
    }
}

/// Only root can give directories away; for another user, everything that root has not given it is somebody else's.
fn is_root() -> bool {
    let own = TempDir::new().unwrap();
    fs::metadata(own.path()).unwrap().uid() == 0
}

#[test]
fn what_another_user_owns_is_refused_by_root_too() {
    if !is_root() {
        // The root directory is root's, and nobody else can create a file in it.
        let message = refusal(Path::new("/"));
        assert!(message.contains("/ is owned by user 0"), "{message}");
        return;
    }
    let own = TempDir::new().unwrap();
    set_mode(own.path(), 0o711);
    let data = own.path().join("data");
    run(program(), &data);
    chown(&data, Some(NOBODY), None).unwrap();
    let message = refusal(&data);
    assert!(message.contains(&format!("{} is owned by user 65534", data.display())), "{message}");
    chown(&data, Some(0), None).unwrap();
    for name in ["lock", "shards", "journal-1-0.sqlite"] {
        chown(data.join(name), Some(NOBODY), None).unwrap();
        let message = refusal(&data);
        assert!(
            message.contains(&format!("{name} is owned by user 65534, and the server runs as user 0")),
            "{message}"
        );
        chown(data.join(name), Some(0), None).unwrap();
    }
    // A group is others, unless it is the user's own.
    chown(&data, None, Some(NOBODY)).unwrap();
    set_mode(&data, 0o770);
    assert!(refusal(&data).contains("which has mode 0770"));
    set_mode(&data, 0o750);
    run(program(), &data);
    assert_eq!(mode(&data), 0o700);
    // A directory above that is somebody else's.
    chown(own.path(), Some(NOBODY), None).unwrap();
    let message = refusal(&data);
    assert!(message.contains(&format!("{} is owned by user 65534", own.path().display())), "{message}");
}

#[test]
fn names_mean_files_and_nothing_else() {
    let own = TempDir::new().unwrap();
    for name in
        ["file:x?mode=memory", "file:x", ":memory:", "x?mode=ro", "x%2fy%00", "x#y", "-x", "x'y\"z", "ä \u{2028}"]
    {
        // Relative to the directory that it is started in, and absolute.
        let mut relative = program();
        relative.current_dir(own.path());
        // An option's value may begin with a dash only behind an equals sign.
        let beginning = if name.starts_with('-') { "./" } else { "" };
        run(relative, Path::new(&format!("{beginning}{name}")));
        let data = own.path().join(name);
        assert_private(&data, &["lock", "shards", "journal-1-0.sqlite"]);
        let server = Server::start_on(&data, &OPTIONS);
        assert_eq!(server.activity(ADELE).0, "InACall", "{name}");
    }
    assert_eq!(fs::read_dir(own.path()).unwrap().count(), 9, "and nothing is written beside them");
}

#[test]
fn a_socket_is_for_its_owner_and_at_most_for_the_group() {
    for (umask, expected) in [("000", 0o660), ("007", 0o660), ("022", 0o640), ("077", 0o600)] {
        let own = TempDir::new().unwrap();
        let path = own.path().join("presence.sock");
        let mut command = with_umask(umask);
        command.arg("--listen").arg(format!("unix:{}", path.display())).args(["--dev-token", "dev", "--data"]);
        let mut child = command.arg(own.path().join("data")).spawn().unwrap();
        let mut line = String::new();
        let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut out, &mut line).unwrap();
        let found = mode(&path);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(line.starts_with("listening on"), "{line}");
        assert_eq!(found, expected, "umask {umask}");
    }
}
