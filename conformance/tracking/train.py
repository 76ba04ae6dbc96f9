#!/usr/bin/env python3
"""What `strata train` leaves for W&B and TensorBoard, read by the real packages.

    train.py --binary strata [CASE …]

Run it with a Python that has wandb, tensorboard and pillow.  The data are a few images that this script makes.
"""
import argparse
import glob
import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time

from replay_wandb import Server

HERE = os.path.dirname(os.path.abspath(__file__))
SHORT = ["train", "data.download=false", "model.hidden_dims=[32]", "data.batch_size=16", "training.epochs=3", "training.log_interval=5",
         "logging.csv.enabled=true"]


def write_images(folder):
    """47 classes in the layout of EMNIST; a class is a bright bar of its own."""
    raw = os.path.join(folder, "data", "EMNIST", "raw")
    os.makedirs(raw)
    for split, each in (("train", 20), ("test", 4)):
        labels = [i % 47 for i in range(47 * each)]
        images = bytearray()
        for number, label in enumerate(labels):
            image = bytearray((number * 7 + i) % 32 for i in range(784))
            image[label * 16:label * 16 + 16] = bytes([250] * 16)
            images += image
        name = os.path.join(raw, f"emnist-balanced-{split}-")
        with open(name + "images-idx3-ubyte", "wb") as out:
            out.write(struct.pack(">IIII", 2051, len(labels), 28, 28) + images)
        with open(name + "labels-idx1-ubyte", "wb") as out:
            out.write(struct.pack(">II", 2049, len(labels)) + bytes(labels))


def environment(folder, **more):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("WANDB_")}
    return {**clean, "HOME": folder, "WANDB_ERROR_REPORTING": "false", "WANDB_MODE": "offline", **more}


