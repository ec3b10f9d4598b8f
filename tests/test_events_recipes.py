"""The recipes of docs/shipping.md for TensorBoard, MLflow and W&B, with stand-ins for packages that are not here."""

import json
import re
import sys
from pathlib import Path
from types import ModuleType
from unittest.mock import MagicMock

import pytest

PAGE = (Path(__file__).parents[1] / "docs" / "shipping.md").read_text("utf-8")
BLOCKS = re.findall(r"```text\n(import json.*?)```", PAGE, re.DOTALL)
KEYS = ("phase", "regime", "step", "epoch", "loss", "validation_loss", "accuracy")
LINES = [
    ("training", None, None, None, None, None, None),
    ("training", "full", 4, None, 2.5, None, None),
    ("training", "full", 8, 1, 1.5, 1.0, 0.7),
]


@pytest.fixture
def done(monkeypatch, tmp_path):
    """Runs a recipe with a stand-in, and returns that."""
    (tmp_path / "runs/train/page").mkdir(parents=True)
    (tmp_path / "runs/train/page/events.jsonl").write_text(
        "".join(f"{json.dumps(dict(zip(KEYS, line, strict=True)))}\n" for line in LINES)
    )
    monkeypatch.chdir(tmp_path)

    def run(name: str, stand_in: object) -> None:
        monkeypatch.setitem(sys.modules, name, stand_in)
        [block] = [block for block in BLOCKS if name in block]
        assert len(block.strip().splitlines()) <= 8
        exec(compile(block, "docs/shipping.md", "exec"), {})

    return run


def test_tensorboard(done):
    board, writer = ModuleType("torch.utils.tensorboard"), MagicMock()
    board.SummaryWriter = writer  # type: ignore[attr-defined]
    done("torch.utils.tensorboard", board)
    calls = writer.return_value.__enter__.return_value.add_scalar.call_args_list
    assert [each.args for each in calls] == [
        ("full/loss", 2.5, 4),
        ("full/loss", 1.5, 8),
        ("full/validation_loss", 1.0, 8),
        ("full/accuracy", 0.7, 8),
    ]


def test_mlflow(done):
    mlflow = MagicMock()
    done("mlflow", mlflow)
    assert [(each.args[0], each.kwargs["step"]) for each in mlflow.log_metrics.call_args_list] == [
        ({}, 0),
        ({"loss": 2.5}, 4),
        ({"loss": 1.5, "validation_loss": 1.0, "accuracy": 0.7}, 8),
    ]


def test_wandb(done):
    wandb = MagicMock()
    done("wandb", wandb)
    assert wandb.init.call_args.kwargs["mode"] == "offline"
    calls = wandb.init.return_value.__enter__.return_value.log.call_args_list
    assert [each.kwargs["step"] for each in calls] == [None, 4, 8]
