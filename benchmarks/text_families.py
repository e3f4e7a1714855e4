"""How well template families are found on real prompts: together, pure, and with words exchanged.

    python benchmarks/text_families.py [--pools ../shared/pools] [--others 50]

Prompts that real projects made from published templates (the rows of the pools that are `as_sent`) are
dealt out to accounts and mixed into fifty times as many other prompts, taken all together: everyday
prompts of the pools, and talk recombined from them. Three nights are judged: as the prompts were sent;
with a fifth of each template's words exchanged, drawn anew for every prompt; and with the exchange drawn
once for each account. For each template the table says which share of its prompts is in one family, and
which share of that family is its own.

What is template and what is slot is read off the source: words in runs of four that three fifths of its
prompts share. Exchanged words become ordinary words, drawn by how often people use them.
"""

import argparse
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from detector.text import (
    Families,
    Secret,
    fingerprint,
    learn_families,
    sampled,
    secret_of,
    texts_per_account,
)
from detector.text.fingerprint import NO_SECRET
from pipelines.simulate.texts import load_texts

PROMPTS_PER_TEMPLATE = 300
ACCOUNTS_PER_TEMPLATE = 60
PROMPTS_PER_PERSON = 4
EXCHANGED = 0.2
"""Share of a template's words that is exchanged."""

SHARED_BY = 0.6
RUN = 4
"""A word is the template's when it stands in a run of so many that so large a share of its prompts holds."""

NIGHTS = (
    ("as sent", ""),
    ("a fifth of the words exchanged, prompt by prompt", "prompt"),
    ("a fifth of the words exchanged, account by account", "account"),
)

LEAST_PROMPTS = 40
"""A source of fewer prompts is left out: its share would be a matter of one or two."""

_WORD = re.compile(r"[぀-ヿ㐀-鿿가-힯]|[^\W_]+", re.UNICODE)


@dataclass(frozen=True, slots=True)
class Template:
    """One template of one source, found by the source's own name and, where it has several, by the start."""

    name: str
    pool: str
    source: str
    start: str = ""


TEMPLATES = (
    Template("alpaca", "distill_alpaca_template", "generate_instruction"),
    Template("camel society", "distill_camel", "ai_society_tasks"),
    Template("camel code", "distill_camel", "code_tasks"),
    Template("camel misalignment", "distill_camel", "misalignment_tasks"),
    Template("dsgym synthesis", "distill_dsgym_datamind", "dsgym_query_synthesis"),
    Template("dsgym trajectory", "distill_dsgym_datamind", "_trajectory"),
    Template("fireact hotpotqa react", "distill_fireact", "hotpotqa_react"),
    Template("fireact mmlu react", "distill_fireact", "mmlu_react"),
    Template("fireact strategyqa react", "distill_fireact", "strategyqa_react"),
    Template("fireact hotpotqa cot", "distill_fireact", "hotpotqa_cot"),
    Template("fireact mmlu cot", "distill_fireact", "mmlu_cot"),
    Template("metamath answers", "distill_metamath", "ansaug"),
    Template("metamath fobar", "distill_metamath", "fobar"),
    Template("metamath rephrase", "distill_metamath", "rephrase"),
    Template("metamath verification", "distill_metamath", "self_verification"),
    Template("oss-instruct", "distill_oss_instruct", "oss_instruct"),
    Template("prometheus", "distill_prometheus", ""),
    Template("screenagent plan en", "distill_screenagent", "neg_plan", "You"),
    Template("screenagent plan zh", "distill_screenagent", "neg_plan", "您"),
    Template("screenagent grade en", "distill_screenagent", "neg_eval", "You"),
    Template("screenagent grade zh", "distill_screenagent", "neg_eval", "您"),
    Template("self-instruct bootstrap", "distill_self_instruct", "bootstrap"),
    Template("self-instruct kinds", "distill_self_instruct", "is_classification"),
    Template("self-instruct instances", "distill_self_instruct", "instances", "Come up"),
    Template("code review", "hardneg_code_review", ":review"),
    Template("code review summary", "hardneg_code_review", ":summarize"),
)

PEOPLE = (
    "benign_wildchat",
    "benign_oasst_eval",
    "benign_oasst_zh",
    "benign_lobe_agents",
    "benign_banking77",
    "benign_awesome_prompts",
    "benign_user_oriented_252",
    "hardneg_arena_hard",
    "hardneg_mt_bench",
    "hardneg_humaneval",
    "hardneg_dabstep",
    "hardneg_bfcl",
)
"""Prompts of no template: each is in the night once."""

Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Night:
    """Prompts, who sent each, and which template made it (-1: none)."""

    prompts: pa.Array
    account: np.ndarray
    template: np.ndarray


