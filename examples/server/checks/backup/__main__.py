"""Makes backups while clients write, and restores them: each is of one moment, and has all that was acknowledged before. Ends the
server at every call of a backup that changes files, and the restoring at every one of its own: nothing is lost, and what is not
complete is never taken for a backup or for data. Measures a backup of 100,000 users."""

import argparse
import os
import random
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from crash import disk
from crash.moves import populate, shown
from harness.fill import SET, fill
from harness.names import DEVELOPER_TOKEN, numbered
from harness.require import require
from harness.server import PACKAGE, NotReady, Server

from . import chains, sqlite
from .commands import backup, restore, run, try_backup, try_restore

# A kill leaves what is in the system's buffers, so the data needs no disk, but for the times.
MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None
CHAINS = 4
FILLED = 20_000
MANIFEST = "backup.json"


def temporary():
    return tempfile.TemporaryDirectory(prefix="presence-", dir=MEMORY)


def expect_refusal(data, because):
    """Checks that no server starts on a data directory, and says why."""
    try:
        Server(data=data).close()
    except NotReady as error:
        require(error.status == 2 and because in str(error), error)
    else:
        require(False, f"a server has started on {data}")


def check_copies(seed, rounds):
    """Backs up a server while chains are written, also one that is killed meanwhile."""
    choice, links, killed = random.Random(f"{seed} backup"), 0, 0
    with temporary() as directory:
        filled, data = Path(directory) / "filled", Path(directory) / "data"
        # So many that there is time to kill a server while they are copied.
        with Server(data=filled) as server:
            fill(server, [(numbered("backup", number), "setPresence", SET) for number in range(FILLED)])
            server.stop()
        for number in range(rounds):
            shutil.copytree(filled, data)
            with Server(data=data) as server:
                written = chains.begin(server, CHAINS)
                while not all(chain.acknowledged > chains.USERS for chain in written):
                    time.sleep(0.01)
                least = [chain.acknowledged for chain in written]
                if number % 2:
                    killed += kill_meanwhile(server, choice)
                    path = None
                else:
                    path = backup(server)
                for chain in written:
                    chain.stop()
            if path:
                links += check_restored(path, Path(directory) / f"restored {number}", written, least)
            with Server(data=data) as server, server.client() as client:
                for chain in written:
                    chain.check(client, chain.acknowledged)
                require(not list((data / "backups").glob("*.partial")), "an interrupted backup is still there")
            shutil.rmtree(data)
    print(f"backup: {rounds - rounds // 2} backups under load were of one moment, up to {links} links; {killed} were interrupted", flush=True)


def kill_meanwhile(server, choice):
    """Kills a server while it makes a backup. Reports whether the backup was interrupted."""
    backups = Path(server.data) / "backups"
    with ThreadPoolExecutor(1) as pool:
        making = pool.submit(try_backup, server)
        while not making.done() and not list(backups.glob("*.partial")):
            time.sleep(0.0005)
        time.sleep(choice.uniform(0, 0.004))
        server.kill()
        making.result()
    return bool(list(backups.glob("*.partial")))


def check_restored(path, data, written, least):
    """Restores a backup, and checks the chains in it. Returns the number of links that were acknowledged when it was asked for."""
    restore(path, data)
    with Server(data=data) as server, server.client() as client:
        last = [chain.check(client, least) for chain, least in zip(written, least)]
    texts = [text for chain, link in zip(written, last) for text in chain.newest(link).values()]
    sqlite.check(path, texts)
    status, messages = try_restore(path, data)
    require(status != 0 and "not overwritten" in messages, messages)
    return sum(least)


def small_server(directory):
    """Fills a data directory with users of every kind. Returns it, and what a server shows of it."""
    data = Path(directory) / "small"
    with Server(data=data) as server:
        populate(server)
        expected = shown(server)
        server.stop()
    return data, expected


def end_backups(directory, data, expected):
    """Kills a server at each call of a backup that changes files."""
    complete = partial = number = 0
    path = None
    while path is None:
        number += 1
        copy = Path(directory) / "killed"
        shutil.copytree(data, copy)
        backups = copy / "backups"
        try:
            with Server(data=copy, environment=disk.failing("change", number, "kill")) as server:
                path, _ = try_backup(server)
        except NotReady:
            # Killed in its start, before it can be asked.
            shutil.rmtree(copy)
            continue
        for found in backups.iterdir() if backups.is_dir() else ():
            if found.name.endswith(".partial"):
                partial += 1
                if not (found / MANIFEST).exists():
                    status, messages = try_restore(found, Path(directory) / "refused")
                    require(status != 0 and MANIFEST in messages, messages)
            elif found.is_dir():
                complete += 1
                check_small(found, Path(directory) / "restored", expected if complete == 1 else None)
        with Server(data=copy) as server:
            require(shown(server) == expected, f"after a kill at call {number} the data is different")
        require(not list(backups.glob("*.partial")), f"after a kill at call {number} a part is left")
        if path is None:
            shutil.rmtree(copy)
    require(partial > 10 and complete > 0, f"{partial} and {complete} are hardly any ends")
    print(f"backup: {partial} kills left a part of a backup, which was refused and removed, {complete} a complete one", flush=True)
    return path


