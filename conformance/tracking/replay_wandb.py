#!/usr/bin/env python3
"""Replay the golden W&B cases through `strata track` and compare what the real readers and the server then hold.

    replay_wandb.py --binary strata [--by offline|wandb-sync|strata-sync|online|wandb-run] [CASE …]

offline: the run folder, read by read_wandb.py.  wandb-sync: the server after the real `wandb sync` of that folder.
strata-sync: after ours.  online: after a run of ours that was sent while it went on.  wandb-run: after our sync of a
run that the real wandb has written.  Without --by: all of them.
Run it with a Python that has wandb, numpy and pillow.  The inputs are those of golden/README.md.
"""
import argparse
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

from replay_inputs import CONFIG, VALUES, rgb, two_pictures

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "golden"))
import make_golden  # noqa: E402

KEY = "0123456789abcdef0123456789abcdef01234567"
OF_ALL = {"project": "emnist", "entity": "strata-team"}


def picture(path, caption):
    return {"_type": "image", "file": path, "caption": caption}


def basic(folder):
    yield {"init": {**OF_ALL, "id": "goldenb1", "name": "basic run", "group": "exp-a", "job_type": "train",
                    "tags": ["baseline", "mlp"], "notes": "a small scripted run", "config": CONFIG}}
    yield {"print": "training starts\n"}
    for e in range(5):
        yield {"log": {"epoch": e, "train/loss": 2 / (e + 1), "train/acc": 1 - 1 / (e + 2),
                       "validation/loss": 2.2 / (e + 1), "validation/acc": 0.9 - 0.4 / (e + 1)}}
        yield {"print": f"epoch {e} done\n"}
    yield {"log": {"examples/grid": picture(two_pictures(folder)[0], "eight digits"),
                   "weights/layer0": {"_type": "histogram", "values": VALUES, "bins": 64}}}
    yield {"log": {"test/loss": 0.25, "test/acc": 0.875}}
    yield {"summary": {"best/epoch": 4}}
    yield {"finish": {"exit_code": 0}}


def define_metric(_):
    yield {"init": {**OF_ALL, "id": "goldend1", "config": {"lr": 0.1}}}
    yield {"define_metric": {"name": "epoch", "hidden": True}}
    yield {"define_metric": {"name": "validation/*", "step_metric": "epoch"}}
    yield {"define_metric": {"name": "validation/loss", "step_metric": "epoch", "summary": ["min", "last"]}}
    yield {"define_metric": {"name": "validation/acc", "step_metric": "epoch", "summary": ["max", "mean", "first"]}}
    yield {"define_metric": {"name": "train/loss", "summary": ["none"]}}
    for e in range(4):
        for b in range(3):
            yield {"log": {"train/loss": 1 / (1 + 3 * e + b)}}
        yield {"log": {"epoch": e, "validation/loss": [0.9, 0.5, 0.4, 0.6][e], "validation/acc": [0.1, 0.8, 0.7, 0.6][e]}}
    yield {"config": {"added_later": {"by": "config.update"}}}
    yield {"finish": {"exit_code": 0}}


def media(folder):
    one = os.path.join(folder, "rgb.png")
    rgb(one, range(16))
    straight, transposed = two_pictures(folder)
    yield {"init": {**OF_ALL, "id": "goldenm1"}}
    yield {"log": {"one": picture(one, "rgb")}, "step": 3}
    yield {"log": {"many": {"_type": "images", "items": [picture(straight, "a"), picture(transposed, "b")]}}, "step": 7}
    yield {"log": {"table": {"_type": "table", "columns": ["letter", "p", "right"],
                             "data": [["a", 0.5, True], ["b", 0.25, False], ["c", None, True]]},
                   "hist": {"_type": "histogram", "counts": [1, 2, 3], "edges": [0, 0.5, 1, 1.5]}}, "step": 8}
    yield {"finish": {"exit_code": 0}}


