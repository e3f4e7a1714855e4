"""What texts of every size and kind cost the text stage, and whether any cost grows faster than its texts.

    python benchmarks/text_sizes.py [--megabytes 80] [--runs 2]

Nights of equal bytes are fingerprinted and classified, and their families learnt and looked up, on one
thread; each is compared, byte for byte, with a plain night: the prompts of scan_throughput's files. Then
plain and hostile nights are doubled three times: an exponent of 1 is linear. All by processor time, since
machines are busy. Hashes are secret on a real night, so nobody can prepare texts that collide.
"""

import argparse
import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scan_throughput import machine, make_logs, versions
from text_speed import BATCH_ROWS, batches, flat

from detector import text

PROMPT_BYTES = 800
TEXTS_PER_ACCOUNT = 16
SIZES = (100, 800, 10_000, 100_000, 1_000_000)
DOUBLINGS = 4
SEED = 1

Bytes = npt.NDArray[np.uint8]
Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Night:
    """Texts, and the account of each."""

    texts: pa.LargeStringArray
    account: npt.NDArray[np.int32]

    @property
    def n_bytes(self) -> int:
        return int(self.texts.buffers()[2].size)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--megabytes", type=float, default=40, help="text of each night")
    parser.add_argument("--runs", type=int, default=2, help="measurements to take the best of")
    parser.add_argument("--rows", type=int, default=1_000_000, help="requests of the night it is cut from")
    options = parser.parse_args()
    text.warm_up()
    n_bytes = int(options.megabytes * 1e6)
    plain = plain_bytes(options.rows, n_bytes)
    print(f"machine   {machine()}; load {os.getloadavg()[0]:.1f}\nversions  {versions()}\n")
    print_costs(nights(plain), options.runs)
    print()
    print_doublings(plain, options.runs)


# -- nights ----------------------------------------------------------------------------------------


def plain_bytes(n_rows: int, n_bytes: int) -> Bytes:
    """The plain night's prompts, one behind the other."""
    logs = make_logs(n_rows)
    pieces, n_read = [], 0
    for prompts, _ in batches(logs, n_rows):
        pieces.append(np.frombuffer(prompts.buffers()[2], np.uint8))
        n_read += len(pieces[-1])
        if n_read >= n_bytes:
            break
    return np.resize(np.concatenate(pieces), n_bytes)


