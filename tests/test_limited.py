"""A process of its own takes as much memory and time as it may, and its parent lives on."""

import os
import time

import pytest
import torch

from styletransfer.limited import TooMuch, run_limited


def take(gigabytes: float) -> int:
    return torch.zeros(int(gigabytes * 1e9), dtype=torch.uint8).fill_(1).numel()


def nest(depth: int) -> list:
    made: list = []
    for _ in range(depth):
        made = [made]
    return made


def test_it_answers_and_runs_elsewhere():
    assert run_limited(os.getpid) != os.getpid()
    assert run_limited(sorted, [2, 1]) == [1, 2]
    assert run_limited(take, 0.2, memory=1_000_000_000) == 200_000_000


def test_memory_is_limited():
    with pytest.raises(TooMuch):
        run_limited(take, 2.5, memory=1_000_000_000)
    with pytest.raises(TooMuch):  # of Python, not of torch
        run_limited(bytearray, 2_500_000_000, memory=1_000_000_000)


def test_time_is_limited():
    start = time.monotonic()
    with pytest.raises(TooMuch):
        run_limited(time.sleep, 60, seconds=0.3)
    assert time.monotonic() - start < 20


def test_a_death_is_no_answer():
    with pytest.raises(TooMuch):
        run_limited(os._exit, 0)


def test_errors_are_one_line():
    with pytest.raises(ValueError, match=r"^invalid literal for int"):
        run_limited(int, "x")
    with pytest.raises(ValueError, match=r"^KeyError: 'a'$"):
        run_limited({}.__getitem__, "a")
    with pytest.raises(ValueError, match="No such file"):
        run_limited(os.stat, "/no such file")
