#!/usr/bin/env python3
"""What a sweep costs beyond its trainings.

    sweeps.py throughput --strata BINARY --root EMNIST --torch PYTHON [--turns 3] [--jobs 32] [--peer-jobs 2,6]
    sweeps.py first-step --strata BINARY --root EMNIST [--jobs 20]
    sweeps.py search     --strata BINARY --root EMNIST [--trials 100] [--epochs 10]

`throughput` runs a random search of networks with 64 to 256 hidden units, 3 epochs each, in turn two side by side and one after
the other on both cores, and in each turn a few jobs of hydra_torch.py by a Python that has torch and hydra-optuna-sweeper. Of
that it takes a line through two numbers of jobs and says what it extrapolates.
`first-step` measures from the moment a job is asked for, and from the typed command, to the first step's row in metrics.jsonl.
`search` runs the study's own space with hydra/sweeper=strata, with random search, and the default configuration once.
"""
import argparse
import datetime
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
JOB = ["model.dropout=0.3", "training.epochs=3", "training.eval_test=false"]


def timed(argv, folder):
    began = time.monotonic()
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit("%s: exit %d: %s" % (argv, done.returncode, done.stderr[-2000:]))
    return time.monotonic() - began


def exported(o, directory):
    done = subprocess.run([o.strata, "study", "export", directory], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["trials"]


def spread(seconds):
    return "%.2f s (%.2f to %.2f)" % (statistics.median(seconds), min(seconds), max(seconds))


def throughput(o):
    def ours(n_jobs, folder):
        return timed([o.strata, "train", "data.root=" + o.root, "hydra/sweeper=optuna", "hydra/sweeper/sampler=random",
                      "+width=range(64,256,32)", 'model.hidden_dims=["${width}"]', *JOB, "hydra.sweeper.sampler.seed=1",
                      "hydra.sweeper.n_trials=%d" % o.jobs, "hydra.sweeper.n_jobs=%d" % n_jobs, "hydra.sweep.dir=sweep"], folder)

    def peer(jobs, folder):
        return timed([o.torch, os.path.join(HERE, "hydra_torch.py"), "-m", "root=" + o.root,
                      "hydra.sweeper.n_trials=%d" % jobs, "hydra.sweep.dir=" + folder], folder)

    few, more = map(int, o.peer_jobs.split(","))
    found = {"side by side": [], "one after the other": [], "peer": []}
    for _ in range(o.turns):
        for name, n_jobs in (("side by side", 2), ("one after the other", 1)):
            with tempfile.TemporaryDirectory() as folder:
                found[name].append(ours(n_jobs, folder))
        seconds = []
        for jobs in (few, more):
            with tempfile.TemporaryDirectory() as folder:
                seconds.append(peer(jobs, folder))
        each = (seconds[1] - seconds[0]) / (more - few)
        found["peer"].append(seconds[0] + each * (o.jobs - few))
    for name, seconds in found.items():
        print("%d jobs, %s: %s" % (o.jobs, name, spread(seconds)))
    best = statistics.median(found["side by side"])
    for name in ("one after the other", "peer"):
        print("%s / side by side: %.2f" % (name, statistics.median(found[name]) / best))
    print("the peer's figure is extrapolated from %d and %d jobs" % (few, more))


def first_step(o):
    with tempfile.TemporaryDirectory() as folder:
        typed = time.time()
        timed([o.strata, "train", "data.root=" + o.root, "hydra/sweeper=optuna", "+width=range(64,256,32)",
               'model.hidden_dims=["${width}"]', "training.epochs=1", "training.eval_test=false", "training.log_interval=1",
               "hydra.sweeper.n_trials=%d" % o.jobs, "hydra.sweeper.n_jobs=1", "hydra.sweep.dir=sweep"], folder)
        sweep = os.path.join(folder, "sweep")
        asked = [datetime.datetime.fromisoformat(t["datetime_start"]).timestamp() for t in exported(o, sweep)]
        first = []
        for number in range(o.jobs):
            with open(os.path.join(sweep, str(number), "metrics.jsonl")) as rows:
                first.append(json.loads(rows.readline())["time"])
    later = [1000 * (row - ask) for ask, row in zip(asked[1:], first[1:])]
    print("from the typed command to the first step of the first job: %.0f ms" % (1000 * (first[0] - typed)))
    print("from a later job's being asked for to its first step: median %.1f ms (%.1f to %.1f)"
          % (statistics.median(later), min(later), max(later)))


def search(o):
    space = ["+width=range(64,512,64)", "+width2=range(64,512,64)", 'model.hidden_dims=["${width}","${width2}"]',
             "training.optimizer.params.lr=tag(log,1e-4,1e-2)", "model.dropout=interval(0,0.6)",
             "training.optimizer.params.weight_decay=tag(log,1e-4,1e0)", "training.label_smoothing=interval(0,0.3)"]
    common = ["data.root=" + o.root, "training.epochs=%d" % o.epochs, "training.eval_test=false"]
    with tempfile.TemporaryDirectory() as folder:
        seconds = timed([o.strata, "train", *common, "hydra.run.dir=run"], folder)
        with open(os.path.join(folder, "run/summary.json")) as file:
            best = json.load(file)["best"]["validation/accuracy"]["value"]
        print("default configuration: %.4f in %.0f s" % (best, seconds), flush=True)
        for name, more in (("hydra/sweeper=strata", []), ("random search", ["+hydra/sweeper/sampler=random"])):
            directory = os.path.join(folder, name.replace("/", "_"))
            seconds = timed([o.strata, "train", *common, "hydra/sweeper=strata", *more, *space,
                             "hydra.sweeper.n_trials=%d" % o.trials, "hydra.sweeper.n_jobs=2",
                             "hydra.sweep.dir='%s'" % directory], folder)
            trials = exported(o, directory)
            best = max((t for t in trials if t["state"] == "COMPLETE"), key=lambda t: t["values"][0])
            reached = [max(t["values"][0] for t in trials[:n]) for n in (10, 20, 50, 100) if n <= len(trials)]
            print("%s: best %.4f in %.0f s; after 10, 20, 50, 100 trials: %s\n  %s"
                  % (name, best["values"][0], seconds, " ".join("%.4f" % value for value in reached), best["params"]), flush=True)


def main():
    a = argparse.ArgumentParser()
    a.add_argument("what", choices=["throughput", "first-step", "search"])
    a.add_argument("--strata", required=True)
    a.add_argument("--root", required=True)
    a.add_argument("--torch")
    a.add_argument("--turns", type=int, default=3)
    a.add_argument("--jobs", type=int)
    a.add_argument("--peer-jobs", default="2,6")
    a.add_argument("--trials", type=int, default=100)
    a.add_argument("--epochs", type=int, default=10)
    o = a.parse_args()
    o.strata, o.root = os.path.abspath(o.strata), os.path.abspath(o.root)
    o.jobs = o.jobs or {"throughput": 32}.get(o.what, 20)
    {"throughput": throughput, "first-step": first_step, "search": search}[o.what](o)


if __name__ == "__main__":
    main()
