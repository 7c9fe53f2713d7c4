"""Claims: one owner at a time, and none that stays when its owner is gone."""

import json
import os
import platform
import subprocess
import sys
import time

import pytest

from graphlab.benchmark import claims
from graphlab.benchmark.claims import Claim


def leave(tmp_path, content, age=0.0):
    """A claim file as another process would have left it."""
    path = tmp_path / ".claims" / "cell.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    os.utime(path, (time.time() - age,) * 2)
    return path


@pytest.fixture
def dead_pid():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_claim_has_one_owner_and_ends_with_it(tmp_path):
    with Claim(tmp_path, "cell") as first:
        assert first.acquired
        with Claim(tmp_path, "cell") as second, Claim(tmp_path, "other") as other:
            assert not second.acquired and other.acquired
        # The one that did not get it must not remove it either.
        assert claims.read_claim(first.path)["pid"] == os.getpid()
        assert first.path in claims.claims_of(tmp_path, os.getpid())
    with Claim(tmp_path, "cell") as third:
        assert third.acquired


def test_a_claim_is_given_back_when_the_work_fails(tmp_path):
    with pytest.raises(KeyboardInterrupt), Claim(tmp_path, "cell"):
        raise KeyboardInterrupt
    assert not list((tmp_path / ".claims").glob("*.json"))


def test_the_claim_of_a_dead_process_is_taken_over(tmp_path, dead_pid):
    dead = {"pid": dead_pid, "process_started": "123", "host": platform.node()}
    leave(tmp_path, dead)
    with Claim(tmp_path, "cell") as claim:
        assert claim.acquired


def test_a_reused_process_number_is_no_owner(tmp_path):
    if not os.path.exists("/proc/self/stat"):
        pytest.skip("needs /proc to tell processes apart")
    other = {"pid": os.getpid(), "process_started": "1", "host": platform.node()}
    leave(tmp_path, other)
    with Claim(tmp_path, "cell") as claim:
        assert claim.acquired


def test_on_other_hosts_the_heartbeat_decides(tmp_path, dead_pid):
    far = {"pid": dead_pid, "process_started": "1", "host": "elsewhere"}
    leave(tmp_path, far)
    with Claim(tmp_path, "cell") as claim:
        assert not claim.acquired
    leave(tmp_path, far, age=claims.STALE_AFTER + 5)
    with Claim(tmp_path, "cell") as claim:
        assert claim.acquired


def test_an_empty_claim_is_respected_only_while_it_may_be_being_written(tmp_path):
    leave(tmp_path, "")
    with Claim(tmp_path, "cell") as claim:
        assert not claim.acquired
    leave(tmp_path, "", age=claims.HEARTBEAT + 5)
    with Claim(tmp_path, "cell") as claim:
        assert claim.acquired


def test_a_dead_sibling_is_left_to_the_parent(tmp_path, dead_pid):
    dead = {"pid": dead_pid, "process_started": "1", "host": platform.node()}
    leave(tmp_path, {**dead, "sweep": "s"})
    with Claim(tmp_path, "cell", {"sweep": "s"}) as claim:
        assert not claim.acquired
    with Claim(tmp_path, "cell", {"sweep": "another"}) as claim:
        assert claim.acquired


def test_the_heartbeat_touches_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "HEARTBEAT", 0.02)
    with Claim(tmp_path, "cell") as claim:
        os.utime(claim.path, (0, 0))
        deadline = time.time() + 5
        while claim.path.stat().st_mtime == 0 and time.time() < deadline:
            time.sleep(0.01)
        assert claim.path.stat().st_mtime > 0


def test_an_owner_that_was_replaced_does_not_remove_its_successor(tmp_path):
    with Claim(tmp_path, "cell") as claim:
        successor = {"pid": 1, "process_started": "1", "host": "elsewhere"}
        path = leave(tmp_path, successor)
        assert claim.path == path
    assert claims.read_claim(path) == successor


def test_a_stale_claim_on_finished_work_is_cleared(tmp_path, dead_pid):
    path = leave(tmp_path, {"pid": dead_pid, "host": platform.node()})
    Claim(tmp_path, path.stem).clear()
    assert not path.exists()
    Claim(tmp_path, path.stem).clear()  # nothing there: nothing to do
    with Claim(tmp_path, "cell") as owner:
        Claim(tmp_path, "cell").clear()
        assert owner.path.exists()  # somebody stands behind it