CASES = {"basic": basic, "define_metric": define_metric, "media": media}
WAYS = {"offline": "wandb", "wandb-sync": "sync", "strata-sync": "sync", "online": "online", "wandb-run": "sync"}


class Server:
    """The stand-in server, for the environment of a client."""

    def __init__(self, record):
        self.process = subprocess.Popen([sys.executable, os.path.join(HERE, "fake_wandb_server.py"), "--port", "0", "--record", record],
                                        stdout=subprocess.PIPE, text=True)
        self.environment = {"WANDB_BASE_URL": "http://" + self.process.stdout.readline().split()[-1], "WANDB_API_KEY": KEY}

    def __enter__(self):
        return self.environment

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def track(binary, case, folder, environment):
    text = "".join(json.dumps(line) + "\n" for line in CASES[case](folder))
    subprocess.run([binary, "track", "--sink", "wandb", "--dir", folder, "--no-system-stats"], input=text, text=True, check=True,
                   env=environment)


def facts(binary, case, way, folder):
    """What a reader says of the run; a reader that has something to complain of still prints it."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("WANDB_")}
    clean = {**clean, "HOME": folder, "WANDB_ERROR_REPORTING": "false"}
    record = os.path.join(folder, "record.jsonl")
    state = [sys.executable, os.path.join(HERE, "server_state.py"), record, "--max-rows", "40"]
    if way == "online":
        with Server(record) as server:
            track(binary, case, folder, {**clean, **server})
        return subprocess.run(state + ["--sequence"], stdout=subprocess.PIPE, text=True, check=False).stdout
    if way == "wandb-run":
        make_golden.run_case(make_golden.__file__, case, "offline", folder, {})
    else:
        track(binary, case, folder, {**clean, "WANDB_MODE": "offline"})
    run, = glob.glob(os.path.join(folder, "wandb", "offline-run-*"))
    if way in ("strata-sync", "wandb-run"):
        with Server(record) as server:
            subprocess.run([binary, "sync", run], check=True, env={**clean, **server}, stdout=subprocess.DEVNULL)
        return subprocess.run(state, stdout=subprocess.PIPE, text=True, check=False).stdout
    tool = "read_wandb.py" if way == "offline" else "sync_check.py"
    return subprocess.run([sys.executable, os.path.join(HERE, tool), run, "--max-rows", "40"], stdout=subprocess.PIPE, text=True, check=False).stdout


def without_clock(text):
    """compare.py takes the time out of console lines that begin with it, but not of those of standard error."""
    return re.sub(r'(\\"level\\":\\"error\\",\\"ts\\":\\")[^"\\]*', r"\1", text)


def replay(binary, case, way):
    with tempfile.TemporaryDirectory() as folder:
        golden, actual = (os.path.join(folder, name) for name in ("golden.json", "actual.json"))
        with open(os.path.join(HERE, "golden", f"{case}.{WAYS[way]}.json"), encoding="utf-8") as facts_of_peer:
            text = facts_of_peer.read()
        with open(golden, "w", encoding="utf-8") as out:
            out.write(without_clock(text))
        with open(actual, "w", encoding="utf-8") as out:
            out.write(without_clock(facts(binary, case, way, folder)))
        kind = "wandb" if way == "offline" else "server"
        compared = subprocess.run([sys.executable, os.path.join(HERE, "compare.py"), golden, actual, "--kind", kind],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    print(f"{case} by {way}: {compared.stdout.strip()}")
    return compared.returncode == 0


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--binary", required=True, type=os.path.abspath)
    ap.add_argument("--by", choices=WAYS)
    ap.add_argument("cases", nargs="*", metavar="CASE")
    a = ap.parse_args()
    ways = [a.by] if a.by else list(WAYS)
    pairs = [(case, way) for case in a.cases or CASES for way in ways]
    failed = [pair for pair in pairs if not replay(a.binary, *pair)]
    print(f"{len(pairs) - len(failed)} of {len(pairs)} golden cases agree")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
