"""Who is flagged of the people who use one tool, each with a key of their own.

    python benchmarks/tool_users.py [--scale medium] [--nights 4] [--seed 1] [--split tune]

An open tool puts one prompt around what its users have to say, from one client, and may run by a clock:
much of what gives a campaign away. No kind of the simulation is like that, so this is a look at what its
worlds do not hold. People of a simulated world take up the tools: most of these wrap what is said anyway, two
send passages of long documents, which here are the docstrings of the libraries installed beside this project,
a library one document, or several where it is very long. Passages are read where they are and kept nowhere.

Printed: for each tool how many people use it, how many of them are in the queue on any night and above
`watch`, and how many of the world's campaigns are found beside them.
"""

import argparse
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle
from pathlib import Path

import numpy as np
import polars as pl

from pipelines import findings, nightly
from pipelines.evaluation import evaluate
from pipelines.settings import load_settings
from pipelines.simulate import simulate
from pipelines.workspace import Workspace

Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Tool:
    """What one tool sends, and how many people of a medium world use it."""

    name: str
    client: str
    n_people: int
    before: str
    """In front of what a user says."""
    system: str | None = None
    share: float = 0.0
    """Of what its users say anyway, the part that goes through the tool."""


WRITING = Tool(
    "writing helper", "quill-addin/2.1", 400,
    "Improve the wording of the following text. Keep its meaning, its language and its formatting, and "
    "answer with the improved text alone.\n\n", share=0.5,
)  # fmt: skip
PROCESSOR = Tool(
    "word processor", "pagewright/0.9 (desktop)", 150, "Selected text:\n\n",
    system="You are a writing helper inside a word processor. Explain what could be clearer in the selected "
    "text, then give a better version under the heading 'Better'.", share=0.6,
)  # fmt: skip
STUDY = Tool(
    "study guides", "pagestudy-ext/4.0", 40,
    "Read the page below and write a study guide: first its three main ideas, then five questions with the "
    "answers a student should give, then a short glossary.\n\nPage:\n", share=0.9,
)  # fmt: skip
SPREADSHEET = Tool(
    "spreadsheet reasoning", "sheetmate/1.4", 200,
    "For the spreadsheet cell below, reason step by step about what its value should be, then write the "
    "value after '=>'.\n\nCell: ", share=0.8,
)  # fmt: skip
TRANSLATOR = Tool(
    "book translator", "booktrans/1.7 python/3.12", 80,
    "Translate the following passage into German. Keep markup and names as they are and answer with the "
    "translation alone.\n\nPassage:\n",
)  # fmt: skip
DIGEST = Tool(
    "daily digest", "digestd/3.2", 120,
    "You summarise one item of a reader's daily digest. Write two sentences, then one line that begins 'Why "
    "it matters:'. Be neutral. The item follows.\n---\n",
)  # fmt: skip
WRAPPING = (WRITING, PROCESSOR, STUDY, SPREADSHEET)
TOOLS = (*WRAPPING, TRANSLATOR, DIGEST)

ITEMS_OF_A_FEED = 40
"""News of one feed in a day; its readers are sent a few of them, so many get the same."""

OWN = ("org_id", "project_id", "api_key_id", "end_user_id", "ip", "country", "asn")
"""What a person keeps whatever tool is used."""

MEDIUM = 12_000
LEAST_PEOPLE = 12
"""People who are at work in four nights of a medium world: where there are fewer, fewer use each tool."""


# --- documents -------------------------------------------------------------------------------------------


def documents(least: int = 25, most: int = 900) -> list[list[str]]:
    """Passages of the docstrings of each installed library that has enough, the longest document first."""
    found = []
    for library in sorted(path for path in Path(pl.__file__).parents[1].iterdir() if path.is_dir()):
        passages: dict[str, None] = {}
        for path in sorted(library.rglob("*.py"))[:200]:
            text = path.read_text("utf-8", errors="replace")
            passages |= dict.fromkeys(
                re.sub(r"[ \t]+", " ", passage).strip()
                for passage in re.findall(r'"""(.{200,900}?)"""', text, re.DOTALL)
            )
        parts = (list(passages)[start : start + most] for start in range(0, len(passages), most))
        found += [part for part in parts if len(part) >= least]
    return sorted(found, key=lambda document: (-len(document), document[0]))


# --- what the tools send ---------------------------------------------------------------------------------


