"""Train detector/text/data/classifier.npz and measure it: `python -m tools.classifier POOLS_DIR`.

Reads pools of real prompts (their schema: docs/reference/classifier.md) and the frames of phrases/, writes
the weights, and fills the figures of docs/reference/classifier.md. A source is either trained and tuned on or
reported on. The same pools give the same bytes.
"""

import argparse
from pathlib import Path

from threadpoolctl import threadpool_limits

from tools.classifier.card import figures, write_card
from tools.classifier.fitting import SEED, save, scored, train
from tools.classifier.frames import with_frames
from tools.classifier.rows import (
    FOLDS,
    REPORTED,
    ROWS_PER_POOL,
    TRAINED_ROWS_PER_POOL,
    read_pools,
    rows_of,
)

WEIGHTS_FILE = Path(__file__).parents[2] / "detector/text/data/classifier.npz"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("pools", type=Path, help="folder of prompt pools in Parquet")
    parser.add_argument("--out", type=Path, default=WEIGHTS_FILE, help="where the weights go")
    parser.add_argument("--rows-per-pool", type=int, default=TRAINED_ROWS_PER_POOL)
    parser.add_argument("--frames", type=int, default=300, help="rows of each kind from our English frames")
    parser.add_argument("--no-card", action="store_true", help="leave docs/reference/classifier.md as it is")
    arguments = parser.parse_args()
    trained = [pool for fold in FOLDS for pool in fold]
    pools = read_pools(arguments.pools, trained, rows_per_pool=arguments.rows_per_pool)
    frames = {"english": arguments.frames, "other": max(2, arguments.frames // 3)}
    with threadpool_limits(limits=1):  # sums in one order, so that the same pools give the same bytes
        model, tuned = train(pools, **frames)
        save(model, arguments.out)
        size_bytes = arguments.out.stat().st_size
        if arguments.no_card:
            print(f"{arguments.out.name}: {size_bytes} bytes")
            return
    report_rows = rows_of(read_pools(arguments.pools, REPORTED, rows_per_pool=ROWS_PER_POOL), [REPORTED])
    with_held = with_frames(report_rows, part="held", seed=SEED + 1, english=100, other=40)
    held = scored(model, with_held[len(report_rows) :])
    text = figures(model, size_bytes, tuned, scored(model, report_rows), held)
    write_card(text)
    print(text)


if __name__ == "__main__":
    main()
