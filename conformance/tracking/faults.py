#!/usr/bin/env python3
"""A server that fails, goes away, and runs that are killed: nothing is lost, nothing is doubled.

    faults.py --binary strata [CASE …]

Each case drives `strata track --sink wandb` or `strata sync` against the stand-in server, with the clock of retries
shortened by wandb's own settings, and asks the server in the end what it has.  Standard library only.
"""
import argparse
import glob
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import wandb_reduce  # noqa: E402

KEY = "0123456789abcdef0123456789abcdef01234567"
QUICK = {"WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL": "0.05", "WANDB_ERROR_REPORTING": "false"}
for kind in ("GRAPHQL", "FILE_STREAM", "FILE_TRANSFER"):
    QUICK.update({f"WANDB_X_{kind}_RETRY_WAIT_MIN_SECONDS": "0.02", f"WANDB_X_{kind}_RETRY_WAIT_MAX_SECONDS": "0.2"})
ROWS = 400


class Server:
    def __init__(self, folder, *options, port=0):
        self.record = os.path.join(folder, "record.jsonl")
        self.process = subprocess.Popen([sys.executable, os.path.join(HERE, "fake_wandb_server.py"), "--port", str(port), "--record", self.record, *options],
                                        stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().split()[-1]

    def stop(self):
        self.process.kill()
        self.process.wait()


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def environment(folder, address, **more):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("WANDB_")}
    return {**clean, "HOME": folder, "WANDB_BASE_URL": f"http://{address}", "WANDB_API_KEY": KEY, **QUICK, **more}


def write(stream, line):
    stream.write(json.dumps(line) + "\n")
    stream.flush()


