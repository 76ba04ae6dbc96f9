#!/usr/bin/env python3
"""What tracking costs: a logged row beside the real packages, and a training with all sinks beside one with none.

    tracking.py rows --example target/release/examples/cost_of_a_row --wandb PYTHON --torch PYTHON [--turns N]
    tracking.py runs --binary target/release/strata --root EMNIST [--turns N] [--epochs N]

`rows` logs 100,000 rows of 4 scalars in turns: with wandb.log (offline, by a Python that has wandb), with
SummaryWriter.add_scalar (by one that has torch and tensorboard), and with ours; microseconds a row in the caller.
`runs` trains in turns with and without sinks and prints the ratio of training times, and how much of the processor's
time the threads take that do not compute.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time

WANDB = """
import sys, time, wandb
run = wandb.init(mode="offline", dir=sys.argv[1], project="p", settings=wandb.Settings(x_disable_stats=True, silent=True))
begun = time.perf_counter()
for i in range(100000): run.log({"train/loss": 1 / (i + 1), "train/acc": float(i), "lr": 0.001, "grad_norm": i * 0.5})
print((time.perf_counter() - begun) * 10)
run.finish()
"""
SUMMARY_WRITER = """
import sys, time
from torch.utils.tensorboard import SummaryWriter
writer = SummaryWriter(sys.argv[1])
begun = time.perf_counter()
for i in range(100000):
    for tag, value in (("train/loss", 1 / (i + 1)), ("train/acc", float(i)), ("lr", 0.001), ("grad_norm", i * 0.5)): writer.add_scalar(tag, value, i)
print((time.perf_counter() - begun) * 10)
writer.close()
"""
SMALL = ["model.hidden_dims=[128]", "training.optimizer={name:Adam,params:{weight_decay:0}}", "data.batch_size=100", "model.dropout=0",
         "training.max_grad_norm=null"]


def rows(a):
    measured = {}
    for _ in range(a.turns):
        for name, python, script in (("wandb.log", a.wandb, WANDB), ("SummaryWriter", a.torch, SUMMARY_WRITER)):
            with tempfile.TemporaryDirectory() as folder:
                out = subprocess.run([python, "-c", script, folder], check=True, capture_output=True, text=True).stdout
            measured.setdefault(name, []).append(float(out.split()[-1]))
        with tempfile.TemporaryDirectory() as folder:
            out = subprocess.run([a.example, folder, "100000"], check=True, capture_output=True, text=True, env={**os.environ, "WANDB_MODE": "offline"}).stdout
        for line in out.splitlines():
            name, logged, _ = line.split()
            measured.setdefault(f"strata to {name}", []).append(float(logged))
    for name, values in measured.items():
        print(f"{name}: {statistics.median(values):.2f} us a row ({min(values):.2f}-{max(values):.2f})")


def train(a, network, has_sinks):
    """Seconds of training, and the share of the processor's time that other threads take."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "conf"), os.path.join(folder, "conf"))
        sinks = ["logging.csv.enabled=true", "logging.wandb.mode=offline"] if has_sinks else ["logging.wandb.enabled=false", "logging.tensorboard.enabled=false"]
        process = subprocess.Popen([os.path.abspath(a.binary), "train", f"data.root={os.path.abspath(a.root)}", f"training.epochs={a.epochs}", "training.eval_test=false",
                                    "logging.matplotlib.enabled=false", "hydra.run.dir=r", *network, *sinks], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ticks = {}
        while process.poll() is None:
            try:
                for thread in os.listdir(f"/proc/{process.pid}/task"):
                    with open(f"/proc/{process.pid}/task/{thread}/stat", encoding="utf-8") as found:
                        head, fields = found.read().rsplit(")", 1)
                    ticks[thread, head.split("(", 1)[1]] = sum(map(int, fields.split()[11:13]))
            except (FileNotFoundError, ProcessLookupError):
                pass
            time.sleep(0.05)
        assert process.returncode == 0
        with open(os.path.join(folder, "r", "metrics.jsonl"), encoding="utf-8") as lines:
            seconds = sum(json.loads(line).get("time/train_s", 0) for line in lines)
    others = sum(value for (_, name), value in ticks.items() if name.startswith(("sink-", "wandb-")))
    return seconds, others / max(1, sum(ticks.values()))


def runs(a):
    for name, network in (("512-512-256", []), ("128", SMALL)):
        with_sinks, without = [], []
        for turn in range(a.turns):
            for has_sinks in ((True, False), (False, True))[turn % 2]:
                (with_sinks if has_sinks else without).append(train(a, network, has_sinks))
        ratios = [on[0] / off[0] for on, off in zip(with_sinks, without)]
        quartiles = statistics.quantiles(ratios, n=4)
        print(f"{name}: with sinks {statistics.median(on[0] for on in with_sinks):.3f} s, without {statistics.median(off[0] for off in without):.3f} s, "
              f"ratio {statistics.median(ratios):.3f} (quartiles {quartiles[0]:.3f}-{quartiles[2]:.3f}); other threads {100 * statistics.median(on[1] for on in with_sinks):.2f} % "
              f"of processor time, at most {100 * max(on[1] for on in with_sinks):.2f} %")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = ap.add_subparsers(required=True)
    of_rows = commands.add_parser("rows")
    of_rows.add_argument("--example", required=True)
    of_rows.add_argument("--wandb", required=True)
    of_rows.add_argument("--torch", required=True)
    of_rows.add_argument("--turns", type=int, default=3)
    of_rows.set_defaults(run=rows)
    of_runs = commands.add_parser("runs")
    of_runs.add_argument("--binary", required=True)
    of_runs.add_argument("--root", required=True)
    of_runs.add_argument("--turns", type=int, default=15)
    of_runs.add_argument("--epochs", type=int, default=3)
    of_runs.set_defaults(run=runs)
    a = ap.parse_args()
    a.run(a)


if __name__ == "__main__":
    main()
