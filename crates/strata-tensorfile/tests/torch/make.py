"""Writes the files of this folder, with torch: make.py (into its own folder)."""
import os
from pathlib import Path

import torch
from torch import nn

here = Path(__file__).parent
model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 2))
with torch.no_grad():
    for p in model.parameters():
        p.copy_(torch.arange(p.numel(), dtype=torch.float32).reshape(p.shape))
state = model.state_dict()
torch.save(state, here / "state_dict.pt")
torch.save({"epoch": 3, "loss": 0.5, "model_state_dict": state, "name": None}, here / "checkpoint.pt")
torch.save(dict(model.named_parameters()), here / "parameters.pt")
flat = torch.arange(6, dtype=torch.float32)
torch.save({"0.weight": flat.reshape(3, 2), "again": flat[2:4]}, here / "shared.pt")
torch.save({"t": flat.reshape(3, 2).T, "double": torch.tensor([1.5, -2.0], dtype=torch.float64)}, here / "transposed.pt")
torch.save(model, here / "whole_model.pt")


class Malicious:
    def __reduce__(self):
        return os.system, ("true",)


torch.save({"0.weight": Malicious()}, here / "malicious.pt")

artifact = {
    "images": torch.arange(6, dtype=torch.uint8).reshape(3, 2).T,
    "labels": torch.tensor([7, -8], dtype=torch.int32),
    "floats": torch.tensor([0.25, 0.75], dtype=torch.float64),
    "note": "no tensor",
    "transforms": {"rotation": 15.0},
}
torch.save(artifact, here / "artifact.pt")
