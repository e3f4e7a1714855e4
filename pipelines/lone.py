"""Accounts that are findings by themselves: night.account_day -> night.lone_account, and rows to flag.

Here: who is judged, the sample of texts, the reference of earlier nights. Not here: what is evidence and
what convicts (detector.models.lone), what approved uses cover (approved).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.campaigns import Nights
from detector.models import lone
from detector.text.repeated import OwnedTexts
from pipelines.scores import REFERENCE_NIGHTS, Float64, as_flagged_accounts, columns_of
from pipelines.settings import Settings
from pipelines.warehouse.arrow import array_of, fetch, in_one_piece, lists_of, registered
from pipelines.warehouse.statements import statement

MOST_TEXTS = 256
"""Different prompts looked at of an account: shares are then known to 6 points either way, and an account
with a million requests costs no more than one with a few hundred."""

HALF_SHINGLES = 256
"""Shingles looked at on either end of a text: about five hundred words, and no text of megabytes fills the
memory."""

ACCOUNTS_AT_ONCE = 100
"""Accounts whose texts are in memory at a time: 13 million shingles at most, about 600 MB while they are
sorted."""

REFERENCE_ROWS = 20_000
"""Earlier accounts read at most; a night of so many busy accounts has some hundred million requests."""

HALF_WAY = 0.5
"""Part of the threshold from which on an account is suspect and no example of the ordinary, flagged or not:
two extractors just below it would otherwise make each other look usual, night after night."""

Columns = dict[str, Float64]


@dataclass(frozen=True)
class Alone:
    """The night's busy and approved accounts, and who of them is a finding by itself, approved uses aside.

    accounts : rows of account_lone; the findings name their positions
    approved : bool, shape (n_accounts,): who has an approved use
    """

    accounts: pa.Table
    approved: npt.NDArray[np.bool_]
    extractors: tuple[lone.LoneFinding, ...]
    relays: tuple[lone.LoneFinding, ...]


@dataclass(frozen=True)
class Busy:
    """The night's busy accounts, with what a sample of their texts shows.

    accounts : rows of account_lone; columns : their features; at : positions of busy ones
    tonight : the busy ones' columns, those of lone.COLUMNS among them; peer_groups : their kinds of use
    earlier, earlier_groups : the same of ordinary busy accounts of earlier nights
    adds_text : who adds a text to what many products send; relays : findings on those whose text makes it
        training material, by positions among the busy ones
    """

    accounts: pa.Table
    columns: Columns
    at: npt.NDArray[np.intp]
    tonight: Columns
    peer_groups: npt.NDArray[np.object_]
    earlier: Columns
    earlier_groups: npt.NDArray[np.object_]
    adds_text: npt.NDArray[np.bool_]
    relays: tuple[lone.LoneFinding, ...]

    @property
    def adding_ids(self) -> set[str]:
        """Accounts that add a text to what many products send."""
        return set(self.accounts["account_id"].take(pa.array(self.at[self.adds_text])).to_pylist())


def measure_busy(con: duckdb.DuckDBPyConnection, day: date, settings: Settings) -> Busy:
    """What is known of every busy account of `day` by itself.

    Needs night.account_day, night.account_score and night.family of the day; features of the parts of the
    judgement that the settings leave out count as unknown.
    """
    policy = settings.lone_policy()
    accounts = fetch(con, statement("account_lone"), {"day": day, "least": policy.least_requests})
    columns = columns_of(accounts, settings.detection.leave_out)
    busy = np.flatnonzero(
        (columns["n_prompts"] >= policy.least_requests) & (columns["n_requests"] >= policy.least_requests)
    )
    tonight = _measured(con, day, accounts, columns, busy)
    earlier, earlier_groups = _earlier(con, day, settings)
    relays = lone.relays(tonight, _usual_training(tonight, earlier))
    groups = _texts(accounts, "peer_group")[busy]
    adding = lone.adds_text(tonight)
    return Busy(accounts, columns, busy, tonight, groups, earlier, earlier_groups, adding, tuple(relays))


def judge_alone(
    con: duckdb.DuckDBPyConnection, day: date, measured: Busy, exclude: Collection[str], settings: Settings
) -> Alone:
    """Judge every busy account of `day` by itself, and replace the day's rows of night.lone_account.

    Only earlier nights serve as the reference. `exclude` holds the accounts that a campaign already explains.
    """
    policy = settings.lone_policy()
    judged = np.flatnonzero(~np.isin(_texts(measured.accounts, "account_id")[measured.at], list(exclude)))
    busy, tonight = measured.at[judged], _rows(measured.tonight, judged)
    groups, earlier = measured.peer_groups[judged], measured.earlier
    ordinary, unbound = ~lone.is_approved(earlier), ~lone.is_approved(tonight)
    has_history = bool(ordinary.sum() >= policy.least_reference)
    if has_history:
        peers = lone.Peers(_rows(earlier, ordinary), measured.earlier_groups[ordinary])
    else:
        peers = lone.Peers(_rows(tonight, unbound), groups[unbound])
    evidence = lone.weigh(tonight, groups, peers)
    nights = _nights(con, day, _numbered(measured.accounts, busy), _rows(earlier, ordinary), settings)
    verdicts = lone.decide(
        evidence, earlier["log_odds"][ordinary], nights, has_history=has_history, policy=policy
    )
    found = lone.extractors(tonight, groups, peers, evidence, verdicts, policy)
    relays = [one for one in measured.relays if one.row in set(judged.tolist())]
    _keep(con, day, measured.accounts["account_id"].take(pa.array(busy)), tonight, evidence.total)
    return Alone(
        measured.accounts,
        lone.is_approved(measured.columns),
        _placed(found, busy),
        _placed(relays, measured.at),
    )


def _earlier(
    con: duckdb.DuckDBPyConnection, day: date, settings: Settings
) -> tuple[Columns, npt.NDArray[np.object_]]:
    """Columns and peer groups of busy accounts of earlier nights that are examples of the ordinary,
    approved uses among them."""
    left_out = settings.detection.leave_out
    asked = {
        "day": day,
        "nights": _n_nights(settings),
        "rows": REFERENCE_ROWS,
        "least": HALF_WAY * settings.lone.least_log_odds,
    }
    past = fetch(con, statement("lone/reference"), asked)
    columns = columns_of(past, left_out)
    return columns | {"technique_share": lone.technique_share(columns)}, _texts(past, "peer_group")


def _n_nights(settings: Settings) -> int:
    return 0 if "history" in settings.detection.leave_out else REFERENCE_NIGHTS


def _nights(
    con: duckdb.DuckDBPyConnection, day: date, judged: pa.Table, ordinary: Columns, settings: Settings
) -> Nights:
    """What earlier nights said of the accounts that are judged, numbered in their order, and of ordinary
    ones."""
    with registered(con, "judged", judged):
        past = fetch(con, statement("lone/nights"), {"day": day, "nights": _n_nights(settings)})
    often = ordinary["n_nights"] >= settings.lone.several_nights
    return Nights(array_of(past, "log_odds"), array_of(past, "n_nights"), ordinary["mean_log_odds"][often])


def flagged_alone(day: date, judged: Alone) -> pa.Table:
    """Columns of night.flagged_account, not written, most suspicious first; nobody whose use is approved."""
    # an account that is both is reported once, as a relay: a platform's customers make it busy, too
    by_row = {finding.row: finding for finding in (*judged.extractors, *judged.relays)}
    kept = [finding for row, finding in by_row.items() if not judged.approved[row]]
    return as_flagged_accounts(day, judged.accounts, kept)


def _usual_training(tonight: Columns, earlier: Columns) -> Float64:
    """What accounts of many system prompts ask for, none of which has a text added."""
    of_both = []
    for columns in (tonight, earlier):
        is_usual = (columns["n_systems"] >= lone.LEAST_PRODUCTS) & (
            columns["n_products"] < lone.LEAST_PRODUCTS
        )
        of_both.append(columns["sampled_training"][is_usual])
    usual = np.concatenate(of_both)
    return np.asarray(usual[np.isfinite(usual)])


def _measured(
    con: duckdb.DuckDBPyConnection,
    day: date,
    accounts: pa.Table,
    columns: Columns,
    busy: npt.NDArray[np.intp],
) -> Columns:
    """The busy accounts' columns, with what their texts show."""
    public = _public_texts(con, day)
    with registered(con, "busy", _numbered(accounts, busy)):
        con.execute(statement("lone/texts"), {"day": day, "most": MOST_TEXTS})
    parts: dict[str, list[Float64]] = {name: [np.zeros(0)] for name in lone.COLUMNS}
    for first in range(0, len(busy), ACCOUNTS_AT_ONCE):
        added = _sampled(con, first, min(ACCOUNTS_AT_ONCE, len(busy) - first), public)
        for name, values in added.columns.items():
            parts[name].append(values)
    con.execute("DROP TABLE lone_text")
    tonight = _rows(columns, busy) | {name: np.concatenate(values) for name, values in parts.items()}
    tonight["technique_share"] = lone.technique_share(tonight)
    return tonight


