#!/usr/bin/env python3
"""Drives the Slurm launcher against a real Slurm on this machine.

    conformance/slurm/check.py [PROGRAM]

PROGRAM is the example `launch_tool` of strata-launch; without it, cargo builds it. `slurm-local` starts Slurm in a folder of
its own, which goes when this ends. Needs root and the Debian packages slurmctld slurmd slurm-client munge; says so and
leaves all out otherwise. Ends with 'N passed, N failed', and with exit code 1 if one has failed. Takes about two minutes.
"""

import os
import pathlib
import signal
import subprocess
import sys

import real_slurm
from real_slurm import equal, run_again_now, scontrol

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# Saves its work when it is asked to stop, as a training does. A shell looks at its signals between two commands only, so it
# must not hang in one for ever.
WAIT = "trap 'echo saved; exit 130' TERM; echo > {started}; while :; do sleep 1 & wait; done"


class Tool:
    """A launch_tool that runs, in a folder of its own."""

    def __init__(self, program, folder, overrides, lines):
        self.folder = folder
        command = [program, "hydra/launcher=submitit_slurm", "hydra.sweep.dir=out put", *overrides, "--", *lines]
        self.process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.seen = []

    def until(self, text):
        """Reads what it prints, up to the first line with the text."""
        for line in self.process.stdout:
            self.seen.append(line.rstrip("\n"))
            if text in line:
                return line.rstrip("\n")
        raise AssertionError(f"ended without {text!r}: {self.seen} {self.process.stderr.read()}")

    def job(self):
        return self.until("Slurm job").split()[-1]

    def end(self):
        """Its exit code; what it printed is in `seen`."""
        out, self.said = self.process.communicate()
        self.seen += out.splitlines()
        return self.process.returncode

    def last(self, task):
        """The last state of a task."""
        states = [line.split(": ", 1)[1] for line in self.seen if line.startswith(f"{task}: ")]
        return states[-1] if states else None

    def file(self, job, end, task=None):
        name = job if task is None else f"{job}_{task}"
        return (self.folder / "out put" / ".submitit" / name / f"{name}_0{end}").read_text()


