#!/usr/bin/env python3
"""Kills a search at random moments, resumes it, and compares it with one that was never interrupted.

    interrupt.py STRATA [--kills 20] [--trials 12] [--seed 0] [--data glyphs] [--root DIR] [--jobs 1]
                 [--launcher basic] [--kill sweep|worker]

A search of small networks is run to its end. The same search is then begun in another directory and killed by
SIGKILL after random times, resumed each time, until it has been killed --kills times or ends; new directories are
taken until there were enough kills. With one job at a time every trial must be the same, value by value and step by
step; with several every trial must be there once, and none may be left running. With --launcher submitit_local or submitit_slurm
the trials run in processes of their own; --kill worker kills one of those instead, which the sweep is to make up for
by itself. Linux only.
Last line: 'N passed, N failed'.
"""
import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

KEYS = ("number", "state", "values", "params", "intermediate_values")


def command(o, directory):
    data = ["data=" + o.data] + (["data.root=" + o.root] if o.root else [])
    return [o.strata, "train", *data, "hydra/sweeper=optuna", "hydra.sweep.dir=" + directory,
            "hydra.sweeper.n_trials=%d" % o.trials, "hydra.sweeper.n_jobs=%d" % o.jobs, "hydra.sweeper.pruner=median",
            "hydra.sweeper.sampler.n_startup_trials=4", "hydra.sweeper.study_name=search",
            "model.hidden_dims=[16]", "model.dropout=interval(0,0.5)",
            "training.optimizer.params.lr=tag(log,interval(1e-4,1e-1))", "data.batch_size=choice(100,200)",
            "training.epochs=3", "training.checkpoint.every=40 steps", "logging.tensorboard.enabled=false",
            "logging.matplotlib.enabled=false", "hydra/launcher=" + o.launcher]


def trials(o, directory):
    done = subprocess.run([o.strata, "study", "export", directory], capture_output=True, text=True, check=True)
    return [{key: trial[key] for key in KEYS} for trial in json.loads(done.stdout)["trials"]]


def run(argv, folder):
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True)


def workers(folder, name):
    """The processes that run trials of a search, whoever has started them."""
    found, directory = [], os.path.join(os.path.realpath(folder), name)
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as file:
                words = file.read().decode(errors="replace").split("\0")
        except OSError:
            continue
        if words[1:2] == ["sweep-worker"] and json.loads(words[2])["directory"] == directory:
            found.append(int(pid))
    return found


def killed_workers(o, rng, folder, name, length, left):
    """Runs one search, of whose workers up to `left` are killed; the number of kills."""
    process = subprocess.Popen(command(o, name), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    kills, errors = 0, []
    reader = threading.Thread(target=lambda: errors.extend(process.stderr))
    reader.start()
    while process.poll() is None and kills < left:
        try:
            process.wait(rng.uniform(0, 0.4 * length))
        except subprocess.TimeoutExpired:
            victims = workers(folder, name)
            if victims:
                try:
                    os.kill(rng.choice(victims), signal.SIGKILL)
                except ProcessLookupError:
                    continue
                kills += 1
    code = process.wait()
    reader.join()
    if code != 0:
        raise SystemExit("exit %d: %s" % (code, "".join(errors)[-2000:]))
    return kills


def interrupted(o, rng, folder, name, length, left):
    """Runs one search with up to `left` kills; the number of kills."""
    kills, argv = 0, command(o, name)
    while True:
        process = subprocess.Popen(argv, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if kills < left:
            try:
                process.wait(rng.uniform(0, 0.4 * length))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.communicate()
                kills += 1
                if os.path.exists(os.path.join(folder, name, "sweep.json")):
                    argv = [o.strata, "resume", name]
                continue
        _, errors = process.communicate()
        if process.returncode != 0:
            raise SystemExit("exit %d: %s" % (process.returncode, errors[-2000:]))
        return kills


def main():
    a = argparse.ArgumentParser()
    a.add_argument("strata")
    a.add_argument("--kills", type=int, default=20)
    a.add_argument("--trials", type=int, default=12)
    a.add_argument("--seed", type=int, default=0)
    a.add_argument("--data", default="glyphs")
    a.add_argument("--root")
    a.add_argument("--jobs", type=int, default=1)
    a.add_argument("--launcher", default="basic")
    a.add_argument("--kill", choices=["sweep", "worker"], default="sweep")
    o = a.parse_args()
    o.strata = os.path.abspath(o.strata)
    rng = random.Random(o.seed)
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        # Once before, so that generated data are there.
        first = run(command(o, "first"), folder)
        if first.returncode != 0:
            raise SystemExit("exit %d: %s" % (first.returncode, first.stderr[-2000:]))
        began = time.monotonic()
        run(command(o, "whole"), folder)
        length = time.monotonic() - began
        os.chdir(folder)
        whole = trials(o, "whole")
        searches = [("repeated", 0)]
        kills = 0
        while kills < o.kills:
            name = "killed%d" % len(searches)
            kill = interrupted if o.kill == "sweep" else killed_workers
            here = kill(o, rng, folder, name, length, o.kills - kills)
            kills += here
            searches.append((name, here))
        run(command(o, "repeated"), folder)
        for name, here in searches:
            found = trials(o, name)
            numbers = [trial["number"] for trial in found]
            states = {trial["state"] for trial in found}
            problems = []
            if numbers != list(range(o.trials)):
                problems.append("numbers %r" % numbers)
            if not states <= {"COMPLETE", "PRUNED"}:
                problems.append("states %r" % states)
            if o.jobs == 1 and found != whole:
                other = [a["number"] for a, b in zip(found, whole) if a != b]
                problems.append("trials %r differ from those without interruption" % other)
            if workers(folder, name):
                problems.append("processes are left")
            if problems:
                failed += 1
                print("%s, %d kills: %s" % (name, here, "; ".join(problems)))
            else:
                passed += 1
                print("%s, %d kills: ok" % (name, here))
    print("%d kills; whole search %.1f s" % (kills, length))
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
