"""The inputs of golden/README.md that more than one replay needs."""
import math
import os

from PIL import Image

CONFIG = {
    "seed": 42, "task_name": "train",
    "model": {"_target_": "strata.models.Mlp", "hidden_sizes": [256, 128], "activation": "relu", "dropout": 0.1},
    "optimizer": {"_target_": "strata.optim.AdamW", "lr": 0.001, "weight_decay": 0.0, "betas": [0.9, 0.999]},
    "datamodule": {"_target_": "strata.data.Emnist", "split": "balanced", "batch_size": 128, "normalize": True},
    "trainer": {"max_epochs": 5, "device": "cpu", "limit_batches": None},
    "tags": ["baseline", "mlp"], "ckpt_path": None,
}
VALUES = [math.sin(i) for i in range(1000)]


def histogram(values):
    return {"_type": "histogram", "values": values}


def grid(path):
    image = Image.new("L", (118, 60))
    image.putdata([(3 * y + 5 * x) % 256 for y in range(60) for x in range(118)])
    image.save(path)


def rgb(path, rows):
    image = Image.new("RGB", (20, 16))
    image.putdata([tuple((7 * y + 11 * x + 50 * c) % 256 for c in range(3)) for y in rows for x in range(20)])
    image.save(path)


def two_pictures(folder):
    """The paths of grid and of grid transposed."""
    straight, transposed = (os.path.join(folder, name) for name in ("grid.png", "transposed.png"))
    grid(straight)
    Image.open(straight).transpose(Image.Transpose.TRANSPOSE).save(transposed)
    return straight, transposed
