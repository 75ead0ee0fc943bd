import hashlib
import io
import pickle

import pytest
import torch

from irnet_ray.model.checkpoint import decode, encode

STATE = {
    "weights": {"a": torch.arange(6.0).reshape(2, 3), "b": torch.tensor([1], dtype=torch.int64)},
    "numbers": [1, 2.5, float("inf"), None, True],
    "text": "eV/atom",
}


def with_digest(content):
    return hashlib.sha256(content).digest() + content


def test_what_was_encoded_is_decoded():
    decoded = decode(encode(STATE))
    assert torch.equal(decoded["weights"]["a"], STATE["weights"]["a"])
    assert torch.equal(decoded["weights"]["b"], STATE["weights"]["b"])
    assert decoded["weights"]["b"].dtype == torch.int64
    assert (decoded["numbers"], decoded["text"]) == (STATE["numbers"], STATE["text"])


def test_the_digest_is_that_of_what_torch_saves():
    content = encode(STATE)
    assert content == with_digest(content[32:])
    assert torch.load(io.BytesIO(content[32:]), weights_only=True)["text"] == "eV/atom"


@pytest.mark.parametrize("kept", [0, 1, 31, 32, 33, 0.5, -1])
def test_truncated_bytes_are_no_checkpoint(kept):
    content = encode(STATE)
    assert decode(content[: int(kept * len(content)) if kept == 0.5 else kept]) is None


def test_a_flipped_bit_anywhere_is_noticed():
    content = encode(STATE)
    for position in [0, 31, 32, len(content) - 1, *range(40, len(content), 97)]:
        altered = bytearray(content)
        altered[position] ^= 1
        assert decode(bytes(altered)) is None


def test_added_bytes_are_noticed():
    assert decode(encode(STATE) + b"\0") is None


class Malicious:
    opened = False

    def __reduce__(self):
        return (setattr, (Malicious, "opened", True))


def test_objects_are_refused_even_with_a_right_digest():
    buffer = io.BytesIO()
    torch.save({"state": Malicious()}, buffer)
    for content in (buffer.getvalue(), pickle.dumps(Malicious(), protocol=2)):
        with pytest.raises(pickle.UnpicklingError):
            decode(with_digest(content))
    assert not Malicious.opened
    pickle.loads(pickle.dumps(Malicious()))
    assert Malicious.opened
