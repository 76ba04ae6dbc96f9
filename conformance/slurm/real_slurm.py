"""A real Slurm on this machine, for as long as a test needs it."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
NEEDED = ["sbatch", "squeue", "scontrol", "scancel", "srun", "/usr/sbin/slurmctld", "/usr/sbin/slurmd", "/usr/sbin/munged"]


def equal(found, expected):
    assert found == expected, f"expected {expected!r}, found {found!r}"


def scontrol(*words):
    subprocess.run(["scontrol", *words], check=True, capture_output=True)


def run_again_now(job):
    """Slurm lets a job that is queued again wait for two minutes."""
    scontrol("update", f"JobId={job}", "StartTime=now")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return str(one.getsockname()[1])


def missing():
    if os.geteuid() != 0:
        return "this needs root"
    lacking = [name for name in NEEDED if shutil.which(name) is None]
    return f"not installed: {', '.join(lacking)}" if lacking else None


def end_all_jobs():
    """What still runs when Slurm's daemons go would run for ever."""
    subprocess.run(["scancel", "--me"], capture_output=True)
    for _ in range(60):
        left = subprocess.run(["squeue", "--me", "--noheader"], capture_output=True, text=True)
        if not left.stdout.strip():
            return
        subprocess.run(["scancel", "--me", "--full", "--signal=KILL"], capture_output=True)
        time.sleep(0.5)





@contextlib.contextmanager
def running():
    """The folder of a Slurm that runs inside of the block; none where it cannot, which is said."""
    why = missing()
    if why:
        print(f"SKIPPED: nothing of Slurm was checked: {why}.")
        print("It takes root, and: apt-get install slurmctld slurmd slurm-client munge")
        yield None
        return
    folder = pathlib.Path(tempfile.mkdtemp(prefix="strata-slurm-"))
    # munged runs as a user of its own.
    folder.chmod(0o755)
    try:
        started = subprocess.run([HERE / "slurm-local", "start", folder / "slurm", free_port(), free_port()],
                                 stdout=subprocess.PIPE, text=True, check=True)
        assert "SLURM_CONF" in started.stdout
        os.environ["SLURM_CONF"] = str(folder / "slurm/slurm.conf")
        print("Slurm runs:", subprocess.run(["sbatch", "--version"], capture_output=True, text=True).stdout.strip())
        yield folder
    finally:
        end_all_jobs()
        subprocess.run([HERE / "slurm-local", "stop", folder / "slurm"])
        shutil.rmtree(folder, ignore_errors=True)


def run_checks(checks, seconds, only=""):
    """Runs the methods `check_...` of an object, each for so long at most; how many passed and failed."""

    def too_long(*_):
        raise TimeoutError(f"no answer within {seconds} seconds")

    signal.signal(signal.SIGALRM, too_long)
    passed = failed = 0
    for name in [name for name in dir(checks) if name.startswith("check_")]:
        words = name.removeprefix("check_").replace("_", " ")
        if only not in words:
            continue
        began = time.monotonic()
        signal.alarm(seconds)
        try:
            getattr(checks, name)()
            passed += 1
            print(f"ok      {words} ({time.monotonic() - began:.0f} s)", flush=True)
        except (AssertionError, TimeoutError, OSError, subprocess.CalledProcessError) as problem:
            failed += 1
            print(f"FAILED  {words}: {problem}", flush=True)
        signal.alarm(0)
        subprocess.run(["scancel", "--me"])
    return passed, failed
