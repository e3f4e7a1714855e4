"""How many reworded families are tied to their originals, and how many unrelated ones falsely.

    python benchmarks/paraphrase.py [--pools ../shared/pools] [--side report|tune] [--nights 4]

Part one: nights of families with real instructions and real payloads, forty of them in a second wording by
other accounts; one row per way of rewording, recall per kind of tie, alone and added. Unrelated pairs: all
others but two instructions of our own corpus for one kind of work. Part two: an operator that rewrites every
request, so that it has no template but fragments: how many of them end up in one group, and what else does;
of all of them, and of those with as many shingles as a scan wants of a family.

Skeletons and contract marks are read off the prompts as a scan reads them. Families have 16 requests each. A
scan keeps one slot shingle in 32, which is few of so few; one in four is what it keeps of some 130 requests.

Statistics of detector/text/ties were compared on `tune`, which shares no source with `report`; the
threshold and two guards were set after looking at both.
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa
from paraphrase_world import REWORDINGS, Night, Words, night, read_off, read_words

from detector import text
from detector.text import ties
from pipelines.families import SLOT_SAMPLE, TELLING_SHINGLES
from pipelines.simulate.texts import OwnTexts
from pipelines.simulate.texts.paraphrase import paraphrased
from pipelines.templates import SKELETON_CHARS

POOLS = Path(__file__).resolve().parent.parent.parent / "shared" / "pools"
COLUMNS = ("contract", "source", "wording", "contract+wording", "all")
THEMES = ("grading", "reasoning", "extract", "judging", "safety_rewrite")


def kinds_of(one: Night) -> dict[str, ties.Ties]:
    """Ties of a night by column."""
    contract = ties.contract_ties(one.marks, one.mark_starts)
    source = ties.source_ties(one.slot_family, one.slot_shingle, one.slot_accounts, len(one.skeletons))
    wording = ties.wording_ties(one.skeletons, one.account, one.account_starts)
    together = ties.Ties.together
    return {
        "contract": contract,
        "source": source,
        "wording": wording,
        "contract+wording": together([contract, wording]),
        "all": together([contract, source, wording]),
    }


def paired(words: Words, n_nights: int, skeleton_chars: int, slot_sample: int) -> None:
    """Print part one."""
    threshold = ties.GROUP_STRENGTH
    print(
        f"side {words.side}, skeletons of {skeleton_chars} characters, one slot shingle in {slot_sample}, "
        f"strength {threshold:g} and up"
    )
    print(f"{'':12}{'pairs':>6}" + "".join(f"{name:>18}" for name in COLUMNS))
    false: Counter[str] = Counter()
    n_unrelated = 0
    for row, how in enumerate(REWORDINGS):
        found: Counter[str] = Counter()
        n_related = 0
        for number in range(n_nights):
            rng = np.random.default_rng([number, row])
            one = night(words, how, rng, skeleton_chars=skeleton_chars, slot_sample=slot_sample)
            related, unclear = set(one.related), set(one.unclear)
            n_related += len(related)
            n_unrelated += len(one.skeletons) * (len(one.skeletons) - 1) // 2 - len(related) - len(unclear)
            if not related:
                continue
            for name, some in kinds_of(one).items():
                first, second, strength, _ = some.added()
                strong = strength >= threshold
                pairs = set(zip(first[strong].tolist(), second[strong].tolist(), strict=True))
                found[name] += len(pairs & related)
                false[name] += len(pairs - related - unclear)
        if n_related:
            print(f"{how:12}{n_related:6}" + "".join(f"{found[name] / n_related:18.1%}" for name in COLUMNS))
    print(f"{'false/10,000':18}" + "".join(f"{1e4 * false[name] / n_unrelated:18.2f}" for name in COLUMNS))
    print(f"({n_unrelated:,} unrelated pairs)\n")


def request_by_request(words: Words) -> None:
    """Print part two: with every fragment, and with those alone that a scan keeps."""
    print("every request rewritten: fragments in the largest group of the operator's, others in it")
    for least_shingles, (seed, theme) in product((1, TELLING_SHINGLES), enumerate(THEMES)):
        rng = np.random.default_rng(seed)
        sent = [*_operator(words, theme, rng), *_others(words, rng)]
        account = np.array([who for who, _ in sent], np.int32)
        prompts = [prompt for _, prompt in sent]
        prints = text.fingerprint(pa.array(prompts))
        shingles = prints.shingles.flatten().to_numpy()
        text_starts = prints.shingles.offsets.to_numpy().astype(np.int64)
        found = text.find_families(shingles, text_starts, account, prints.text_hash.to_numpy())
        of_text, _ = found.index.of_at_least(least_shingles).held_by(shingles, text_starts)
        used = np.unique(of_text[of_text >= 0])
        rows = [np.flatnonzero((of_text == one).any(axis=1)) for one in used]
        members = [account[mine] for mine in rows]
        users = [np.unique(who).astype(np.int64) for who in members]
        flat = np.concatenate(users)
        starts = np.cumsum([0, *map(len, users)], dtype=np.int64)
        read = [
            read_off([prompts[at] for at in mine], account[mine].tolist(), SKELETON_CHARS) for mine in rows
        ]
        skeletons, marks = [skeleton for skeleton, _ in read], [demanded for _, demanded in read]
        mark_starts = np.cumsum([0, *map(len, marks)], dtype=np.int64)
        contract = ties.contract_ties(np.array([m for mine in marks for m in mine], np.uint32), mark_starts)
        wording = ties.wording_ties(skeletons, flat, starts)
        support = ties.Ties.together([contract, wording])
        fragments = ties.fragment_ties(flat, starts, support)
        theirs = np.array([(who < N_OPERATOR).mean() > 0.9 for who in members])
        for name, some in (("without", support), ("with", ties.Ties.together([support, fragments]))):
            groups = ties.tie_groups(some, len(used), ties.GROUP_STRENGTH)
            inside = [int(theirs[groups.members(at)].sum()) for at in range(len(groups))]
            best = int(np.argmax(inside)) if inside else -1
            others = len(groups.members(best)) - inside[best] if inside else 0
            mixed = sum(0 < n < len(groups.members(at)) for at, n in enumerate(inside))
            largest, n_theirs = max(inside, default=0), theirs.sum()
            print(
                f"  {least_shingles} shingles, {theme:15} {name:>8} fragments: {largest:3} of {n_theirs:3} "
                f"in one, {others} others in it; {len(groups)} groups, {mixed} mixed, of {len(used)} families"
            )


N_OPERATOR = 120


def _operator(words: Words, theme: str, rng: np.random.Generator) -> Iterator[tuple[int, str]]:
    """An operator's accounts, each request worded anew."""
    work = OwnTexts(words.side).work(theme, rng, n_frames=2)
    n = N_OPERATOR * 12
    framed = work.texts(rng.integers(0, 2, n), rng.integers(0, work.n_items, n), rng)
    before, after = (paraphrased(side, rng, strength=0.6) for side in (framed.before, framed.after))
    systems = (
        paraphrased(framed.system.fill_null(""), rng, strength=0.6) if framed.system is not None else None
    )
    for at in range(n):
        system = f"{systems[at]}\n" if systems is not None else ""
        yield at % N_OPERATOR, f"{system}{before[at]}{framed.payload[at]}{after[at]}"


def _others(words: Words, rng: np.random.Generator) -> Iterator[tuple[int, str]]:
    """Applications, each with a template of its own and some users in common, and people without any."""
    for number, at in enumerate(rng.permutation(len(words.instructions))[:120]):
        items = words.lists[number % len(words.lists)]
        people = [*range(1_000 + 12 * number, 1_012 + 12 * number), *rng.integers(10_000, 10_060, 6).tolist()]
        for who in people:
            for item in rng.choice(len(items), 3):
                yield who, f"{words.instructions[at].words}\n\n{items[item]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pools", type=Path, default=POOLS)
    parser.add_argument("--side", choices=("report", "tune"), default="report")
    parser.add_argument("--nights", type=int, default=4)
    options = parser.parse_args()
    words = read_words(options.pools, options.side)
    for skeleton_chars, slot_sample in ((SKELETON_CHARS, 4), (SKELETON_CHARS, SLOT_SAMPLE), (600, 4)):
        paired(words, options.nights, skeleton_chars, slot_sample)
    request_by_request(words)


if __name__ == "__main__":
    main()