def check_small(path, data, expected):
    """Restores a backup; where something is expected, a server must show that."""
    restore(path, data)
    if expected:
        with Server(data=data) as server:
            require(shown(server) == expected, f"{path} is restored as something else")
    shutil.rmtree(data)


def end_restores(directory, path, expected):
    """Kills the restoring at each of its calls that changes files, and makes some fail."""
    number, refused, status = 0, 0, None
    data = Path(directory) / "restored"
    while status != 0:
        number += 1
        status, messages = try_restore(path, data, disk.failing("change", number, "kill"))
        if status != 0 and (data / "restoring").exists():
            refused += 1
            expect_refusal(data, "restore it again")
        # What was killed before its first change, or after its last, is nothing or complete.
        if not (data / "shards").exists() or (data / "restoring").exists():
            restore(path, data)
        if number % 8 == 0 or status == 0:
            with Server(data=data) as server:
                require(shown(server) == expected, f"after a kill at call {number} something else is restored")
        shutil.rmtree(data)
        if number % 4 == 0:
            failed, messages = try_restore(path, data, disk.failing("change", number, "once"))
            require(failed in (0, 2), messages)
            if failed and (data / "restoring").exists():
                expect_refusal(data, "restore it again")
            elif failed and (data / "shards").exists():
                # Only that it is durable is not known.
                with Server(data=data) as server:
                    require(shown(server) == expected, f"after {messages} something else is restored")
            elif failed:
                require(not list(data.glob("*.sqlite")), f"something is left after {messages}")
            shutil.rmtree(data, ignore_errors=True)
    require(refused > 10, f"{refused} are hardly any ends")
    print(f"backup: {refused} kills of a restore left what no server starts on; restoring again had everything", flush=True)


def run_readme():
    """Runs the commands in the README as they stand there, but for the address and the name of the backup."""
    section = (PACKAGE / "README.md").read_text().split("\n## Back up and restore\n", 1)[1]
    lines = section.split("```console\n", 1)[1].split("```", 1)[0].splitlines()
    make, back, serve = (line.removeprefix("presence-server ").split() for line in lines)
    require((make[0], back[0], serve[0]) == ("backup", "restore", "--data"), lines)
    with temporary() as directory:
        data, user = Path(directory) / "presence-data", numbered("backup", 0)
        (Path(directory) / "token").write_text(DEVELOPER_TOKEN + "\n")
        with Server(data=data) as server, server.client() as client:
            require(client.act(user, "setPresence", SET).status == 200)
            expected = client.presence(user)
            status, path, messages = run(*make, "--server", f"{server.host}:{server.port}", directory=directory)
            require(status == 0 and Path(path).parent == data / Path(back[1]).relative_to("presence-data").parent, messages)
        status, _, messages = run(back[0], path, *back[2:], directory=directory)
        require(status == 0, messages)
        with Server(data=Path(directory) / serve[1]) as server, server.client() as client:
            require(client.presence(user) == expected, f"{user} is {client.presence(user)}")
    print("backup: the README's commands do what it says", flush=True)


def measure(users):
    """Measures a backup of many users, and what writes wait for meanwhile."""
    with Server("--users", str(users + CHAINS * chains.USERS)) as server:
        fill(server, [(numbered("backup", number), "setPresence", SET) for number in range(users)])
        with temporary() as directory:
            written = chains.begin(server, CHAINS)
            time.sleep(2)
            began = time.monotonic()
            path = backup(server)
            ended = time.monotonic()
            time.sleep(0.1)
            for chain in written:
                chain.stop()
            size = sum(file.stat().st_size for file in path.iterdir())
            restore_began = time.monotonic()
            restore(path, Path(directory) / "restored")
            restored = time.monotonic() - restore_began
        times = [time for chain in written for time in chain.times]
        during = [took for sent, took in times if began <= sent + took and sent <= ended]
        without = [took for sent, took in times if sent + took < began]
        served = [sent for sent, took in times if began <= sent and sent + took <= ended]
    require(served, "no write was acknowledged while the backup was made")
    print(
        f"backup: {users} users, {size / 1e6:.0f} MB, in {ended - began:.2f} s, restored in {restored:.2f} s; the longest pause "
        f"that a write saw was {max(during) * 1000:.0f} ms, without a backup {max(without) * 1000:.0f} ms; "
        f"{len(served)} writes were served meanwhile",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--users", type=int, default=100_000)
    options = parser.parse_args()
    began = time.monotonic()
    print(f"backup: seed {options.seed}", flush=True)
    run_readme()
    check_copies(options.seed, options.rounds)
    with temporary() as directory:
        data, expected = small_server(directory)
        path = end_backups(directory, data, expected)
        end_restores(directory, path, expected)
    measure(options.users)
    print(f"backup: all were as they should be, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
