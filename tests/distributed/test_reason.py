"""Why a trial's process ended, by what Tune wrote of each try."""

from __future__ import annotations

from types import SimpleNamespace

from irnet_ray.distributed.run import _reason
from irnet_ray.study.execute import OUT_OF_MEMORY

FAILED = "Failure # {number} (occurred at 2026-11-28_01-49-01)\n{text}\n"
LACK = "ray.exceptions.RayActorError: OutOfMemoryError: 1 worker(s) were killed due to the node running low on memory."
LOST = "The actor died because its node has died."


def reason(tmp_path, *texts):
    file = tmp_path / "error.txt"
    file.write_text("".join(FAILED.format(number=number + 1, text=text) for number, text in enumerate(texts)))
    return _reason(SimpleNamespace(error_file=str(file)))


def test_lack_of_memory_is_said_in_our_words(tmp_path):
    assert reason(tmp_path, f"{LACK}\nTo disable worker killing, set a variable.") == OUT_OF_MEMORY


def test_the_last_try_counts(tmp_path):
    assert reason(tmp_path, LACK, LOST) == LOST
    assert reason(tmp_path, LOST, LACK) == OUT_OF_MEMORY


def test_nothing_told_is_told():
    assert _reason(SimpleNamespace(error_file=None)) == "Ray does not tell why"