def _numbered(accounts: pa.Table, busy: npt.NDArray[np.intp]) -> pa.Table:
    return pa.table(
        {"account": np.arange(len(busy)), "account_id": accounts["account_id"].take(pa.array(busy))}
    )


def _sampled(con: duckdb.DuckDBPyConnection, first: int, n: int, public: lone.Public) -> lone.AddedText:
    """What the texts of `n` accounts from number `first` on show."""
    asked = {"first": first, "last": first + n - 1, "half": HALF_SHINGLES}
    prompts = fetch(con, statement("lone/prompts"), asked)
    systems = fetch(con, statement("lone/systems"), asked)
    system = array_of(prompts, "system_no")
    if len(systems):
        system = np.where(system >= 0, system - systems["system_no"][0].as_py(), -1)
    return lone.added_text(
        OwnedTexts.of(*lists_of(prompts["shingles"], copied=False), array_of(prompts, "account") - first),
        OwnedTexts.of(*lists_of(systems["shingles"], copied=False), array_of(systems, "account") - first),
        system,
        array_of(prompts, "training"),
        public,
        n,
    )


def _public_texts(con: duckdb.DuckDBPyConnection, day: date) -> lone.Public:
    """Templates of the night that many organisations use."""

    def of_kind(kind: str) -> lone.PublicTexts:
        asked = {"day": day, "kind": kind, "least": lone.PUBLIC_ORGANISATIONS}
        templates = fetch(con, statement("lone/public"), asked)
        return lone.PublicTexts.of(*lists_of(templates["shingles"], copied=False))

    return lone.Public(of_kind("prompt"), of_kind("system"))


