import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from graphlab.errors import ArgumentError, GraphlabError
from graphlab.lora import (
    PreferenceCollator,
    RewardModel,
    UserVectors,
    cache_prefix,
    reward_trainer,
    score_pairs,
    tiny_phi3,
)

pytest.importorskip("transformers", reason="the extra 'lm' is not installed")
ROOT = Path(__file__).parents[2]


def problem(number=64):
    """Two groups of users: one prefers texts with token 5, the other those without."""
    generator = torch.Generator().manual_seed(0)
    users = UserVectors(torch.eye(2).repeat(4, 1) + 0.1, list("abcdefgh"))
    texts = torch.randint(10, 64, (number, 6), generator=generator).tolist()
    pairs = []
    for at, text in enumerate(texts):
        user, other = at % 8, [*text[:2], 5, *text[3:]]
        winner, loser = (other, text) if user % 2 else (text, other)
        pairs.append({"user": users.ids[user], "winner": winner, "loser": loser})
    return users, pairs


def made(**settings):
    torch.manual_seed(0)
    chosen = {"num_experts": 2, "rank": 4, "shared_rank": 4, "layers": [1, 2]}
    return RewardModel.with_experts(tiny_phi3(), 2, **{**chosen, **settings})


def train(model, collate, pairs, folder, evaluation=None, **settings):
    chosen = {
        "max_steps": 30,
        "per_device_train_batch_size": 16,
        "learning_rate": 1e-2,
        "use_cpu": True,
    }
    trainer = reward_trainer(
        model, collate, pairs, evaluation, output_dir=folder, **{**chosen, **settings}
    )
    trainer.train(settings.get("resume_from_checkpoint"))
    return trainer


def accuracy(model, collate, pairs):
    rewards = score_pairs(model, collate, pairs)
    return (rewards[:, 0] > rewards[:, 1]).double().mean().item()


def test_learns_what_each_group_prefers(tmp_path):
    users, pairs = problem(128)
    model, collate = made(), PreferenceCollator(users=users)
    before = {n: p.clone() for n, p in model.named_parameters()}
    trainer = train(model, collate, pairs[:96], tmp_path, pairs[96:], max_steps=40)
    assert trainer.evaluate()["eval_accuracy"] == accuracy(model, collate, pairs[96:])
    assert accuracy(model, collate, pairs[96:]) > 0.9
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, before[name]) != parameter.requires_grad, name


@pytest.mark.parametrize(
    "settings",
    [{"bf16": True}, {"activation_checkpointing": True}],
    ids=["bf16", "checkpointing"],
)
def test_options_of_the_trainer(tmp_path, settings):
    users, pairs = problem()
    model, collate = made(), PreferenceCollator(users=users)
    if "activation_checkpointing" in settings:
        texts = [p[side] for p in pairs for side in ("winner", "loser")]
        collate.prefixes = cache_prefix(model, texts)
    train(model, collate, pairs, tmp_path, max_steps=25, **settings)
    assert accuracy(model, collate, pairs) > 0.8


def test_resuming_gives_what_one_run_gives(tmp_path):
    users, pairs = problem()
    collate, models = PreferenceCollator(users=users), []
    saving = {"save_strategy": "steps", "save_steps": 4, "max_steps": 8}
    for resume in (False, True):
        models.append(made())
        train(
            models[-1],
            collate,
            pairs,
            tmp_path,
            **saving,
            resume_from_checkpoint=str(tmp_path / "checkpoint-4") if resume else None,
        )
    folder = tmp_path / "checkpoint-4"
    assert not list(folder.glob("*.bin"))
    size = (folder / "model.safetensors").stat().st_size
    trained = sum(p.numel() for p in models[0].parameters() if p.requires_grad)
    assert size < 4 * trained + 10_000  # not the backbone
    for one, two in zip(*(m.trained_state().values() for m in models), strict=True):
        assert torch.equal(one, two)
    loaded = RewardModel.from_pretrained(tmp_path / "checkpoint-8", tiny_phi3())
    expected = score_pairs(models[0], collate, pairs)
    assert torch.equal(score_pairs(loaded, collate, pairs), expected)


# It leaves by the short way out: at an interpreter's regular end, threads of the store
# of the process group now and then abort the process, when all is done and saved.
WORKER = """
import os, sys
sys.path[:0] = [{tests!r}]
import torch
torch.set_num_threads(1)
from test_training import PreferenceCollator, made, problem, train
users, pairs = problem()
model = made(router={{"noise": 0.0, "top_k": None}})
train(model, PreferenceCollator(users=users), pairs, {out!r}, max_steps=6,
      per_device_train_batch_size=8)
rank = torch.distributed.get_rank()
assert torch.distributed.get_world_size() == 2
assert torch.distributed.get_backend() == "gloo"
model.save_pretrained({out!r} + f"/rank{{rank}}")
torch.distributed.barrier()
torch.distributed.destroy_process_group()
os._exit(0)
"""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def test_two_processes_train_as_one_does(tmp_path):
    """Two processes with 8 preferences each, in the environment of `torchrun`."""
    script = tmp_path / "worker.py"
    script.write_text(
        WORKER.format(tests=str(Path(__file__).parent), out=str(tmp_path))
    )
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    shared = {
        **os.environ,
        "PYTHONPATH": path,
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
        "ACCELERATE_USE_CPU": "true",
        "OMP_NUM_THREADS": "1",
    }
    workers = [
        subprocess.Popen(
            [sys.executable, str(script)],
            env={**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    errors = [worker.communicate(timeout=240)[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], errors
    users, pairs = problem()
    single = made(router={"noise": 0.0, "top_k": None})
    start = {name: each.clone() for name, each in single.trained_state().items()}
    train(single, PreferenceCollator(users=users), pairs, tmp_path / "1", max_steps=6)
    states = [
        RewardModel.from_pretrained(tmp_path / f"rank{rank}", tiny_phi3())
        for rank in range(2)
    ]
    for name, each in single.trained_state().items():
        one, two = (state.trained_state()[name] for state in states)
        assert torch.equal(one, two), name
        if name == "head.lin.bias":  # no gradient but rounding, which Adam magnifies
            continue
        assert_close(one, each, atol=2e-5, rtol=1e-3)
        assert not torch.equal(each, start[name]), name


def test_mistakes(tmp_path):
    users, pairs = problem()
    collate = PreferenceCollator(users=users)
    with pytest.raises(ArgumentError, match="train must hold at least one"):
        reward_trainer(made(), collate, [], output_dir=tmp_path)
    with pytest.raises(ArgumentError, match="evaluation must hold at least one"):
        reward_trainer(made(), collate, pairs, [], output_dir=tmp_path)
    with pytest.raises(ArgumentError, match="args or output_dir"):
        reward_trainer(made(), collate, pairs)
    trainer = reward_trainer(made(), collate, pairs, output_dir=tmp_path, use_cpu=True)
    with pytest.raises(ArgumentError, match="also given: \\['max_steps'\\]"):
        reward_trainer(made(), collate, pairs, args=trainer.args, max_steps=3)
    trainer.args._n_gpu = 2
    with pytest.raises(GraphlabError, match="accelerate launch"):
        reward_trainer(made(), collate, pairs, args=trainer.args)
