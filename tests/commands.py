"""What tests of the command line share: whether a command went well, or ended as a mistake should."""

from __future__ import annotations


def succeed(result) -> str:
    """What a command printed that must have gone well."""
    assert result.exit_code == 0, result.output
    return result.stdout


def assert_refused(result, *parts: str) -> None:
    """One line on standard error, exit code 2, no traceback."""
    assert result.exit_code == 2, result.output
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    assert result.stderr.startswith("error: ")
    for part in parts:
        assert part in result.stderr
