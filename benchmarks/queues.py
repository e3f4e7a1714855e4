"""How often a work queue is told from people's own texts, and how fast.

    python benchmarks/queues.py [--pools DIR] [--seeds 20]

Each case is one template family on a night: so many accounts, so many requests each, slots filled from pools
of real prompts. Printed: the share of each verdict over
the seeds, by case, and the speed of each loop on made-up rows.

Requests per account: `even` gives every account the same number, `random` deals them at random, `people`
draws a geometric count with that mean. Own texts with even loads are the hard case: nothing but the texts can
tell. OASST's conversations are mostly one prompt long, so that an account of it is a handful of strangers'
prompts: with even loads a dealt list by construction.
"""

import argparse
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from detector import text
from detector.kernels import queues as kernels
from detector.text import queues

ROOT = Path(__file__).resolve().parent.parent
POOLS = ROOT.parent / "shared" / "pools"

TEMPLATE = (
    "You are helping to prepare study material. Work through the task below slowly, write out every step of "
    "the reasoning that leads to the answer, check it once more, and put the final answer alone on the last "
    "line. Task: {} Remember to show all of the intermediate steps and to finish with the answer on its own "
    "line."
)
FRAMES = (
    TEMPLATE,
    "Work through the task below slowly and check it once more. {} Show all of the intermediate steps and "
    "finish with the answer on its own line, as it will be used to prepare study material.",
    "Write out every step of the reasoning that leads to the answer, and put the final answer alone on the "
    "last line. Here is the task: {} End of the task. Check it once more before you answer.",
)
"""One instruction in three wordings."""

Uses = list[tuple[int, str]]
"""(account, prompt), in the order they were sent."""

Rng = np.random.Generator


@cache
def pool(folder: Path, name: str) -> list[tuple[str, str]]:
    """(conversation, prompt) of one pool; a prompt without a conversation is its own."""
    frame = pl.read_parquet(folder / f"{name}.parquet", columns=["group_id", "prompt"])
    return [(group or str(n), prompt[:3_000]) for n, (group, prompt) in enumerate(frame.rows())]


@cache
def listed(folder: Path, name: str) -> list[str]:
    """A list that can be dealt out: different items of one data set, in its order."""
    if name == "gsm8k":
        prompts = [prompt for _, prompt in pool(folder, "hardneg_gsm8k_harness")]
        frame = pl.read_parquet(folder / "hardneg_gsm8k_harness.parquet", columns=["prompt"])
        prompts = frame["prompt"].to_list()
        return [prompt.rsplit("Question:", 1)[1].removesuffix("\nAnswer:").strip() for prompt in prompts]
    return list(dict.fromkeys(prompt for _, prompt in pool(folder, name)))


def counts(rng: Rng, n_accounts: int, each: int, loads: str) -> list[int]:
    """Requests of every account, at least one."""
    if loads == "even":
        return [each] * n_accounts
    if loads == "random":  # dealt at random: a Poisson count, 0 is not seen
        return np.maximum(
            np.bincount(rng.integers(0, n_accounts, n_accounts * each), minlength=n_accounts), 1
        ).tolist()
    return rng.geometric(1 / each, n_accounts).tolist()


def conversations(folder: Path, name: str, rng: Rng) -> list[list[str]]:
    """The conversations of a pool in random order; a copy of another's prompt is left out."""
    groups: dict[str, list[str]] = {}
    for group, prompt in pool(folder, name):
        groups.setdefault(group, []).append(prompt)
    told = {prompt: group for group, prompts in groups.items() for prompt in prompts}
    whole = [[prompt for prompt in prompts if told[prompt] == group] for group, prompts in groups.items()]
    rng.shuffle(whole)
    return whole


def dealt(
    folder: Path, name: str, rng: Rng, sizes: Sequence[int], frames: Sequence[str] = (TEMPLATE,)
) -> Uses:
    """One list dealt out in random order."""
    items = listed(folder, name)
    order = rng.permutation(len(items))
    if sum(sizes) > len(items):
        raise IndexError
    owners = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return [
        (int(owner), frames[int(rng.integers(len(frames)))].format(items[at]))
        for owner, at in zip(owners, order, strict=False)
    ]


