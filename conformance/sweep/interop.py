#!/usr/bin/env python3
"""Do real Optuna and strata-study write the same storages, one after the other and at the same time?

    interop.py --tool TARGET/examples/storage_tool [--trials 500] [--no-dashboard] [--keep FOLDER]

TOOL is the example `storage_tool` of the crate strata-study, built for release. Run it with a Python that has
Optuna 5 (and, for the dashboard, optuna-dashboard). For both kinds of storage:

  write      the tool writes every state, kind of distribution, special value and attribute; Optuna must read
             exactly what was meant (what the tool itself reads, and a list of facts written down here)
  go on      Optuna optimizes in the tool's file, the tool goes on, Optuna again; numbers without holes
  dashboard  optuna-dashboard shows the studies
  many       four processes at once on one file, all ours, and two of ours with two of Optuna's; no trial lost,
             none double, no error; also a queue of which each trial must be run once (Optuna's SQLite cannot keep
             that promise to itself, so it takes part in turn there)

The last line is 'N passed, N failed'; the exit code is 1 if any failed.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings

warnings.simplefilter("ignore")
os.environ["TZ"] = "UTC"
time.tzset()
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import read_study  # noqa: E402

KINDS = {"sqlite": "sqlite:///%s/study.db", "journal": "journal://%s/study.journal"}
passed, failed = 0, 0


def check(name, ok, detail=""):
    global passed, failed
    if ok:
        passed += 1
    else:
        failed += 1
    print("%s  %s%s" % ("ok  " if ok else "FAIL", name, "" if ok else "\n      " + str(detail)), flush=True)


def differences(a, b, place=""):
    """Where two readings differ; the order of attributes does not count, that of parameters does."""
    if isinstance(a, dict) and isinstance(b, dict):
        if place.endswith(".params") and list(a) != list(b):
            return ["%s: order %s, %s" % (place, list(a), list(b))]
        if set(a) != set(b):
            return ["%s: only in one: %s" % (place, sorted(set(a) ^ set(b)))]
        return [d for k in a for d in differences(a[k], b[k], "%s.%s" % (place, k))]
    if isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            return ["%s: %d and %d items" % (place, len(a), len(b))]
        return [d for i, (x, y) in enumerate(zip(a, b)) for d in differences(x, y, "%s[%d]" % (place, i))]
    return [] if type(a) is type(b) and a == b else ["%s: %r, %r" % (place, a, b)]


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=600, **options)


def optuna_reads(url, study):
    import optuna
    storage = read_study.open_storage(url)
    return json.loads(json.dumps(read_study.dump(optuna.load_study(study_name=study, storage=storage))))


def ours(tool, url, study):
    done = run(tool, "dump", url, study)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


OPTIMIZE = '''
import sys, warnings
warnings.simplefilter("ignore")
sys.path.insert(0, %r)
import optuna, read_study
url, name, n, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
storage = read_study.open_storage(url)
study = optuna.create_study(study_name=name, storage=storage, load_if_exists=True,
                            sampler=optuna.samplers.RandomSampler(seed=seed))
def objective(trial):
    x = trial.suggest_float("x", -5, 5)
    trial.suggest_float("y", 1e-3, 10, log=True)
    trial.suggest_int("n", 1, 64)
    trial.suggest_float("z", 0, 1)
    trial.suggest_categorical("k", ["a", True, None])
    trial.report(abs(x), 1)
    return x * x
done = 0
while done < n:
    try:
        study.optimize(objective, n_trials=1)
        done += 1
    except optuna.exceptions.UpdateFinishedTrialError:
        # Optuna's own race: a queued trial was begun and ended by another between its look and its claim.
        pass
''' % HERE


def optuna_optimizes(url, study, n, seed):
    return [sys.executable, "-c", OPTIMIZE, url, study, str(n), str(seed)]


def we_optimize(tool, url, study, n, seed):
    return [tool, "optimize", url, study, str(n), str(seed)]


def facts(reading):
    """What the tool means to have written in `ours-single`, told without its own reader."""
    t = reading["trials"]
    params = {"float": 0.1 + 0.2, "float_log": 1.2345678901234567e-3, "float_step": 0.30000000000000004,
              "float_tiny": 1e-300, "float_single": 3.0, "int": -3, "int_log": 1000, "int_step": 48,
              "int_big": 2 ** 52 - 1, "cat_mixed": "t\u00e4nh \u2603", "cat_nonfinite": "inf"}
    states = ["COMPLETE"] * 3 + ["PRUNED"] * 2 + ["FAIL", "RUNNING", "WAITING", "FAIL", "COMPLETE", "FAIL", "WAITING"]
    values = [[0.125], ["inf"], [-1e300], None, [0.7]] + [None] * 4 + [[0.5], None, None]
    yield "states", [x["state"] for x in t], states
    yield "values", [x["values"] for x in t], values
    yield "parameters", [x["params"] for x in t[:10]], [params] * 10
    yield "order", list(t[0]["params"]), list(params)
    yield "reported", t[0]["intermediate_values"], [[0, 1.0], [1, "nan"], [2, "inf"], [7, "-inf"]]
    yield "reported again", t[9]["intermediate_values"], [[1, 0.25], [2, "nan"]]
    yield "start", t[0]["datetime_start"], "2024-02-29T23:59:00.123456"
    yield "no start", t[7]["datetime_start"], None
    yield "user attributes", t[9]["user_attrs"], {"k": "again"}
    yield "system attributes", t[9]["system_attrs"], {"s": "inf"}
    yield "queued", t[11]["system_attrs"], {"fixed_params": {"float": 0.75, "int": 7}}
    yield "study attributes", reading["user_attrs"], {
        "note": "\"\u00fc\"\nand more", "nested": {"list": [1, 2.5, None, True, "nan"], "map": {"k": "v"}}}
    yield "step", t[0]["distributions"]["float_step"], {
        "name": "FloatDistribution", "attributes": {"step": 0.1, "low": 0.0, "high": 1.0, "log": False}}
    yield "choices", t[0]["distributions"]["cat_mixed"]["attributes"]["choices"], [
        None, True, False, 1, 2.5, "1", "t\u00e4nh \u2603"]


def check_writing(tool, kind, folder):
    url = KINDS[kind] % folder
    done = run(tool, "write-all", url)
    check(kind + ": the tool writes everything", done.returncode == 0, done.stderr)
    for study in ["ours-single", "ours-multi", "ours-empty"]:
        theirs, own = optuna_reads(url, study), ours(tool, url, study)
        check("%s: Optuna reads %s as we do" % (kind, study), theirs == own or not differences(own, theirs),
              differences(own, theirs)[:5])
        if study == "ours-single":
            for name, got, meant in facts(theirs):
                check("%s: as it was meant: %s" % (kind, name), not differences(got, meant), (got, meant))
        if study == "ours-multi":
            check(kind + ": three objectives", theirs["directions"] == ["MINIMIZE", "MAXIMIZE", "MINIMIZE"]
                  and theirs["metric_names"] == ["val/error", "throughput", "n_params"]
                  and theirs["trials"][2]["values"] == ["inf", "-inf", 1.0], theirs)
    return url


def check_numbers(name, reading, n):
    numbers = [t["number"] for t in reading["trials"]]
    check(name + ": numbers without holes", numbers == list(range(n)), (n, len(numbers), numbers[-5:]))
    wrong = [t["number"] for t in reading["trials"] if t["state"] != "COMPLETE" or len(t["params"]) != 5
             or t["values"] != [t["params"]["x"] * t["params"]["x"]] or t["intermediate_values"] != [[1, abs(t["params"]["x"])]]]
    check(name + ": every trial is whole", not wrong, wrong[:5])
    xs = {t["params"].get("x") for t in reading["trials"]}
    check(name + ": no trial twice", len(xs) == len(numbers), (len(xs), len(numbers)))


def check_going_on(tool, kind, folder, n=12):
    url = KINDS[kind] % folder
    turns = [we_optimize(tool, url, "turns", n, 1), optuna_optimizes(url, "turns", n, 2),
             we_optimize(tool, url, "turns", n, 3), optuna_optimizes(url, "turns", n, 4)]
    for turn, command in enumerate(turns):
        done = run(*command)
        check("%s: turn %d" % (kind, turn + 1), done.returncode == 0, done.stderr[-800:])
    theirs = optuna_reads(url, "turns")
    check_numbers(kind + ": in turns", theirs, 4 * n)
    found = differences(ours(tool, url, "turns"), theirs)
    check(kind + ": in turns: both read the same", not found, found[:5])


def check_dashboard(kind, url, study, n):
    done = run(sys.executable, os.path.join(HERE, "dashboard_check.py"), "--storage", url, "--study", study,
               "--trials", str(n))
    check("%s: the dashboard shows %s" % (kind, study), done.returncode == 0, done.stdout + done.stderr)


def check_many(tool, kind, folder, trials, optunas):
    name = "%s: 4 processes, %d of them Optuna's" % (kind, optunas)
    url = KINDS[kind] % folder
    each = trials // 4
    commands = [optuna_optimizes(url, "many", each, i) if i < optunas else we_optimize(tool, url, "many", each, i)
                for i in range(4)]
    begun = time.monotonic()
    if optunas:
        # Several of Optuna's that make the tables of a new database at once fail by themselves.
        run(tool, "optimize", url, "many", "0", "0")
    processes = [subprocess.Popen(c, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for c in commands]
    errors = []
    for i, process in enumerate(processes):
        message = process.communicate(timeout=1800)[1]
        if process.returncode:
            errors.append("%s: %s" % ("Optuna" if i < optunas else "ours", message[-800:]))
    elapsed = time.monotonic() - begun
    check("%s, %d trials in %.1f s: no error" % (name, 4 * each, elapsed), not errors, errors)
    theirs = optuna_reads(url, "many")
    check_numbers(name, theirs, 4 * each)
    found = differences(ours(tool, url, "many"), theirs)
    check(name + ": both read the same", not found, found[:5])


def check_queue(tool, kind, folder, name, at_once, n=40):
    """Optuna queues trials; four processes, two of them Optuna's, take them in turn, or all of `at_once` at once."""
    import optuna
    url = KINDS[kind] % folder
    run(tool, "optimize", url, "queue", "0", "0")
    study = optuna.load_study(study_name="queue", storage=read_study.open_storage(url))
    xs = [round(-4 + 8 * i / n, 3) for i in range(n)]
    for x in xs:
        study.enqueue_trial({"x": x, "k": True})
    commands = [(optuna_optimizes if who == "optuna" else lambda *a: we_optimize(tool, *a))(url, "queue", n // 4, i)
                for i, who in enumerate(at_once or ["optuna", "ours"] * 2)]
    processes = []
    for command in commands:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        processes.append(process)
        if not at_once:
            process.wait(timeout=600)
    errors = [p.communicate(timeout=600)[1][-800:] for p in processes]
    name = "%s: a queue %s" % (kind, name)
    check(name + " is worked off", not any(p.returncode for p in processes), errors)
    theirs = optuna_reads(url, "queue")
    check_numbers(name, theirs, n)
    check(name + ": each once, as queued", [t["params"].get("x") for t in theirs["trials"]] == xs
          and all(t["params"]["k"] is True for t in theirs["trials"]), [t["params"] for t in theirs["trials"]][:5])


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--tool", required=True)
    a.add_argument("--trials", type=int, default=500, help="of all four processes together (default 500)")
    a.add_argument("--no-dashboard", action="store_true")
    a.add_argument("--keep", help="a folder for the storages, which stays")
    o = a.parse_args()
    import optuna
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    tool = os.path.abspath(o.tool)
    with tempfile.TemporaryDirectory() as temporary:
        root = os.path.abspath(o.keep) if o.keep else temporary
        for kind in KINDS:
            def folder(name):
                path = os.path.join(root, kind, name)
                os.makedirs(path)
                return path
            try:
                url = check_writing(tool, kind, folder("write"))
                if not o.no_dashboard:
                    check_dashboard(kind, url, "ours-single", 12)
                    check_dashboard(kind, url, "ours-multi", 3)
                check_going_on(tool, kind, folder("turns"))
                check_queue(tool, kind, folder("queue in turn"), "in turn", None)
                # In SQLite Optuna looks for a queued trial and claims it in two transactions, without looking again: it takes
                # trials from others that are at them, its own processes too.
                others = ["ours"] * 2 if kind == "sqlite" else ["optuna"] * 2
                check_queue(tool, kind, folder("queue"), "at once", others + ["ours"] * 2)
                check_many(tool, kind, folder("ours"), o.trials, 0)
                check_many(tool, kind, folder("both"), o.trials, 2)
            except Exception as e:  # the other kind is still worth a look
                check("%s: no exception" % kind, False, "%s: %s" % (type(e).__name__, e))
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