def wrap(logs: pl.DataFrame, tool: Tool, people: Sequence[str], rng: Rng) -> pl.DataFrame:
    """A night's requests, where these people say a part of it through the tool."""
    chosen = pl.lit(pl.Series(rng.random(logs.height) < tool.share)) & pl.col("account_id").is_in(
        list(people)
    )
    sent = _sent_by(tool) | {"prompt": pl.lit(tool.before) + pl.col("prompt")}
    return logs.with_columns(
        pl.when(chosen).then(value).otherwise(pl.col(name)).cast(logs.schema[name]).alias(name)
        for name, value in sent.items()
    )


def _sent_by(tool: Tool) -> dict[str, pl.Expr]:
    return {
        "system_prompt": pl.lit(tool.system, dtype=pl.String),
        "user_agent": pl.lit(tool.client),
        "client_fingerprint": pl.lit(f"fingerprint of {tool.client}"),
        "temperature": pl.lit(0.3),
        "stream": pl.lit(value=False),
        "n_turns": pl.lit(1),
    }


Sending = tuple[str, datetime, str]
"""An account, a time, a passage."""


def translations(
    people: Sequence[str], nights: Sequence[datetime], texts: Sequence[list[str]], rng: Rng
) -> list[list[Sending]]:
    """Each person has a document translated, in one go, on one night: by night, who sends which passage."""
    sent: list[list[Sending]] = [[] for _ in nights]
    for person, document in zip(people, cycle(texts), strict=False):
        n = min(len(document), int(rng.lognormal(4.2, 0.9)) + 8)
        at = int(rng.integers(len(nights)))
        gaps_s = rng.uniform(1.5, 6.0) * rng.uniform(0.7, 1.6, n)
        starts = nights[at] + timedelta(hours=rng.uniform(6, 20))
        sent[at] += _one_by_one(person, starts, gaps_s, document[:n])
    return sent


