#!/usr/bin/env python3
"""Kills `strata repro` at many moments, and looks at what is left.

    python3 kill.py --binary ./strata [--dvc PATH/TO/dvc] [--moments 100] [--only 17] [--keep DIR]

Each moment gets a fresh copy of one project. The moments are spread over the whole run: when the process has made a
given share of the reads and writes that an undisturbed run makes, when a half-written file of a given number is seen,
and when a stage's command says so. After each kill

* `dvc.lock` and `.gitignore` are as the undisturbed run had them at some time, kept runs and cache objects are whole,
* `strata status` can read the project, and at some of the moments the real `dvc status` too,
* the next `strata repro` ends with the lock file, the outputs, the cache and the .gitignore of the undisturbed run,
  and leaves no temporary file behind.

Last line "N passed, N failed".  Python 3.8+, stdlib only, Linux.
"""
import argparse
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

PIPELINE = """stages:
  prepare:
    cmd: >-
      %(begin)s mkdir -p prep/deep && sort raw.txt > prep/sorted.txt && cp raw.txt prep/deep/copy.txt && true > prep/empty; %(end)s
    deps: [raw.txt]
    params: [seed]
    outs: [prep]
  left:
    cmd: >-
      %(begin)s cat prep/sorted.txt prep/deep/copy.txt > left.txt; %(end)s
    deps: [prep]
    outs: [left.txt]
  right:
    cmd: >-
      %(begin)s tail -n 3 prep/sorted.txt > right.txt; printf '{"rows": 3}' > rows.json; %(end)s
    deps: [prep]
    outs: [right.txt]
    metrics:
    - rows.json:
        cache: false
  train:
    foreach: [a, b]
    do:
      cmd: >-
        %(begin)s cat left.txt right.txt > model-${item}.txt; echo ${item} >> model-${item}.txt; %(end)s
      deps: [left.txt, right.txt]
      params: [lr]
      outs:
      - model-${item}.txt
  evaluate:
    cmd: >-
      %(begin)s cat model-a.txt model-b.txt > sub/report.txt; %(end)s
    deps: [model-a.txt, model-b.txt]
    outs: [sub/report.txt]
""" % {
    "begin": 'test "$KILL_AT" = "$DVC_STAGE begin" && kill -9 $PPID;',
    "end": 'test "$KILL_AT" = "$DVC_STAGE end" && kill -9 $PPID; true',
}
STAGES = ["prepare", "left", "right", "train@a", "train@b", "evaluate"]


class Fail(Exception):
    pass


def digest(path):
    with open(path, "rb") as file:
        return hashlib.md5(file.read()).hexdigest()


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def files(root, skip=()):
    found = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [f for f in folders if os.path.relpath(os.path.join(folder, f), root) not in skip]
        for name in names:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, root)] = digest(path)
    return found


