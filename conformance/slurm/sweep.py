#!/usr/bin/env python3
"""Sweeps and searches of strata on a real Slurm on this machine.

    conformance/slurm/sweep.py STRATA [--kills 4] [--only WORDS]

Ends with 'N passed, N failed', and with exit code 1 if one has failed. Without Slurm it says so and leaves all out. Takes
some minutes: Slurm looks at its queue now and then only.
"""

import argparse
import json
import os
import pathlib
import re
import signal
import subprocess
import sys

import real_slurm
from real_slurm import equal, run_again_now

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SMALL = ["data=glyphs", "model.hidden_dims=[16]", "data.batch_size=50", "training.checkpoint.every=40 steps",
         "logging.tensorboard.enabled=false", "logging.matplotlib.enabled=false", "hydra/launcher=submitit_slurm"]
SEARCH = ["hydra/sweeper=optuna", "model.dropout=interval(0,0.5)", "hydra.sweeper.study_name=search",
          "training.optimizer.params.lr=tag(log,interval(1e-4,1e-1))", "hydra.sweeper.sampler.n_startup_trials=3"]


class Sweep:
    """A strata that runs, in a folder of its own."""

    def __init__(self, strata, folder, words):
        self.process = subprocess.Popen([strata, *words], cwd=folder, stderr=subprocess.PIPE, text=True)
        self.seen = []

    def until(self, pattern):
        """Reads what it says, up to the first line that matches."""
        for line in self.process.stderr:
            self.seen.append(line.rstrip("\n"))
            found = re.search(pattern, line)
            if found:
                return found
        raise AssertionError(f"ended without {pattern!r}: {self.seen}")

    def end(self, code):
        self.seen += self.process.communicate()[1].splitlines()
        assert self.process.returncode == code, f"exit code {self.process.returncode}: {self.seen}"

    def says(self, text):
        assert any(text in line for line in self.seen), f"{text!r} is not in {self.seen}"


class Checks:
    def __init__(self, strata, folder, kills):
        self.strata, self.folder, self.kills = strata, folder, kills
        # Once before, so that generated data are there.
        self.run("glyphs", "train", "data=glyphs", "model.hidden_dims=[8]", "training.epochs=1", "hydra.run.dir=run")

    def room(self, name):
        room = self.folder / f"{name} it's"
        room.mkdir(exist_ok=True)
        return room

    def begin(self, name, *words):
        return Sweep(self.strata, self.room(name), words)

    def run(self, name, *words):
        sweep = self.begin(name, *words)
        sweep.end(0)
        return sweep

    def trials(self, name, directory):
        done = subprocess.run([self.strata, "study", "export", directory], cwd=self.room(name), capture_output=True,
                              text=True, check=True)
        keys = ("number", "state", "values", "params", "intermediate_values")
        return [{key: trial[key] for key in keys} for trial in json.loads(done.stdout)["trials"]]

    def state_of(self, name, directory):
        return json.loads((self.room(name) / directory / "sweep.json").read_text())["state"]

    def search(self, name, directory, n_jobs, n_trials, epochs, *more):
        return self.begin(name, "train", *SMALL, *SEARCH, f"hydra.sweep.dir={directory}", f"hydra.sweeper.n_jobs={n_jobs}",
                          f"hydra.sweeper.n_trials={n_trials}", f"training.epochs={epochs}", *more)

    def check_a_grid_is_an_array_and_is_not_run_twice(self):
        words = ["train", "-m", *SMALL, "training.epochs=1", "model.dropout=0.1,0.2,0.3,0.4", "hydra.sweep.dir=grid",
                 "hydra.launcher.array_parallelism=2", "hydra.launcher.cpus_per_task=1"]
        first = self.run("grid", *words)
        first.says("#3 ended")
        for number in range(4):
            run = json.loads((self.room("grid") / f"grid/{number}/run.json").read_text())
            equal(run["state"], "finished")
        again = self.run("grid", *words)
        again.says("#3 was done before")
        assert not any("Slurm job" in line for line in again.seen), again.seen

    def check_a_job_that_fails_is_named(self):
        small = ["data=emnist" if word.startswith("data=") else word for word in SMALL]
        sweep = self.begin("failing", "train", "-m", *small, "data.download=false", "data.root=nowhere,gone",
                           "hydra.sweep.dir=grid")
        sweep.end(1)
        sweep.says("Error executing job #1 with overrides: ['data=emnist'")
        sweep.says("nowhere")
        equal(self.state_of("failing", "grid"), "failed")

    def check_two_workers_share_a_study(self):
        sweep = self.search("shared", "search", 2, 8, 1)
        sweep.end(0)
        trials = self.trials("shared", "search")
        equal([trial["number"] for trial in trials], list(range(8)))
        equal({trial["state"] for trial in trials}, {"COMPLETE"})

    def check_a_worker_that_is_asked_to_stop_goes_on(self):
        sweep = self.search("preempted", "search", 1, 2, 8)
        job = sweep.until(r"Slurm job (\d+)")[1]
        sweep.until(r"#0 : ")
        subprocess.run(["scancel", "--signal=TERM", job], check=True)
        sweep.until("queued again")
        run_again_now(job)
        sweep.end(0)
        self.search("preempted", "whole", 1, 2, 8).end(0)
        equal(self.trials("preempted", "search"), self.trials("preempted", "whole"))

    def check_ctrl_c_cancels_and_resume_goes_on(self):
        sweep = self.search("stopped", "search", 1, 2, 8)
        sweep.until(r"#0 : ")
        sweep.process.send_signal(signal.SIGINT)
        sweep.end(130)
        equal(self.state_of("stopped", "search"), "interrupted")
        queue = subprocess.run(["squeue", "--me", "--noheader"], capture_output=True, text=True)
        equal(queue.stdout.strip(), "")
        self.run("stopped", "resume", "search")
        self.search("stopped", "whole", 1, 2, 8).end(0)
        equal(self.trials("stopped", "search"), self.trials("stopped", "whole"))

    def check_what_a_killed_sweep_left_running_is_ended(self):
        sweep = self.search("left", "search", 1, 2, 8)
        job = sweep.until(r"Slurm job (\d+)")[1]
        sweep.until(r"#0 : ")
        sweep.process.kill()
        sweep.process.communicate()
        resumed = self.run("left", "resume", "search")
        resumed.says(f"ending what is left of job {job}")
        self.search("left", "whole", 1, 2, 8).end(0)
        equal(self.trials("left", "search"), self.trials("left", "whole"))

    def check_killed_workers_are_replaced(self):
        subprocess.run([sys.executable, ROOT / "conformance/sweep/interrupt.py", self.strata, "--launcher", "submitit_slurm",
                        "--kill", "worker", f"--kills={self.kills}"], check=True, cwd=self.room("killed"))

    def check_killed_sweeps_go_on(self):
        subprocess.run([sys.executable, ROOT / "conformance/sweep/interrupt.py", self.strata, "--launcher", "submitit_slurm",
                        f"--kills={self.kills}"], check=True, cwd=self.room("killed sweep"))


def main():
    a = argparse.ArgumentParser()
    a.add_argument("strata")
    a.add_argument("--kills", type=int, default=4)
    a.add_argument("--only", default="", help="checks with this in their name")
    o = a.parse_args()
    passed = failed = 0
    with real_slurm.running() as folder:
        if folder is not None:
            passed, failed = real_slurm.run_checks(Checks(os.path.abspath(o.strata), folder, o.kills), 580, o.only)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