@dataclass(frozen=True, slots=True)
class Found:
    """How one template was found."""

    name: str
    n_prompts: int
    together: float
    """Share of its prompts in one family."""
    purity: float
    """Share of that family's prompts that are its own."""


def main() -> None:
    options = _options()
    made = [prompts_of(template, options.pools) for template in TEMPLATES]
    kept = [texts for texts in made if len(texts) >= LEAST_PROMPTS]
    names = [
        template.name for template, texts in zip(TEMPLATES, made, strict=True) if len(texts) >= LEAST_PROMPTS
    ]
    others = other_prompts(options.pools, options.others * sum(map(len, kept)))
    for title, each in NIGHTS:
        night = mixed(kept, others, each)
        n_templated = int((night.template >= 0).sum())
        print(f"\n{title}: {n_templated:,} prompts of {len(kept)} templates among {len(night.account):,}")
        for key in range(options.keys):
            found = judged(names, night, families_of(night, options.threads, secret_of(b"%d" % key)))
            if key == 0:
                print_table(found)
            print(summary(f"key {key}: all", found))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pools", type=Path, default=Path("../shared/pools"), help="folder of prompt pools")
    parser.add_argument("--others", type=int, default=50, help="other prompts for each templated one")
    parser.add_argument(
        "--keys", type=int, default=5, help="keys of texts to try; templates are listed for one"
    )
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


# -- prompts ---------------------------------------------------------------------------------------