class Project:
    def __init__(self, base, binary, template=None):
        self.base = base
        self.binary = binary
        self.root = os.path.join(base, "project")
        self.env = {key: value for key, value in os.environ.items() if key not in ("DVC_ROOT", "STRATA_REPRO")}
        self.env.update({
            "HOME": base, "SHELL": "/bin/sh", "NO_COLOR": "1", "CI": "1", "DVC_NO_ANALYTICS": "1",
            "DVC_SITE_CACHE_DIR": os.path.join(base, "site"),
        })
        if template:
            shutil.copytree(template, self.root, symlinks=True)
            return
        os.makedirs(os.path.join(self.root, "sub"))
        for name, text in [
            ("dvc.yaml", PIPELINE),
            ("params.yaml", "seed: 1\nlr: 0.1\n"),
            ("raw.txt", "".join("row %d\n" % (i * 7919 % 1000) for i in range(300))),
        ]:
            with open(os.path.join(self.root, name), "w", encoding="utf-8") as file:
                file.write(text)
        subprocess.run(["git", "init", "-q"], cwd=self.root, env=self.env, check=True)
        self.run(["init", "-q"])

    def start(self, args, **more):
        return subprocess.Popen(
            [self.binary] + args, cwd=self.root, env=dict(self.env, **more), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, args, binary=None):
        done = subprocess.run(
            [binary or self.binary] + args, cwd=self.root, env=self.env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode:
            raise Fail("%s exits with %d: %s" % (
                " ".join(args), done.returncode, (done.stdout + done.stderr).decode()[-500:]))
        return done.stdout.decode()

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def picture(self):
        """Everything that an undisturbed run determines."""
        return {
            "lock": read(self.path("dvc.lock")),
            "ignored": [read(self.path(".gitignore")), read(self.path("sub", ".gitignore"))],
            "outputs": files(self.root, skip=(".dvc", ".git")),
            "cache": files(self.path(".dvc", "cache")),
        }


def half_written(root):
    """The names of files that are being written."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [f for f in folders if f != ".git"]
        found += [os.path.join(folder, name) for name in names if name.startswith(".strata-")]
    return found


def requests(pid):
    """Reads and writes so far; none if the process has ended."""
    try:
        with open("/proc/%d/io" % pid) as file:
            lines = dict(line.split(": ") for line in file.read().splitlines())
        return int(lines["syscr"]) + int(lines["syscw"])
    except (OSError, KeyError, ValueError):
        return None


def kill(project, moment, total):
    """Kills at the moment; gives whether the process was still there."""
    kind, value = moment
    if kind == "command":
        process = project.start(["repro"], KILL_AT=value)
        process.communicate()
        gone(process.pid)
        return process.returncode == -signal.SIGKILL
    process = project.start(["repro"])
    seen = set()
    while process.poll() is None:
        if kind == "share":
            count = requests(process.pid)
            if count is not None and count >= value * total:
                break
        else:
            seen.update(half_written(project.root))
            if len(seen) >= value:
                break
    # Every other time with all that it has started, as when a machine is short of memory or a terminal closes.
    if int(value * 1000) % 2:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    process.kill()
    process.communicate()
    gone(process.pid)
    return process.returncode == -signal.SIGKILL


def gone(group):
    """Waits for the commands, which live on when strata is killed."""
    while True:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        except PermissionError:
            return


def check_left(project, whole, stages):
    """What a kill has left."""
    lock = read(project.path("dvc.lock"))
    if lock is not None and lock not in stages["lock"]:
        raise Fail("dvc.lock is none that the undisturbed run had:\n%s" % lock.decode(errors="replace"))
    ignored = read(project.path(".gitignore"))
    if ignored is not None and not whole["ignored"][0].startswith(ignored):
        raise Fail(".gitignore is %r" % ignored)
    cache = project.path(".dvc", "cache")
    for path, md5 in files(cache).items():
        name = os.path.basename(path)
        if any(part.startswith(".strata-") for part in path.split(os.sep)):
            continue
        if path.startswith("files"):
            expected = os.path.basename(os.path.dirname(path)) + name
            if md5 != expected.replace(".dir", ""):
                raise Fail("the object %s is damaged" % path)
        elif whole["cache"].get(path) != md5:
            raise Fail("the kept run %s is damaged" % path)
    rwlock = read(project.path(".dvc", "tmp", "rwlock"))
    if rwlock is not None:
        json.loads(rwlock)
    json.loads(project.run(["status", "--json"]))


def check_again(project, whole):
    project.run(["repro"])
    left = half_written(project.root)
    if left:
        raise Fail("left behind: %s" % left)
    unfinished = project.path(".dvc", "tmp", "repro")
    if os.path.isdir(unfinished) and os.listdir(unfinished):
        raise Fail("left behind: %s" % os.listdir(unfinished))
    # DVC leaves sections without marks in it.
    if any(json.loads(read(project.path(".dvc", "tmp", "rwlock"))).values()):
        raise Fail("paths are still marked: %r" % read(project.path(".dvc", "tmp", "rwlock")))
    picture = project.picture()
    for part, wanted in whole.items():
        if picture[part] != wanted:
            raise Fail("%s differs from that of the undisturbed run:\n%r\n%r" % (part, picture[part], wanted))


def locks_on_the_way(base, binary, template):
    """The lock files of an undisturbed run, stage after stage."""
    project = Project(os.path.join(base, "steps"), binary, template)
    locks = []
    for stage in STAGES:
        project.run(["repro", "-s", stage])
        locks.append(read(project.path("dvc.lock")))
    return {"lock": locks}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--dvc")
    parser.add_argument("--moments", type=int, default=100)
    parser.add_argument("--only", type=int, action="append")
    parser.add_argument("--keep")
    args = parser.parse_args()
    binary = os.path.abspath(args.binary)
    base = tempfile.mkdtemp(prefix="kill-")
    template = Project(os.path.join(base, "template"), binary).root

    whole_project = Project(os.path.join(base, "whole"), binary, template)
    process = whole_project.start(["repro"])
    total = 0
    while process.poll() is None:
        total = max(total, requests(process.pid) or 0)
    out = process.communicate()[0]
    if process.returncode:
        sys.exit("the undisturbed run failed: %s" % out.decode())
    whole = whole_project.picture()
    stages = locks_on_the_way(base, binary, template)
    assert stages["lock"][-1] == whole["lock"], "stages run alone give another lock file"

    commands = [("command", "%s %s" % (stage, when)) for stage in STAGES for when in ("begin", "end")]
    writes = [("write", float(number)) for number in range(1, 21)]
    shares = args.moments - len(commands) - len(writes)
    moments = commands + writes + [("share", (i + 0.5) / shares) for i in range(max(0, shares))]
    passed = failed = killed = 0
    for number, moment in enumerate(moments):
        if args.only and number not in args.only:
            continue
        folder = os.path.join(base, str(number))
        project = Project(folder, binary, template)
        try:
            killed += kill(project, moment, total)
            check_left(project, whole, stages)
            if args.dvc and number % 12 == 5:
                json.loads(project.run(["status", "--json"], os.path.abspath(args.dvc)))
            check_again(project, whole)
            passed += 1
        except (Fail, ValueError) as error:
            failed += 1
            print("FAIL moment %d %s\n    %s" % (number, moment, str(error).replace("\n", "\n    ")))
            if args.keep:
                shutil.copytree(project.root, os.path.join(args.keep, str(number)), symlinks=True)
        shutil.rmtree(folder)
    shutil.rmtree(base)
    # A process that ends by itself at nearly all moments would prove nothing.
    if not args.only and killed < len(moments) * 0.6:
        failed += 1
        print("FAIL only %d of %d were killed" % (killed, len(moments)))
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
