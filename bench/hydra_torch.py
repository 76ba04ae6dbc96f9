"""The search that people run today: Hydra, its Optuna sweeper and PyTorch; started by sweeps.py.

The best case of it: images in memory, loaded once for all jobs, the fused optimiser, random search, nothing tracked.
"""
import gzip
import pathlib
import struct

import hydra
import numpy as np
import torch
from torch import nn

LOADED = {}


def idx(path):
    raw = gzip.open(str(path) + ".gz").read() if path.with_name(path.name + ".gz").exists() else path.read_bytes()
    count = struct.unpack(">I", raw[4:8])[0]
    return np.frombuffer(raw, np.uint8, offset=16 if raw[3] == 3 else 8).reshape(count, -1)


def images(root):
    if not LOADED:
        folder = pathlib.Path(root) / "EMNIST/raw"
        x = torch.from_numpy(idx(folder / "emnist-balanced-train-images-idx3-ubyte").astype(np.float32) / 255)
        y = torch.from_numpy(idx(folder / "emnist-balanced-train-labels-idx1-ubyte").astype(np.int64)[:, 0])
        x, order = (x - 0.1307) / 0.3081, torch.randperm(len(x))
        n_val = len(x) // 10
        LOADED["train"] = x[order[n_val:]].contiguous(), y[order[n_val:]].contiguous()
        LOADED["val"] = x[order[:n_val]].contiguous(), y[order[:n_val]].contiguous()
    return LOADED["train"], LOADED["val"]


@hydra.main(version_base=None, config_path="hydra_torch", config_name="config")
def main(cfg):
    torch.set_num_threads(2)
    torch.manual_seed(1234)
    (x, y), (xv, yv) = images(cfg.root)
    model = nn.Sequential(nn.Linear(784, cfg.width), nn.ReLU(), nn.Dropout(0.3), nn.Linear(cfg.width, 47))
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01, fused=True)
    criterion = nn.CrossEntropyLoss()
    for _ in range(cfg.epochs):
        model.train()
        order = torch.randperm(len(x))
        for begin in range(0, len(x), 64):
            batch = order[begin:begin + 64]
            optimiser.zero_grad(set_to_none=True)
            criterion(model(x.index_select(0, batch)), y.index_select(0, batch)).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
        model.eval()
        with torch.no_grad():
            accuracy = (model(xv).argmax(1) == yv).float().mean().item()
    return accuracy


if __name__ == "__main__":
    main()