def strata(binary, folder, *args, **more):
    ended = subprocess.run([binary, *args], cwd=folder, env=environment(folder, **more), capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended


def read(tool, *args):
    ended = subprocess.run([sys.executable, os.path.join(HERE, tool), *args], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-2000:]
    return json.loads(ended.stdout)


def rows_of(folder, run):
    with open(os.path.join(folder, run, "metrics.jsonl"), encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def tagged(row):
    """A row under the names of the Python stack: train/loss is that of a batch."""
    of_step = any(name.startswith("train/batch_") for name in row)
    replaced = ("train/batch_", "train/") if of_step else ("train/", "train_epoch/")
    return {name.replace(*replaced, 1): value for name, value in row.items()}


def points_of(rows):
    """(tag, step) -> value, without times, which differ from run to run."""
    names = ("step", "epoch", "time")
    rows = [tagged(row) for row in rows]
    return {(tag, row["step"]): value for row in rows for tag, value in row.items() if tag not in names and not tag.startswith("time/")}


def float32(value):
    return struct.unpack("f", struct.pack("f", value))[0]


def check_tensorboard(folder, run):
    found = read("read_tensorboard.py", os.path.join(folder, run, "tensorboard"))["runs"]["."]
    points = {}
    for tag, facts in found["scalars"].items():
        for point in facts["points"]:
            if not tag.startswith("time/"):
                points.setdefault((tag, point[0]), []).append(point[2])
    logged = points_of(rows_of(folder, run))
    assert set(points) == set(logged), sorted(set(points) ^ set(logged))[:5]
    wrong = {key: (points[key], value) for key, value in logged.items() if [float32(value)] != points[key]}
    assert not wrong, list(wrong.items())[:3]
    assert "samples/train" in found["images"], list(found["images"])
    return found


def check_wandb(folder, rows):
    run, = glob.glob(os.path.join(folder, "wandb", "*run-2*"))
    found = read("read_wandb.py", run)
    logged = {}
    for row in rows:
        logged.setdefault(row["step"], {}).update({k: v for k, v in tagged(row).items() if k not in ("step", "time")})
    kept = {row["_step"]: row for row in found["history"]}
    assert set(logged) <= set(kept), sorted(set(logged) - set(kept))[:5]
    for step, values in logged.items():
        for name, value in values.items():
            assert name.startswith("time/") or kept[step][name] == value, (step, name, kept[step].get(name), value)
    assert found["history_steps"]["strictly_rising"]
    return found


def one_run(binary, folder):
    strata(binary, folder, *SHORT, "hydra.run.dir=runs/a", "logging.wandb.tags=[one,two]", "+mine.note=kept", "logging.wandb.watch={log:all,log_freq:20}")
    histograms = check_tensorboard(folder, "runs/a")["histograms"]
    assert [point["step"] for point in histograms["gradients/0.weight"]["steps"]] == [20, 40, 60, 80, 100, 120, 140], histograms
    assert histograms["parameters/0.weight"]["steps"][0]["total"] == 784 * 32
    rows = rows_of(folder, "runs/a")
    found = check_wandb(folder, rows)
    assert found["run"]["display_name"] == "baseline_emnist" and found["run"]["tags"] == ["one", "two"], found["run"]
    assert found["config"]["model"]["hidden_dims"] == [32] and found["config"]["mine"] == {"note": "kept"}
    watched = {row["_step"]: row["gradients/0.weight"] for row in found["history"] if "gradients/0.weight" in row}
    assert sorted(watched) == [20, 40, 60, 80, 100, 120, 140] and sum(watched[20]["values"]) == 784 * 32, watched
    assert found["exit"]["exit_code"] == 0 and "epoch 3/3" in found["output"]["stdout"]
    assert found["summary_records"]["best/epoch"] >= 1
    assert found["summary_records"]["validation/accuracy"]["max"] == max(row.get("validation/accuracy", 0) for row in rows)
    with open(os.path.join(folder, "runs/a/metrics.csv"), encoding="utf-8") as table:
        header, *lines = table.read().splitlines()
    columns = header.split(",")
    for line, row in zip(lines, rows, strict=True):
        values = dict(zip(columns, line.split(","), strict=True))
        for name, value in row.items():
            assert name == "time" or float(values[name]) == value, (name, values[name], value)


def killed(binary, folder):
    """Killed with -9 wherever it is, and resumed: as a run that was never interrupted, for all who look."""
    long = [*SHORT[:-2], "training.epochs=30", "training.checkpoint.every=7 steps", SHORT[-1]]
    strata(binary, folder, *long, "hydra.run.dir=runs/whole", WANDB_DIR=os.path.join(folder, "elsewhere"))
    process = subprocess.Popen([binary, *long, "hydra.run.dir=runs/a"], cwd=folder, env=environment(folder), stderr=subprocess.DEVNULL)
    metrics = os.path.join(folder, "runs/a/metrics.jsonl")
    until = time.monotonic() + 60
    while time.monotonic() < until and not (os.path.exists(metrics) and os.path.getsize(metrics) > 20_000):
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    strata(binary, folder, "resume", "runs/a")
    assert points_of(rows_of(folder, "runs/a")) == points_of(rows_of(folder, "runs/whole"))
    check_tensorboard(folder, "runs/a")
    found = check_wandb(folder, rows_of(folder, "runs/a"))
    assert found["exit"]["exit_code"] == 0
    tables = [open(os.path.join(folder, f"runs/{run}/metrics.csv"), encoding="utf-8").read().splitlines() for run in ("a", "whole")]
    assert tables[0][0] == tables[1][0] and len(tables[0]) == len(tables[1])


def online(binary, folder):
    """A run that is sent while it goes on, with its model."""
    record = os.path.join(folder, "record.jsonl")
    with Server(record) as server:
        strata(binary, folder, *SHORT, "hydra.run.dir=runs/a", "logging.wandb.log_model=true", "logging.wandb.entity=e", WANDB_MODE="online", **server)
    state = read("server_state.py", record)
    assert not state["problems"], state["problems"]
    run, = state["runs"].values()
    assert run["state"] == "finished" and not run["problems"], run["problems"]
    assert any(name.startswith("media/images/samples/train") for name in run["files"])
    model, = [artifact for artifact in state["artifacts"] if artifact["type"] == "model"]
    assert model["state"] == "COMMITTED" and {file["name"] for file in model["files"]} == {"best_model.pt", "best_model.safetensors"}, model
    logged = points_of(rows_of(folder, "runs/a"))
    sent = {(name, row["_step"]): value for row in run["history"] for name, value in row.items()}
    assert all(sent[key] == value for key, value in logged.items())


def sweep(binary, folder):
    """The jobs of a sweep share a group in W&B and are compared by TensorBoard's own server."""
    strata(binary, folder, *SHORT, "-m", "model.dropout=0.1,0.5", "hydra.sweep.dir=multirun/s", "hydra.sweep.subdir=${hydra:job.num}")
    groups = [read("read_wandb.py", run)["run"]["run_group"] for run in glob.glob(os.path.join(folder, "wandb", "offline-run-*"))]
    assert groups == ["multirun_s"] * 2, groups
    found = read("read_tensorboard.py", os.path.join(folder, "multirun", "s"), "--server", "--max-points", "40")["server"]
    runs = {"0/tensorboard", "1/tensorboard"}
    assert runs <= set(found["scalars"]), list(found["scalars"])
    for run in runs:
        assert "validation/accuracy" in found["scalars"][run] and "samples/train" in found["images"][run]
        assert "gradients/0.weight" in found["histograms"][run]
    sessions = {group["name"]: group for group in found["hparams_session_groups"]["sessionGroups"]}
    dropouts = {group["hparams"]["model/dropout"] for group in sessions.values()}
    assert dropouts == {0.1, 0.5}, sessions
    for group in sessions.values():
        metrics = {value["name"]["tag"]: value.get("value") for value in group["metricValues"]}
        assert 0 <= metrics["validation/accuracy"] <= 1 and 0 <= metrics["test/accuracy"] <= 1, metrics


def unwritable(binary, folder):
    """What cannot be written is told once, and the run ends well."""
    for name in ("wandb", "blocked"):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
            out.write("in the way")
    ended = strata(binary, folder, *SHORT, "hydra.run.dir=runs/a", "logging.tensorboard.log_dir=blocked/here")
    for sink in ("tensorboard", "wandb"):
        told = [line for line in ended.stderr.splitlines() if f"[WARNING] - {sink}: " in line]
        assert len(told) == 1, ended.stderr
    assert len(rows_of(folder, "runs/a")) > 10


CASES = {"one run": one_run, "killed": killed, "online": online, "sweep": sweep, "unwritable": unwritable}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--binary", required=True, type=os.path.abspath)
    ap.add_argument("cases", nargs="*", metavar="CASE")
    a = ap.parse_args()
    failed = 0
    for name in a.cases or CASES:
        with tempfile.TemporaryDirectory() as folder:
            write_images(folder)
            try:
                CASES[name](a.binary, folder)
                print(f"ok    {name}")
            except (AssertionError, KeyError, ValueError) as problem:
                failed += 1
                print(f"FAIL  {name}: {type(problem).__name__}: {problem}")
    print(f"{len(a.cases or CASES) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