def prompts_of(template: Template, pools: Path) -> list[str]:
    """Distinct prompts of one template, spread evenly over its source."""
    frame = pl.read_parquet(pools / f"{template.pool}.parquet", columns=["source", "prompt", "request_form"])
    mine = frame.filter(
        (pl.col("request_form") == "as_sent")
        & pl.col("source").str.ends_with(template.source)
        & pl.col("prompt").str.starts_with(template.start)
    )
    texts = mine["prompt"].unique(maintain_order=True).to_list()
    return texts[:: max(len(texts) // PROMPTS_PER_TEMPLATE, 1)][:PROMPTS_PER_TEMPLATE]


def other_prompts(pools: Path, n: int) -> pa.Array:
    """Prompts of no template of ours: the pools' everyday prompts, then talk recombined from them."""
    columns = ["prompt"]
    own = [pl.read_parquet(pools / f"{name}.parquet", columns=columns)["prompt"] for name in PEOPLE]
    real = pl.concat(own).drop_nulls().unique(maintain_order=True).to_arrow().cast(pa.large_string())
    pieces, n_left = [real], n - len(real)
    texts, rng = load_texts(pools), np.random.default_rng(7)
    while n_left > 0:
        size = min(n_left, 50_000)
        language = np.where(rng.random(size) < 0.7, 0, rng.integers(0, 8, size))
        theme = ("chat", "work")[len(pieces) % 2]  # code is talked of in the very templates
        talk = texts.conversation(theme, np.ones(size, np.bool_), language, rng).prompt
        pieces.append(talk.cast(pa.large_string()))
        n_left -= size
    return pa.concat_arrays(pieces).slice(0, n)


def mixed(templates: list[list[str]], others: pa.Array, exchanged_for_each: str = "") -> Night:
    """Templated prompts, each template's dealt out to its own accounts, and the others to theirs.

    exchanged_for_each : "prompt" or "account" draws the words that are exchanged anew for each; "" leaves all
    """
    rng = np.random.default_rng(11)
    words = everyday_words(others)
    texts: list[str] = []
    account, of_template = [], []
    for number, prompts in enumerate(templates):
        senders = np.arange(len(prompts)) % ACCOUNTS_PER_TEMPLATE
        if exchanged_for_each:
            seeds = np.arange(len(prompts)) if exchanged_for_each == "prompt" else senders
            prompts = exchanged(prompts, seeds, words)  # noqa: PLW2901
        texts += prompts
        account.append(number * ACCOUNTS_PER_TEMPLATE + senders)
        of_template.append(np.full(len(prompts), number))
    first = len(templates) * ACCOUNTS_PER_TEMPLATE
    account.append(first + np.arange(len(others)) // PROMPTS_PER_PERSON)
    of_template.append(np.full(len(others), -1))
    everything = pa.concat_arrays([pa.array(texts, pa.large_string()), others])
    order = rng.permutation(len(everything))
    return Night(
        everything.take(pa.array(order)),
        np.concatenate(account)[order].astype(np.int32),
        np.concatenate(of_template)[order],
    )


def everyday_words(others: pa.Array) -> np.ndarray:
    """Words as people use them, as often as they use them."""
    some = others.slice(0, 20_000).to_pylist()
    return np.array([word for text in some for word in _WORD.findall(text[:200])][:100_000])


def exchanged(prompts: list[str], seeds: np.ndarray, words: np.ndarray) -> list[str]:
    """The prompts with a fifth of their template's words exchanged; equal seeds, equal choices."""
    spans = [[match.span() for match in _WORD.finditer(text)] for text in prompts]
    folded = [[text[a:b].casefold() for a, b in mine] for text, mine in zip(prompts, spans, strict=True)]
    held = Counter(run for mine in folded for run in set(_runs(mine)))
    out = []
    for text, mine, own, seed in zip(prompts, spans, folded, seeds.tolist(), strict=True):
        shared = np.zeros(len(mine), np.bool_)
        for at, run in enumerate(_runs(own)):
            if held[run] >= SHARED_BY * len(prompts):
                shared[at : at + RUN] = True
        rng = np.random.default_rng(seed)
        # Drawn by the place within the template, so that an account changes the same words every time.
        draw, word = rng.random(20_000), rng.integers(0, len(words), 20_000)
        pieces, end_of_last, place = [], 0, 0
        for (start, end), is_shared in zip(mine, shared, strict=True):
            if is_shared:
                if draw[place % 20_000] < EXCHANGED:
                    pieces += [text[end_of_last:start], str(words[word[place % 20_000]])]
                    end_of_last = end
                place += 1
        out.append("".join([*pieces, text[end_of_last:]]))
    return out


def _runs(words: list[str]) -> Iterator[tuple[str, ...]]:
    return (tuple(words[at : at + RUN]) for at in range(len(words) - RUN + 1))


# -- judging ---------------------------------------------------------------------------------------


def families_of(night: Night, threads: int, secret: Secret = NO_SECRET) -> Families:
    """The families of a night, as a scan keeps them (pipelines.families)."""
    prints = fingerprint(night.prompts, threads=threads, secret=secret)
    shingles = prints.shingles.flatten().to_numpy()
    starts = prints.shingles.offsets.to_numpy().astype(np.int64)
    text_hash = np.array(prints.text_hash)
    rows = sampled(night.account, text_hash, texts_per_account(np.bincount(night.account)))
    index = learn_families(shingles, starts, night.account, text_hash, rows, threads=threads).telling()
    return Families(index, *index.held_by(shingles, starts, threads=threads))


def judged(names: list[str], night: Night, families: Families) -> list[Found]:
    """For each template, the family that is most nearly its prompts and no others (by F1)."""
    n_families = max(len(families), 1)
    sizes = np.bincount(families.of_text[families.of_text >= 0], minlength=n_families)[:n_families]
    found = []
    for number, name in enumerate(names):
        mine = families.of_text[night.template == number]
        held = np.bincount(mine[mine >= 0], minlength=n_families)
        # A piece that several templates share may be in all prompts, too: of families, the best as a whole.
        best = int((2 * held / (len(mine) + np.maximum(sizes, 1))).argmax())
        purity = held[best] / sizes[best] if sizes[best] else np.nan
        found.append(Found(name, len(mine), held[best] / len(mine), purity))
    return found


def print_table(found: list[Found]) -> None:
    """One line a template."""
    for one in found:
        print(f"  {one.name:<26}{one.n_prompts:>5}  together {one.together:6.1%}  purity {one.purity:6.1%}")


def summary(name: str, found: list[Found]) -> str:
    """All templates: prompts together, mean purity, and the template that came off worst."""
    n_prompts = sum(one.n_prompts for one in found)
    together = sum(one.together * one.n_prompts for one in found) / n_prompts
    purity = np.nanmean([one.purity for one in found])
    worst = min(found, key=lambda one: one.together)
    return (
        f"  {name:<26}{n_prompts:>5}  together {together:6.1%}  purity {purity:6.1%}  "
        f"worst {worst.together:.1%} ({worst.name})"
    )


if __name__ == "__main__":
    main()