def own(folder: Path, name: str, rng: Rng, sizes: Sequence[int], frame: str = TEMPLATE) -> Uses:
    """Everybody's own conversations in one application's template; whole conversations, cut to size."""
    whole = conversations(folder, name, rng)
    uses: Uses = []
    for account, size in enumerate(sizes):
        mine: list[str] = []
        while len(mine) < size:
            mine += whole.pop()
        uses += [(account, frame.format(prompt)) for prompt in mine[:size]]
    return uses


def mixture(folder: Path, rng: Rng, sizes: Sequence[int]) -> Uses:
    """A list dealt to four accounts in five, own texts in the fifth."""
    people = max(len(sizes) // 5, 1)
    harvest = dealt(folder, "gsm8k", rng, sizes[people:])
    return [(account + people, prompt) for account, prompt in harvest] + own(
        folder, "benign_wildchat", rng, sizes[:people]
    )


def one_text(folder: Path, rng: Rng, sizes: Sequence[int]) -> Uses:
    prompt = TEMPLATE.format(listed(folder, "gsm8k")[int(rng.integers(1_000))])
    return [(account, prompt) for account, size in enumerate(sizes) for _ in range(size)]


def exercises(folder: Path, rng: Rng, sizes: Sequence[int]) -> Uses:
    """A class: everybody works on a few of twelve exercises."""
    items = rng.permutation(1_300)[:12]
    tasks = listed(folder, "gsm8k")
    return [
        (account, TEMPLATE.format(tasks[at]))
        for account, size in enumerate(sizes)
        for at in rng.permutation(items)[:size]
    ]


def prints_of(prompts: Sequence[str]) -> text.Fingerprints:
    return text.fingerprint(pa.array(prompts, pa.string()), weights=text.classifier().weights)


def flat(prints: text.Fingerprints) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    return prints.shingles.flatten().to_numpy(), prints.shingles.offsets.to_numpy().astype(np.int64)


def shared_by_many(shingles: npt.NDArray[np.uint32], starts: npt.NDArray[np.int64]) -> npt.NDArray[np.uint32]:
    """The pieces of the template: what a fifth of the texts hold, ascending; as many as a warehouse keeps."""
    texts = np.repeat(np.arange(len(starts) - 1), np.diff(starts)).astype(np.uint64)
    held = np.unique(texts << np.uint64(32) | shingles.astype(np.uint64)) & np.uint64(0xFFFFFFFF)
    values, n_texts = np.unique(held.astype(np.uint32), return_counts=True)
    kept: npt.NDArray[np.uint32] = values[5 * n_texts >= len(starts) - 1][:128]
    return kept


def measured(uses: Uses, *, seen: float = 0.0, known: queues.KnownSets | None = None) -> queues.Queues:
    """These requests judged as one family. `seen` of the items are old."""
    account = np.array([account for account, _ in uses], np.int32)
    prints = prints_of([prompt for _, prompt in uses])
    shingles, starts = flat(prints)
    item = prints.text_hash.to_numpy()
    family_shingles = shared_by_many(shingles, starts)
    of = np.zeros(len(uses), np.int32)
    projection, n_slot = queues.project_slots(
        shingles, starts, of, family_shingles, np.array([0, len(family_shingles)])
    )
    classes = text.classify(prints)
    traits = queues.slot_traits(
        prints.n_bytes.to_numpy(),
        prints.n_tokens.to_numpy(),
        prints.script.to_numpy(),
        classes.capability.to_numpy(),
        projection,
        n_slot,
    )
    located = {}
    if known is not None:
        known_set, position = queues.locate(shingles, starts, known)
        located = {"known_set": known_set, "set_position": position, "set_sizes": known.sizes}
    old = (item % np.uint64(1_000) < np.uint64(1_000 * seen)).astype(np.int8)
    return queues.judge(
        of, account, item, np.arange(len(uses)) * 1_000_000, traits, 1, nights_before=old, **located
    )


Case = tuple[str, Callable[[Rng, Sequence[int]], Uses], dict[str, float], tuple[str, ...]]


def cases(folder: Path) -> list[Case]:
    """(name, how it is made, what else is known, loads)."""
    return [
        ("GSM8K dealt", lambda rng, n: dealt(folder, "gsm8k", rng, n), {}, ("even", "random")),
        ("GSM8K dealt, three wordings", lambda rng, n: dealt(folder, "gsm8k", rng, n, FRAMES), {}, ("even",)),
        (
            "GPTeacher dealt",
            lambda rng, n: dealt(folder, "distill_gpteacher", rng, n),
            {},
            ("even", "random"),
        ),
        ("GSM8K dealt, 20 % own texts", lambda rng, n: mixture(folder, rng, n), {}, ("even",)),
        ("own: WildChat", lambda rng, n: own(folder, "benign_wildchat", rng, n), {}, ("even", "people")),
        (
            "own: Lobe agents",
            lambda rng, n: own(folder, "benign_lobe_agents", rng, n),
            {},
            ("even", "people"),
        ),
        (
            "OASST Chinese, drawn at random",
            lambda rng, n: own(folder, "benign_oasst_zh", rng, n),
            {},
            ("even", "people"),
        ),
        ("nightly suite", lambda rng, n: dealt(folder, "gsm8k", rng, n), {"seen": 0.95}, ("even",)),
        ("one text", lambda rng, n: one_text(folder, rng, n), {}, ("people",)),
        ("twelve exercises", lambda rng, n: exercises(folder, rng, n), {}, ("people",)),
    ]


def verdicts(folder: Path, n_seeds: int) -> None:
    print(f"{'case':32} {'loads':7} {'accounts':>8} {'each':>4}  icc +- error; verdicts over {n_seeds} seeds")
    for name, make, more, all_loads in cases(folder):
        for loads in all_loads:
            for n_accounts in (30, 100, 300):
                for each in (2, 4, 6):
                    found: Counter[str] = Counter()
                    icc: list[tuple[float, float]] = []
                    for seed in range(n_seeds):
                        rng = np.random.default_rng([seed, n_accounts, each])
                        sizes = counts(rng, n_accounts, each, loads)
                        try:
                            uses = make(rng, sizes)
                        except IndexError:  # the pool is too small for so many
                            continue
                        result = measured(uses, **more)
                        found[queues.VERDICTS[int(result.verdict[0])]] += 1
                        icc.append((float(result.own_text_icc[0]), float(result.own_text_error[0])))
                    if not found:
                        continue
                    mean, error = np.mean(icc, axis=0)
                    shares = ", ".join(f"{code} {n / found.total():.2f}" for code, n in found.most_common())
                    print(
                        f"{name:32} {loads:7} {n_accounts:8} {each:4}  {mean:6.3f} +- {error:.3f}  {shares}",
                        flush=True,
                    )


def speed() -> None:
    """Rows a second of each loop on made-up rows; the best of five."""
    rng = np.random.default_rng(1)
    n, per_row = 200_000, 100
    shingles = rng.integers(0, 2**32, n * per_row, dtype=np.uint32)
    starts = np.arange(0, n * per_row + 1, per_row, dtype=np.int64)
    family = rng.integers(0, 200, n).astype(np.int32)
    account = rng.integers(0, 40_000, n).astype(np.int32)
    item = rng.integers(0, 2**63, n).astype(np.uint64)
    sent_at = rng.integers(0, 86_400_000_000, n)
    family_shingles = np.sort(rng.integers(0, 2**32, (200, 128), dtype=np.uint32), axis=1).reshape(-1)
    family_starts = np.arange(0, 200 * 128 + 1, 128, dtype=np.int64)
    known = queues.known_sets(["list"], [(shingles[: 20_000 * per_row], starts[:20_001])])
    projection, n_slot = queues.project_slots(shingles, starts, family, family_shingles, family_starts)
    traits = queues.slot_traits(n_slot, n_slot, n_slot % 4, n_slot % 15, projection, n_slot)
    set_code, position = queues.locate(shingles, starts, known)
    runs: dict[str, Callable[[], object]] = {
        "project_slots": lambda: queues.project_slots(shingles, starts, family, family_shingles,
        family_starts), "locate": lambda: queues.locate(shingles, starts, known),
        "judge": lambda: queues.judge(
            family, account, item, sent_at, traits, 200,
            known_set=set_code, set_position=position, set_sizes=known.sizes,
        ),
    }  # fmt: skip
    for name, run in runs.items():
        run()
        best = min(_seconds(run) for _ in range(5))
        print(
            f"{name:16} {n / best:12,.0f} rows/s ({per_row} shingles a row, {kernels.PROJECTED} dimensions)"
        )


def _seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pools", type=Path, default=POOLS, help="folder of real prompt pools")
    parser.add_argument("--seeds", type=int, default=20)
    chosen = parser.parse_args()
    speed()
    verdicts(chosen.pools, chosen.seeds)


if __name__ == "__main__":
    main()