def begin(stream, run, folder):
    picture = os.path.join(folder, "dot.png")
    with open(picture, "wb") as out:
        out.write(bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c6360000000020001e221bc330000000049454e44ae426082"))
    write(stream, {"init": {"id": run, "project": "p", "entity": "e", "config": {"lr": 0.5}}})
    write(stream, {"log": {"dot": {"_type": "image", "file": picture}}, "step": 0})


def rows(stream, first, last):
    for step in range(first, last):
        write(stream, {"log": {"loss": 1 / (step + 1)}, "step": step})
        if step % 50 == 0:
            write(stream, {"print": f"step {step}\n"})


def track(binary, folder, env):
    return subprocess.Popen([binary, "track", "--sink", "wandb", "--dir", folder, "--no-system-stats"], stdin=subprocess.PIPE, text=True, env=env)


def sync(binary, folder, env, code=0):
    ended = subprocess.run([binary, "sync", os.path.join(folder, "wandb")], env=env, capture_output=True, text=True, check=False)
    assert ended.returncode == code, (ended.returncode, ended.stdout, ended.stderr)
    return ended


def wait_for_rows(server, run, count):
    """Until the server has so many rows; it is asked, not slept for."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        found = state(server.record).runs.get(("e", "p", run))
        if found and len(found["history"]) >= count:
            return
        time.sleep(0.02)
    raise AssertionError(f"the server does not have {count} rows of {run} after a minute")


def state(record):
    return wandb_reduce.load(record)[0] if os.path.exists(record) else wandb_reduce.State()


def check(record, run, count, last_state="finished", exit_code=0, told=None):
    found = state(record).runs[("e", "p", run)]
    steps = [row["_step"] for row in found["history"]]
    assert steps == list(range(count)), f"{len(steps)} rows, not {count}: {steps[:3]} … {steps[-3:]}"
    assert [row["loss"] for row in found["history"][1:]] == [1 / (step + 1) for step in range(1, count)]
    assert not found["problems"], found["problems"][:3]
    assert (found["state"], found["exit_code"]) == (last_state, exit_code), (found["state"], found["exit_code"])
    printed = [json.loads(found["output"][i])["content"] for i in sorted(found["output"])]
    assert printed == [f"step {step}" for step in range(50, told or count, 50)], printed
    assert any(name.startswith("media/images/dot") for name in found["files"]), sorted(found["files"])
    return found


def faulty(*options):
    def case(binary, folder):
        server = Server(folder, *options)
        try:
            process = track(binary, folder, environment(folder, server.address))
            begin(process.stdin, "faulty01", folder)
            rows(process.stdin, 1, ROWS)
            process.stdin.close()
            assert process.wait() == 0
        finally:
            server.stop()
        check(server.record, "faulty01", ROWS)
        assert glob.glob(os.path.join(folder, "wandb", "run-*", "*.synced"))
    return case


def away_for_a_while(binary, folder):
    port = free_port()
    server = Server(folder, port=port)
    process = track(binary, folder, environment(folder, server.address))
    begin(process.stdin, "away0001", folder)
    rows(process.stdin, 1, 100)
    wait_for_rows(server, "away0001", 50)
    server.stop()
    rows(process.stdin, 100, 300)
    server = Server(folder, port=port)
    rows(process.stdin, 300, ROWS)
    process.stdin.close()
    assert process.wait() == 0
    server.stop()
    check(server.record, "away0001", ROWS)


def never_there(binary, folder):
    """The run ends well, soon, and keeps everything for later."""
    port = free_port()
    env = environment(folder, f"127.0.0.1:{port}", WANDB_FINISH_TIMEOUT="0.5")
    process = track(binary, folder, env)
    begin(process.stdin, "never001", folder)
    rows(process.stdin, 1, ROWS)
    process.stdin.close()
    assert process.wait() == 0
    server = Server(folder, port=port)
    sync(binary, folder, env)
    assert "nothing to send" in sync(binary, folder, env).stdout
    server.stop()
    check(server.record, "never001", ROWS)


def server_gone_in_the_middle(binary, folder):
    port = free_port()
    server = Server(folder, port=port)
    env = environment(folder, server.address, WANDB_FINISH_TIMEOUT="0.5")
    process = track(binary, folder, env)
    begin(process.stdin, "gone0001", folder)
    rows(process.stdin, 1, 200)
    wait_for_rows(server, "gone0001", 100)
    server.stop()
    rows(process.stdin, 200, ROWS)
    process.stdin.close()
    assert process.wait() == 0
    server = Server(folder, port=port)
    sync(binary, folder, env)
    server.stop()
    found = check(server.record, "gone0001", ROWS)
    assert found["stream_rewrites"] == 0, "rows that the server had were sent again"


def killed(binary, folder):
    """Killed with -9 in the middle, half of it sent: the rest comes with `strata sync`, and the run has failed."""
    server = Server(folder)
    env = environment(folder, server.address)
    process = track(binary, folder, env)
    begin(process.stdin, "killed01", folder)
    rows(process.stdin, 1, ROWS + 1)
    wait_for_rows(server, "killed01", 100)
    until_written(folder, ROWS)
    process.send_signal(signal.SIGKILL)
    process.wait()
    sync(binary, folder, env)
    assert "nothing to send" in sync(binary, folder, env).stdout
    server.stop()
    # The last row is open until the next one comes.
    check(server.record, "killed01", ROWS, "failed", 1, told=ROWS + 1)


def until_written(folder, count):
    """Until the log holds so many rows."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        log, = glob.glob(os.path.join(folder, "wandb", "run-*", "*.wandb"))
        with open(log, "rb") as found:
            if b"loss" in found.read() and json.dumps(count - 1).encode() in open(log, "rb").read()[-400:]:
                return
        time.sleep(0.02)
    raise AssertionError("the log does not get its rows")


def torn(binary, folder):
    """A record that was cut off is lost, those before are sent, and the exit code stays 0: nothing else is there."""
    server = Server(folder)
    env = environment(folder, server.address)
    process = track(binary, folder, {**env, "WANDB_MODE": "offline"})
    begin(process.stdin, "torn0001", folder)
    rows(process.stdin, 1, ROWS + 1)
    process.stdin.close()
    process.wait()
    log, = glob.glob(os.path.join(folder, "wandb", "offline-run-*", "*.wandb"))
    whole = open(log, "rb").read()
    end = whole.rindex(json.dumps(1 / (ROWS + 1)).encode())
    with open(log, "wb") as out:
        out.write(whole[:end])
    assert "ends within a record" in sync(binary, folder, env).stderr
    server.stop()
    check(server.record, "torn0001", ROWS, "failed", 1, told=ROWS + 1)


def damaged(binary, folder):
    """What comes before the damage is sent, and the exit code says that it is not all."""
    server = Server(folder)
    env = environment(folder, server.address)
    process = track(binary, folder, {**env, "WANDB_MODE": "offline"})
    begin(process.stdin, "damage01", folder)
    rows(process.stdin, 1, ROWS)
    process.stdin.close()
    process.wait()
    log, = glob.glob(os.path.join(folder, "wandb", "offline-run-*", "*.wandb"))
    content = bytearray(open(log, "rb").read())
    content[len(content) // 2] ^= 1
    with open(log, "wb") as out:
        out.write(content)
    assert "checksum" in sync(binary, folder, env, code=1).stderr
    server.stop()
    found = state(server.record).runs[("e", "p", "damage01")]
    steps = [row["_step"] for row in found["history"]]
    assert steps == list(range(len(steps))) and 50 < len(steps) < ROWS, len(steps)


def wrong_key(binary, folder):
    """The run ends well, the key is nowhere to be read, and the data wait."""
    server = Server(folder, "--api-key", "f" * 40)
    env = environment(folder, server.address)
    process = subprocess.Popen([binary, "track", "--sink", "wandb", "--dir", folder], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    begin(process.stdin, "wrong001", folder)
    rows(process.stdin, 1, 10)
    _, said = process.communicate()
    assert process.returncode == 0 and "strata sync" in said, said
    kept = [said]
    for path in glob.glob(os.path.join(folder, "wandb", "**", "*"), recursive=True):
        if os.path.isfile(path):
            kept.append(open(path, "rb").read().decode("latin-1"))
    assert not any(KEY in text for text in kept)
    server.stop()


def two_parts(binary, folder):
    """A run that goes on offline under its id: the second part's rows come behind those of the first."""
    server = Server(folder)
    env = environment(folder, server.address, WANDB_MODE="offline")
    for part in range(2):
        process = track(binary, folder, env)
        write(process.stdin, {"init": {"id": "parts001", "project": "p", "entity": "e", "resume": "allow"}})
        for _ in range(20):
            write(process.stdin, {"log": {"part": part}})
        process.stdin.close()
        assert process.wait() == 0
        if part == 0:
            # Folders are named by the second in which they were made.
            first, = glob.glob(os.path.join(folder, "wandb", "offline-run-*"))
            os.rename(first, first.replace("offline-run-2", "offline-run-1"))
    sync(binary, folder, env)
    server.stop()
    found = state(server.record).runs[("e", "p", "parts001")]
    assert [row["_step"] for row in found["history"]] == list(range(40))
    assert [row["part"] for row in found["history"]] == [0] * 20 + [1] * 20
    assert not found["problems"], found["problems"]


def login(binary, folder):
    """The key is checked, kept where only its owner reads it, and used from there."""
    server = Server(folder, "--api-key", KEY)
    env = environment(folder, server.address)
    del env["WANDB_API_KEY"]
    command = [binary, "wandb", "login"]
    refused = subprocess.run(command, input="f" * 40, env=env, capture_output=True, text=True, check=False)
    assert refused.returncode == 1 and "f" * 40 not in refused.stderr, refused.stderr
    netrc = os.path.join(folder, ".netrc")
    assert not os.path.exists(netrc)
    malformed = subprocess.run(command, input="too short", env=env, capture_output=True, text=True, check=False)
    assert malformed.returncode == 2 and "too short" not in malformed.stderr, malformed.stderr
    done = subprocess.run(command, input=KEY, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "stub-user" in done.stdout and KEY not in done.stdout + done.stderr, done
    assert os.stat(netrc).st_mode & 0o777 == 0o600
    process = track(binary, folder, env)
    begin(process.stdin, "login001", folder)
    rows(process.stdin, 1, ROWS)
    process.stdin.close()
    assert process.wait() == 0
    server.stop()
    check(server.record, "login001", ROWS)


CASES = {
    "429": faulty("--fail-mode", "429", "--fail-rate", "0.3", "--retry-after", "0.05"),
    "500": faulty("--fail-mode", "500", "--fail-rate", "0.3"),
    "503": faulty("--fail-mode", "503", "--fail-first", "4"),
    "one connection in five dropped": faulty("--fail-mode", "drop", "--fail-rate", "0.2"),
    "dropped after the work was done": faulty("--fail-mode", "drop-late", "--fail-rate", "0.3"),
    "all of it": faulty("--fail-mode", "mix", "--fail-rate", "0.4", "--seed", "7"),
    "away for a while": away_for_a_while,
    "never there": never_there,
    "gone in the middle": server_gone_in_the_middle,
    "killed": killed,
    "torn": torn,
    "damaged": damaged,
    "wrong key": wrong_key,
    "two parts": two_parts,
    "login": login,
}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--binary", required=True, type=os.path.abspath)
    ap.add_argument("cases", nargs="*", metavar="CASE")
    a = ap.parse_args()
    failed = 0
    for name in a.cases or CASES:
        with tempfile.TemporaryDirectory() as folder:
            try:
                CASES[name](a.binary, folder)
                print(f"ok    {name}")
            except AssertionError as problem:
                failed += 1
                print(f"FAIL  {name}: {problem}")
    print(f"{len(a.cases or CASES) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