class Checks:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def tool(self, name, overrides, lines, pipes=()):
        folder = self.folder / f"{name} it's"
        folder.mkdir()
        for pipe in pipes:
            os.mkfifo(folder / pipe)
        return Tool(self.program, folder, overrides, lines)

    def check_array_with_resources_and_setup(self):
        tool = self.tool(
            "array",
            ["hydra.launcher.array_parallelism=2", "hydra.launcher.cpus_per_task=1", "hydra.launcher.mem_gb=1",
             "hydra.launcher.name='a \"sweep\"'", "hydra.launcher.comment='it is #1'",
             "hydra.launcher.timeout_min=7", "hydra.launcher.setup=['export GREETING=\"hello you\"']",
             "+hydra.launcher.additional_parameters.nice=5"],
            [f"echo {n} in >> log; echo \"$GREETING $SLURM_CPUS_PER_TASK $SLURM_MEM_PER_NODE $SLURM_JOB_NAME\"; "
             f"echo {n} out >> log" for n in range(6)])
        job = tool.job()
        shown = subprocess.run(["scontrol", "show", "job", f"{job}_0"], capture_output=True, text=True).stdout
        equal(tool.end(), 0)
        equal([tool.last(n) for n in range(6)], ["completed"] * 6)
        for wish in ("ArrayTaskThrottle=2", "TimeLimit=00:07:00", "Nice=5", "Comment=it is #1", "Requeue=1"):
            assert wish in shown, f"{wish} is not in {shown}"
        for n in range(6):
            equal(tool.file(job, "_log.out", n), 'hello you 1 1024 a "sweep"\n')
            equal(tool.file(job, "_exit", n), "0 ended\n")
        inside = most = 0
        for line in (tool.folder / "log").read_text().splitlines():
            inside += 1 if line.endswith("in") else -1
            most = max(most, inside)
        assert 1 <= most <= 2, f"{most} at once"

    def check_array_parallelism_lets_the_others_wait(self):
        tool = self.tool("throttled", ["hydra.launcher.array_parallelism=1"],
                         ["read x < go0", "read x < go1"], ["go0", "go1"])
        tool.until("1: pending (JobArrayTaskLimit)")
        for n in range(2):
            (tool.folder / f"go{n}").write_text("go\n")
        equal(tool.end(), 0)

    def check_failures(self):
        tool = self.tool("failures", ["hydra.launcher.setup=['export BATCH=$$']"],
                         ["exit 3", "kill -9 $$", "kill -9 $BATCH; sleep 60", "echo fine"])
        job = tool.job()
        equal(tool.end(), 1)
        equal(tool.last(0), "failed with exit code 3")
        equal(tool.last(1), "killed by signal 9")
        assert tool.last(2).startswith("failed (Slurm says "), tool.last(2)
        equal(tool.last(3), "completed")
        equal(tool.file(job, "_log.out", 3), "fine\n")

    def check_words_arrive_as_they_are(self):
        line = """printf '%s|' "it's" '$HOME' 'a  b' '\\n' '*'; echo oops >&2"""
        tool = self.tool("words", ["hydra.launcher.stderr_to_stdout=true"], [line])
        job = tool.job()
        equal(tool.end(), 0)
        assert tool.file(job, "_log.out").startswith("it's|$HOME|a  b|\\n|*|"), tool.file(job, "_log.out")
        assert "oops" in tool.file(job, "_log.out")

    def check_ctrl_c_cancels(self):
        tool = self.tool("cancel", ["hydra.launcher.array_parallelism=1"],
                         [WAIT.format(started="started"), "touch ran"], ["started"])
        job = tool.job()
        (tool.folder / "started").read_text()
        tool.process.send_signal(signal.SIGINT)
        equal(tool.end(), 130)
        equal([tool.last(0), tool.last(1)], ["cancelled", "cancelled"])
        equal(tool.file(job, "_log.out", 0), "saved\n")
        equal(tool.file(job, "_exit", 0), "130 cancelled\n")
        assert not (tool.folder / "ran").exists()

    def check_scancel_by_somebody_else(self):
        tool = self.tool("scancel", [], [WAIT.format(started="started"), "true"], ["started"])
        job = tool.job()
        (tool.folder / "started").read_text()
        subprocess.run(["scancel", f"{job}_0"], check=True)
        equal(tool.end(), 1)
        equal([tool.last(0), tool.last(1)], ["cancelled", "completed"])

    def check_asked_to_stop_goes_on(self):
        tool = self.tool("preempted", [],
                         ["if [ -e mark ]; then echo went on; else touch mark; " + WAIT.format(started="started") + "; fi"],
                         ["started"])
        job = tool.job()
        (tool.folder / "started").read_text()
        # What Slurm sends when another job needs the node.
        subprocess.run(["scancel", "--signal=TERM", job], check=True)
        tool.until("0: queued again")
        run_again_now(job)
        equal(tool.end(), 0)
        equal(tool.file(job, "_log.out"), "saved\nwent on\n")
        assert tool.file(job, "_requeues").startswith("preempted ")

    def check_one_of_an_array_goes_on_alone(self):
        """The number of one task is that of the whole array: only the other one may be queued again."""
        again = "if [ -e mark{n} ]; then echo went on; else touch mark{n}; {wait}; fi"
        lines = [again.format(n=n, wait=WAIT.format(started=f"started{n}")) for n in range(2)]
        for n in range(2):
            tool = self.tool(f"one of two {n}", [], lines, ["started0", "started1"])
            job = tool.job()
            for m in range(2):
                (tool.folder / f"started{m}").read_text()
            subprocess.run(["scancel", "--signal=TERM", f"{job}_{n}"], check=True)
            tool.until(f"{n}: queued again")
            other = subprocess.run(["squeue", "-h", "-o", "%T", "-j", f"{job}_{1 - n}"], capture_output=True, text=True)
            equal(other.stdout.strip(), "RUNNING")
            run_again_now(f"{job}_{n}")
            tool.until(f"{n}: completed")
            subprocess.run(["scancel", f"{job}_{1 - n}"], check=True)
            equal(tool.end(), 1)
            equal(tool.last(1 - n), "cancelled")

    def check_requeued_by_somebody_else(self):
        tool = self.tool("requeued", [],
                         ["if [ -e mark ]; then echo went on; else touch mark; " + WAIT.format(started="started") + "; fi"],
                         ["started"])
        job = tool.job()
        (tool.folder / "started").read_text()
        scontrol("requeue", job)
        tool.until("BeginTime")
        run_again_now(job)
        equal(tool.end(), 0)
        assert tool.file(job, "_log.out").endswith("went on\n")

    def check_time_is_up(self):
        """Slurm's own signal: with one minute in all, it asks two minutes before that to stop."""
        tool = self.tool("time", ["hydra.launcher.timeout_min=1", "hydra.launcher.max_num_timeout=1"],
                         [WAIT.format(started="started")], ["started"])
        job = tool.job()
        (tool.folder / "started").read_text()
        tool.until("0: queued again")
        run_again_now(job)
        (tool.folder / "started").read_text()
        equal(tool.end(), 1)
        equal(tool.last(0), "out of time")
        equal(tool.file(job, "_log.out"), "saved\nsaved\n")
        equal(tool.file(job, "_exit"), "130 timeout\n")
        assert "asked to stop as soon as it has started" in tool.said

    def check_a_refusal(self):
        tool = self.tool("refusal", ["hydra.launcher.partition=nowhere"], ["true"])
        equal(tool.end(), 1)
        assert "invalid partition" in tool.said, tool.said


def launch_tool():
    if len(sys.argv) > 1:
        return pathlib.Path(sys.argv[1]).resolve()
    subprocess.run(["cargo", "build", "--package", "strata-launch", "--example", "launch_tool"], cwd=ROOT, check=True)
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug/examples/launch_tool"


def main():
    passed = failed = 0
    with real_slurm.running() as folder:
        if folder is not None:
            passed, failed = real_slurm.run_checks(Checks(launch_tool(), folder), 120)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
