"""Puts what was measured into the README and the pages of docs/, between markers, from the files in docs/ alone.

`make pages` runs it; `python docs/build_pages.py --keep runs/NAME` copies a run's results to docs/ first. Benchmarks
write theirs with `--output docs/measured/NAME.csv`, and `benchmarks/featurize.py` with `--store docs/featurizing`.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path

DOCS = Path(__file__).parent
ROOT = DOCS.parent
sys.path[:0] = [str(DOCS), str(ROOT / "benchmarks")]

from measured_blocks import featurizing, measured  # noqa: E402
from result_blocks import FIGURES, closeness, kept_files, study, verdict_summary  # noqa: E402
from run_blocks import best, keep, quickstart  # noqa: E402

Block = Callable[[], str]
PAGES: dict[str, dict[str, Block]] = {
    "README.md": {"quickstart": quickstart, "closeness": closeness, "best": best, "featurizing": featurizing},
    "docs/results.md": {"summary": verdict_summary, **{name.partition("-")[0]: study(name) for name in FIGURES}},
    "docs/training.md": {
        name: measured(name) for name in ("train_step", "study_overhead", "workers", "memory", "devices")
    },
    "docs/cluster.md": {"many_trials": measured("many_trials")},
    "docs/stored-data.md": {"report": measured("report")},
    "docs/recipes.md": {
        **{name: measured(name) for name in ("time_to_error", "fast_oqmd", "fast_decay", "fast_mp", "best_oqmd")},
        "best": best,
    },
}


def rebuilt(page: str) -> str:
    """A page's text with all its blocks as they should be."""
    text = (ROOT / page).read_text()
    for name, block in PAGES[page].items():
        pattern = rf"(<!-- {name}: written by .*? -->\n).*?(<!-- {name} ends -->)"
        text, count = re.subn(
            pattern, lambda found, block=block: f"{found[1]}{block()}\n{found[2]}", text, flags=re.DOTALL
        )
        if count != 1:
            raise SystemExit(f"{page}: the markers of {name} stand {count} times, not once")
    return text


def main() -> None:
    """Rewrites the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, action="append", default=[], metavar="RUN", help="copy its results first")
    for run in parser.parse_args().keep:
        keep(run, kept_files(run.name))
    for page in PAGES:
        (ROOT / page).write_text(rebuilt(page))


if __name__ == "__main__":
    main()