def cut(data: Bytes, size: int, *, n_accounts: int | None = None) -> Night:
    """Texts of `size` bytes; a cut may go through a letter, as bytes from logs may."""
    n = max(len(data) // size, 1)
    offsets = np.arange(n + 1, dtype=np.int64) * size
    texts = pa.LargeStringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(data[: n * size]))
    if n_accounts is None:
        n_accounts = max(n // TEXTS_PER_ACCOUNT, min(n, 50))
    return Night(texts, (np.arange(n) % n_accounts).astype(np.int32))


def as_bytes(letters: str) -> Bytes:
    return np.frombuffer(letters.encode(), np.uint8)


def vocabulary(n_words: int, rng: Rng) -> Bytes:
    """Words of seven letters and a space, shape (n_words, 8)."""
    words = rng.integers(ord("a"), ord("z") + 1, (n_words, 8)).astype(np.uint8)
    words[:, 7] = ord(" ")
    return words


def drawn(n_bytes: int, n_words: int, rng: Rng) -> Bytes:
    """Text of words drawn from a vocabulary."""
    return vocabulary(n_words, rng)[rng.integers(0, n_words, n_bytes // 8)].ravel()


def phrases(n_bytes: int, n_phrases: int, rng: Rng, words: int = 8) -> Bytes:
    """Text of phrases drawn from a stock, each of so many words that no other has."""
    stock = vocabulary(n_phrases * words, rng).reshape(n_phrases, words * 8)
    return stock[rng.integers(0, n_phrases, n_bytes // (words * 8))].ravel()


def one_template(n_bytes: int, rng: Rng, fixed: int = 600) -> Bytes:
    """The same `fixed` bytes in every text of PROMPT_BYTES, then words of its own."""
    data = drawn(n_bytes // PROMPT_BYTES * PROMPT_BYTES, 100_000, rng).reshape(-1, PROMPT_BYTES)
    data[:, :fixed] = drawn(fixed, 100_000, rng)
    return data.ravel()


def nested_templates(n_bytes: int, rng: Rng) -> Bytes:
    """Text i shares with others a beginning of a length of its own: every share of common texts occurs."""
    data = drawn(n_bytes // PROMPT_BYTES * PROMPT_BYTES, 100_000, rng).reshape(-1, PROMPT_BYTES)
    shared = drawn(PROMPT_BYTES, 100_000, rng)
    is_shared = np.arange(PROMPT_BYTES) < 8 * rng.integers(0, PROMPT_BYTES // 8, (len(data), 1))
    return np.where(is_shared, shared, data).ravel()


def nights(plain: Bytes) -> Iterator[tuple[str, Night]]:
    """Every kind of night; the plain one first."""
    n = len(plain)
    rng = np.random.default_rng(SEED)
    yield "plain", cut(plain, PROMPT_BYTES)
    for size in SIZES:
        yield f"texts of {size:,} bytes", cut(plain, size)
    yield f"{n // 100:,} equal prompts", cut(np.resize(plain[:100], n), 100)
    yield "one account sends everything", cut(plain, PROMPT_BYTES, n_accounts=1)
    yield "an account a text", cut(plain, PROMPT_BYTES, n_accounts=n)
    yield "one letter repeated", cut(np.resize(as_bytes("a"), n), PROMPT_BYTES)
    yield "words of one letter", cut(np.resize(as_bytes("a "), n), PROMPT_BYTES)
    letters = rng.integers(ord("a"), ord("z") + 1, n).astype(np.uint8)
    letters[1::2] = ord(" ")
    yield "words of one random letter", cut(letters, PROMPT_BYTES)
    yield "digits alone", cut(rng.integers(ord("0"), ord("9") + 1, n).astype(np.uint8), PROMPT_BYTES)
    han = np.array([chr(0x4E00 + at).encode() for at in range(3_000)])
    yield "Han alone", cut(np.frombuffer(han[rng.integers(0, 3_000, n // 3)].tobytes(), np.uint8), 801)
    yield "invalid bytes alone", cut(rng.integers(0x80, 0x100, n).astype(np.uint8), PROMPT_BYTES)
    yield "one template by all", cut(one_template(n, rng), PROMPT_BYTES)
    yield "beginnings of all lengths", cut(nested_templates(n, rng), PROMPT_BYTES)
    yield "words of 40", cut(drawn(n, 40, rng), PROMPT_BYTES)
    yield "words of 12", cut(drawn(n, 12, rng), PROMPT_BYTES)
    for n_phrases in (50, 1_000, 20_000):
        yield f"phrases of {n_phrases:,}", cut(phrases(n, n_phrases, rng), PROMPT_BYTES)


# -- measuring -------------------------------------------------------------------------------------


def best(runs: int, work: Callable[[], object]) -> float:
    """Least processor seconds."""
    seconds = []
    for _ in range(runs):
        used = time.process_time()
        work()
        seconds.append(time.process_time() - used)
    return min(seconds)


def costs(night: Night, runs: int, *, whole: bool = False) -> tuple[float, float, float]:
    """Processor seconds to fingerprint and classify, to learn families, and to look them up.

    whole : families are learnt of all texts, as no night does it, instead of the sample
    """
    weights = text.classifier().weights

    def fingerprint() -> None:
        for first in range(0, len(night.texts), BATCH_ROWS):
            text.classify(text.fingerprint(night.texts.slice(first, BATCH_ROWS), weights=weights))

    fingerprinting = best(runs, fingerprint)
    prints = text.fingerprint(night.texts)
    shingles, starts = flat(prints.shingles)
    account, hashes = night.account, np.array(prints.text_hash)
    most = len(hashes) if whole else text.texts_per_account(np.bincount(account))

    def learn() -> text.FamilyIndex:
        return text.learn_families(shingles, starts, account, hashes, text.sampled(account, hashes, most))

    families = learn()
    return fingerprinting, best(runs, learn), best(runs, lambda: families.held_by(shingles, starts))


def print_costs(kinds: Iterator[tuple[str, Night]], runs: int) -> None:
    """Nanoseconds of processor time a byte, and how many times those of the plain night."""
    print("processor nanoseconds a byte, and times the plain night's")
    print(f"{'night':<30}{'texts':>10}{'fingerprint':>18}{'learn families':>18}{'look up':>16}{'all':>8}")
    usual: list[float] = []
    for name, night in kinds:
        seconds = costs(night, runs)
        by_byte = [1e9 * spent / night.n_bytes for spent in (*seconds, sum(seconds))]
        usual = usual or by_byte
        fingerprinting, learning, looking, _ = (
            f"{spent:.2f}  {spent / plain:5.2f} x" for spent, plain in zip(by_byte, usual, strict=True)
        )
        times = by_byte[-1] / usual[-1]
        print(
            f"{name:<30}{len(night.texts):>10,}{fingerprinting:>18}{learning:>18}{looking:>16}{times:6.2f} x"
        )


def print_doublings(plain: Bytes, runs: int) -> None:
    """Seconds and exponents for n, 2n, 4n and 8n texts, all of them in the sample.

    With words of 40 one step costs more: there are about a million shingles of so few words, and from 50,000
    texts on five accounts hold them. From 200,000 texts, the largest sample, to 400,000 the step is 1 again;
    to 800,000 it is 1.45, and the sketch of pairs has reached its largest size.
    """
    print("doubling: processor seconds, and the exponent of each step (1 is linear)")
    for name in ("plain", "one template", "beginnings", "words of 40", "phrases of 1,000", "equal prompts"):
        rows = [
            costs(cut(doubled(name, plain, step), PROMPT_BYTES), runs, whole=True)
            for step in range(DOUBLINGS)
        ]
        print(f"{name}, {len(doubled(name, plain, 0)) // PROMPT_BYTES:,} texts and up")
        for part, seconds in zip(
            ("fingerprint", "learn families", "look up"), zip(*rows, strict=True), strict=True
        ):
            steps = pairwise(seconds)
            exponents = "".join(f"{math.log2(after / before):7.2f}" for before, after in steps)
            print(f"  {part:<16}" + "".join(f"{spent:9.3f}" for spent in seconds) + "   " + exponents)


def doubled(name: str, plain: Bytes, step: int) -> Bytes:
    """The text of such a night after so many doublings; the last has all bytes."""
    n = len(plain) >> (DOUBLINGS - 1 - step)
    rng = np.random.default_rng(SEED)
    made: dict[str, Callable[[], Bytes]] = {
        "plain": lambda: plain[:n],
        "one template": lambda: one_template(n, rng),
        "beginnings": lambda: nested_templates(n, rng),
        "words of 40": lambda: drawn(n, 40, rng),
        "phrases of 1,000": lambda: phrases(n, 1_000, rng),
        "equal prompts": lambda: np.resize(plain[:PROMPT_BYTES], n),
    }
    return made[name]()


if __name__ == "__main__":
    main()
