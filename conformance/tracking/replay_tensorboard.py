#!/usr/bin/env python3
"""Replay the golden TensorBoard cases through `strata track` and compare what the real TensorBoard then sees.

    replay_tensorboard.py --binary strata [--server] [CASE …]

Run it with a Python that has tensorboard and pillow.  The inputs are those of golden/README.md.  Without
--server the case `purge_step` is left out: SummaryWriter writes no session start into a first file there, ours
always has one, and TensorBoard's reader in Python then drops what the restart replaces.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

from replay_inputs import CONFIG, VALUES, grid, histogram, rgb

HERE = os.path.dirname(os.path.abspath(__file__))


def basic(folder):
    grid(os.path.join(folder, "grid.png"))
    for e in range(5):
        yield {"log": {"train/loss": 2 / (e + 1), "train/acc": 1 - 1 / (e + 2), "validation/loss": 2.2 / (e + 1),
                       "validation/acc": 0.9 - 0.4 / (e + 1)}, "step": e}
    yield {"log": {"examples/grid": {"_type": "image", "file": os.path.join(folder, "grid.png")},
                   "weights/layer0": histogram(VALUES)}, "step": 4}
    yield {"log": {"notes": {"_type": "text", "text": "a *small* scripted run"}}, "step": 0}
    yield {"log": {"test/loss": 0.25, "test/acc": 0.875}, "step": 5}
    yield {"hparams": CONFIG, "metrics": {"hparam/validation_acc": 0.82}}
    yield {"finish": {"exit_code": 0}}


def media(folder):
    up, down = os.path.join(folder, "up.png"), os.path.join(folder, "down.png")
    rgb(up, range(16))
    rgb(down, reversed(range(16)))
    yield {"log": {"rgb": {"_type": "image", "file": up}}, "step": 0}
    yield {"log": {"rgb": {"_type": "image", "file": down}}, "step": 1}
    yield {"log": {"constant": histogram([2.5] * 1000)}, "step": 0}
    yield {"log": {"small": histogram([v / 1000 for v in VALUES])}, "step": 1}
    yield {"log": {"multi": {"_type": "text", "text": "line one\n\nline two | pipe"}}, "step": 3}


def restarted(_):
    for s in range(6):
        yield {"log": {"train/loss": 1 / (s + 1)}, "step": s}
    yield {"purge_step": 3}
    for s in range(3, 8):
        yield {"log": {"train/loss": 10 + s}, "step": s}


# Case -> the name of its run and its lines.
CASES = {"basic": ("basic", basic), "media": ("media", media), "session_start": ("resumed", restarted), "purge_step": ("resumed", restarted)}


def replay(binary, case, server):
    run, lines = CASES[case]
    kind = "tensorboard_server" if server else "tensorboard"
    golden = os.path.join(HERE, "golden", f"{case}.{kind}.json")
    with tempfile.TemporaryDirectory() as folder:
        text = "".join(json.dumps(line) + "\n" for line in lines(folder))
        subprocess.run([binary, "track", "--sink", "tensorboard", "--dir", folder, "--run", run],
                       input=text, text=True, check=True)
        command = [sys.executable, os.path.join(HERE, "read_tensorboard.py"), os.path.join(folder, "tensorboard"), "--max-points", "40"]
        actual = os.path.join(folder, f"{case}.{kind}.json")
        with open(actual, "w", encoding="utf-8") as out:
            subprocess.run(command + ["--server"] * server, stdout=out, check=False)
        compared = subprocess.run([sys.executable, os.path.join(HERE, "compare.py"), golden, actual],
                                  stdout=subprocess.PIPE, text=True, check=False)
    print(f"{case}.{kind}: {compared.stdout.strip()}")
    return compared.returncode == 0


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--binary", required=True, type=os.path.abspath)
    ap.add_argument("--server", action="store_true")
    ap.add_argument("cases", nargs="*", metavar="CASE")
    a = ap.parse_args()
    cases = a.cases or [c for c in CASES if a.server or c != "purge_step"]
    failed = [c for c in cases if not replay(a.binary, c, a.server)]
    print(f"{len(cases) - len(failed)} of {len(cases)} golden cases agree")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