def digests(
    people: Sequence[str], nights: Sequence[datetime], texts: Sequence[list[str]], rng: Rng
) -> list[list[Sending]]:
    """Each person's own computer sends a few items of two feeds at the same full hour of every night.

    Raises
    ------
    ValueError : no document is long enough to be a feed of that many nights
    """
    feeds = [document for document in texts if len(document) >= ITEMS_OF_A_FEED * len(nights)][:12]
    if not feeds:
        raise ValueError(
            f"no document has {ITEMS_OF_A_FEED} items for each of {len(nights)} nights: simulate fewer"
        )
    sent: list[list[Sending]] = [[] for _ in nights]
    for person in people:
        read, hour, n = rng.integers(len(feeds), size=2), int(rng.integers(5, 9)), int(rng.integers(8, 13))
        for at, night in enumerate(nights):
            news = [feeds[feed][at * ITEMS_OF_A_FEED : (at + 1) * ITEMS_OF_A_FEED] for feed in read]
            parts = zip(news, (n // 2, n - n // 2), strict=True)
            items = [items[place] for items, k in parts for place in rng.permutation(len(items))[:k]]
            starts = night + timedelta(hours=hour, seconds=rng.uniform(1, 9))
            sent[at] += _one_by_one(person, starts, rng.uniform(2, 5, n), items)
    return sent


def _one_by_one(
    person: str, starts: datetime, gaps_s: np.ndarray, passages: Sequence[str]
) -> Iterator[Sending]:
    for after_s, passage in zip(np.cumsum(gaps_s), passages, strict=True):
        yield person, starts + timedelta(seconds=float(after_s)), passage


def add(logs: pl.DataFrame, tool: Tool, sent: Sequence[Sending], own: pl.DataFrame) -> pl.DataFrame:
    """A night's requests and those that a tool sends for its users.

    own : account_id and OWN of each of the users
    """
    rows = pl.DataFrame(
        sent, schema={"account_id": pl.String, "ts": logs.schema["ts"], "prompt": pl.String}, orient="row"
    )
    n_tokens = (pl.col("prompt").str.len_bytes() // 4).cast(pl.Int64)
    rows = rows.join(own, on="account_id", maintain_order="left").with_columns(
        prompt=pl.lit(tool.before) + pl.col("prompt"),
        request_id=pl.format(
            "{}-{}-{}", pl.lit(tool.client), pl.col("ts").dt.epoch("us"), pl.col("account_id")
        ),
        input_tokens=n_tokens,
        output_tokens=n_tokens if tool is TRANSLATOR else pl.lit(80),
        provider=pl.lit(logs["provider"][0]),
        model=pl.lit(logs["model"].mode().sort()[0]),
        endpoint=pl.lit(logs["endpoint"].mode().sort()[0]),
        status=pl.lit(200),
        stop_reason=pl.lit("stop"),
        latency_ms=pl.lit(1_800.0),
        attempt=pl.lit(1),
        body_state=pl.lit("full"),
        sample_rate=pl.lit(1.0),
        **_sent_by(tool),
    )
    missing = (pl.lit(None).alias(name) for name in logs.columns if name not in rows.columns)
    rows = rows.with_columns(missing).select(pl.col(name).cast(kind) for name, kind in logs.schema.items())
    return pl.concat([logs, rows]).sort("ts", maintain_order=True)


# --- a world with tools, and who is flagged in it ----------------------------------------------------------


def take_up(world: Path, seed: int) -> pl.DataFrame:
    """Give tools to people of a simulated world, whose logs are written anew; account_id and tool of each."""
    rng = np.random.default_rng(seed)
    folders = sorted((world / "logs").glob("day=*"))
    nights = [
        datetime.fromisoformat(f"{folder.name.removeprefix('day=')}T00:00:00+00:00") for folder in folders
    ]
    sent = pl.concat([pl.read_parquet(path, columns=["account_id", *OWN]) for path in _files_of(*folders)])
    own = sent.unique("account_id", keep="first", maintain_order=True)
    users = _users(world, own["account_id"], rng)
    texts = documents()
    translated = translations(users[TRANSLATOR.name], nights, texts, rng)
    digested = digests(users[DIGEST.name], nights, texts, rng)
    for at, folder in enumerate(folders):
        for part, path in enumerate(_files_of(folder)):
            logs = pl.read_parquet(path)
            for tool in WRAPPING:
                logs = wrap(logs, tool, users[tool.name], rng)
            if part == 0:  # of a night in several files one has all that its tools send by themselves
                logs = add(logs, TRANSLATOR, translated[at], own)
                logs = add(logs, DIGEST, digested[at], own)
            logs.write_parquet(path)
    pairs = [(one, name) for name, those in users.items() for one in those]
    return pl.DataFrame(pairs, schema={"account_id": pl.String, "tool": pl.String}, orient="row")


def _files_of(*folders: Path) -> list[Path]:
    return [path for folder in folders for path in sorted(folder.glob("*.parquet"))]


def _users(world: Path, active: pl.Series, rng: Rng) -> dict[str, list[str]]:
    """Who uses which tool: people who sent anything, each one tool."""
    of_people = pl.col("account_id").is_in(active.implode()) & (pl.col("kind") == "person_chat")
    people = pl.read_parquet(world / "labels.parquet").filter(of_people)["account_id"].sort().to_numpy()
    counts = [max(round(tool.n_people * len(people) / MEDIUM), LEAST_PEOPLE) for tool in TOOLS]
    groups = np.split(rng.permutation(people), np.cumsum(counts))
    return {tool.name: group.tolist() for tool, group in zip(TOOLS, groups, strict=False)}


def flagged_users(workspace: Workspace, users: pl.DataFrame) -> pl.DataFrame:
    """Of each tool its users, how many were in the queue on any night, and how many above `watch`."""
    flags = findings.flags(workspace)
    above = flags.filter(pl.col("recommended_action") != "watch")
    counted = users.with_columns(
        in_queue=pl.col("account_id").is_in(flags["account_id"].to_list()),
        above_watch=pl.col("account_id").is_in(above["account_id"].to_list()),
    )
    return counted.group_by("tool", maintain_order=True).agg(
        pl.len().alias("people"), pl.col("in_queue").sum(), pl.col("above_watch").sum()
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scale", default="medium")
    parser.add_argument("--nights", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--split", choices=("tune", "report"), default="tune")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stillwatch-tools-") as folder:
        world, workspace = Path(folder) / "world", Workspace(Path(folder) / "watch")
        simulate(world, scale=options.scale, days=options.nights, seed=options.seed, split=options.split)
        users = take_up(world, options.seed)
        workspace.create().key_file.write_text("the key of a benchmark\n")
        for night in sorted((world / "logs").glob("day=*")):
            nightly.scan(
                [str(night)], workspace, accounts=world / "accounts.parquet", settings=load_settings()
            )
        found = evaluate(workspace, world / "labels.parquet").campaigns
        print(f"{'tool':<24}{'people':>8}{'in the queue':>14}{'above watch':>13}")
        for row in flagged_users(workspace, users).iter_rows(named=True):
            print(f"{row['tool']:<24}{row['people']:>8}{row['in_queue']:>14}{row['above_watch']:>13}")
        print(f"\ncampaigns found beside them: {found['detected'].sum()} of {found.height}")


if __name__ == "__main__":
    main()