def _keep(
    con: duckdb.DuckDBPyConnection, day: date, account_ids: pa.ChunkedArray, tonight: Columns, total: Float64
) -> None:
    kept = {name: pa.array(tonight[name], from_pandas=True) for name in lone.COLUMNS}
    table = pa.table({"day": pa.array([day] * len(total), pa.date32()), "account_id": account_ids, **kept})
    con.execute("DELETE FROM night.lone_account WHERE day = $day", {"day": day})
    with registered(con, "judged", table.append_column("log_odds", pa.array(total))):
        con.execute("INSERT INTO night.lone_account BY NAME FROM judged ORDER BY account_id")


def _placed(found: Sequence[lone.LoneFinding], busy: npt.NDArray[np.intp]) -> tuple[lone.LoneFinding, ...]:
    """Findings by their positions among all accounts, not among the busy ones."""
    return tuple(
        lone.LoneFinding(int(busy[f.row]), f.profile, f.confidence, f.recommended_action, f.reasons)
        for f in found
    )


def _rows(columns: Columns, chosen: npt.NDArray[np.generic]) -> Columns:
    return {name: values[chosen] for name, values in columns.items()}


def _texts(table: pa.Table, name: str) -> npt.NDArray[np.object_]:
    return np.asarray(in_one_piece(table[name]).to_numpy(zero_copy_only=False))
