"""State dicts between strata and torch, both ways: torch_interop.py STRATA ROOT

STRATA is the binary, ROOT holds EMNIST/raw/. Needs torch and numpy. For each network: strata trains an epoch and
torch.load(weights_only=True) reads best_model.pt into the equivalent nn.Sequential, whose figures on the test set must be
those that strata wrote down; then torch saves a model of its own and `strata eval --weights` must give torch's figures.
"""
import gzip
import json
import os
import struct
import subprocess
import sys
import tempfile

import numpy as np
import torch
from torch import nn

strata, root = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
torch.manual_seed(0)


def idx(path):
    raw = gzip.open(path + ".gz").read() if os.path.exists(path + ".gz") else open(path, "rb").read()
    n = struct.unpack(">I", raw[4:8])[0]
    return np.frombuffer(raw, np.uint8, offset=16 if raw[3] == 3 else 8).reshape(n, -1)


def test_set():
    p = f"{root}/EMNIST/raw/emnist-balanced-test-"
    images = idx(p + "images-idx3-ubyte").reshape(-1, 28, 28).transpose(0, 2, 1).reshape(-1, 784)
    x = (images.astype(np.float32) / 255 - 0.1307) / 0.3081
    return torch.from_numpy(x), torch.from_numpy(idx(p + "labels-idx1-ubyte")[:, 0].astype(np.int64))


x, y = test_set()


def network(hidden, activation, norm=None, dropout=0.0, input_dropout=None):
    layers, width = ([nn.Dropout(input_dropout)] if input_dropout else []), 784
    for h in hidden:
        layers.append(nn.Linear(width, h))
        layers += [norm(h)] if norm else []
        layers.append(activation())
        layers += [nn.Dropout(dropout)] if dropout else []
        width = h
    return nn.Sequential(*layers, nn.Linear(width, 47))


def figures(model):
    with torch.no_grad():
        out = model.eval()(x)
    return nn.functional.cross_entropy(out, y).item(), (out.argmax(1) == y).float().mean().item()


def run(*args):
    return subprocess.run([strata, *args], check=True, capture_output=True, text=True).stdout


CASES = [
    ("plain", dict(hidden=[64, 32], activation=nn.ReLU), ["model.hidden_dims=[64,32]", "model.dropout=0"]),
    ("batch norm and dropout", dict(hidden=[64], activation=nn.Tanh, norm=nn.BatchNorm1d, dropout=0.2),
     ["model.hidden_dims=[64]", "model.dropout=0.2", "model.norm=batch", "model.activation=tanh"]),
    ("layer norm and input dropout", dict(hidden=[48, 40], activation=nn.GELU, norm=nn.LayerNorm, input_dropout=0.1),
     ["model.hidden_dims=[48,40]", "model.dropout=0", "model.norm=layer", "model.activation=gelu", "model.input_dropout=0.1"]),
    ("softmax regression", dict(hidden=[], activation=nn.ReLU), ["model.hidden_dims=[]"]),
]

for name, arguments, overrides in CASES:
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        common = [f"data.root={root}", "logging.matplotlib.enabled=false", *overrides]
        run("train", *common, "training.epochs=1", "hydra.run.dir=run")
        model = network(**arguments)
        model.load_state_dict(torch.load("run/artifacts/best_model.pt", weights_only=True))
        recorded = json.load(open("run/summary.json"))["last"]
        loss, accuracy = figures(model)
        assert abs(loss - recorded["test/loss"]) < 1e-4, (name, loss, recorded)
        assert abs(accuracy - recorded["test/accuracy"]) < 3e-4, (name, accuracy, recorded)

        theirs = network(**arguments)
        theirs.train()(x[:512])  # running statistics that are not their first ones
        torch.save(theirs.state_dict(), "theirs.pt")
        torch.save({"epoch": 1, "model_state_dict": theirs.state_dict()}, "nested.pt")
        loss, accuracy = figures(theirs)
        for file in ["theirs.pt", "nested.pt"]:
            ours = json.loads(run("eval", "--weights", file, "--json", *common))
            assert abs(loss - ours["test/loss"]) < 1e-4, (name, file, loss, ours["test/loss"])
            assert abs(accuracy - ours["test/accuracy"]) < 3e-4, (name, file)
        print(f"{name}: agrees both ways")
