"""The benchmarks of the text stage run their pieces on a tiny night. Never how fast: only that they fit."""

import importlib
from pathlib import Path
from types import ModuleType

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from detector import text

ROOT = Path(__file__).parents[2]
N_ROWS = 3_000


@pytest.fixture
def speed(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("text_speed")


@pytest.fixture
def sizes(speed: ModuleType) -> ModuleType:
    return importlib.import_module("text_sizes")


@pytest.fixture
def minhash(speed: ModuleType) -> ModuleType:
    return importlib.import_module("text_minhash")


@pytest.fixture
def logs(speed: ModuleType, tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    importlib.import_module("scan_throughput").write_logs(folder, N_ROWS)
    return folder


def test_the_stage_finds_the_families_that_all_texts_in_memory_have(
    speed: ModuleType, logs: Path, tmp_path: Path
) -> None:
    found = speed.run_stage(logs, N_ROWS, tmp_path / "text.duckdb")
    prompts, accounts = (
        pa.concat_arrays(column) for column in zip(*speed.batches(logs, N_ROWS), strict=True)
    )
    prints = text.fingerprint(prompts)
    account = accounts.dictionary_encode().indices.to_numpy()
    families = text.find_families(*speed.flat(prints.shingles), account, np.array(prints.text_hash))
    assert found["n_families"] == len(families) > 0
    assert found["n_held"] == (families.best >= 0).sum()
    with duckdb.connect(str(tmp_path / "text.duckdb")) as con:
        stored = con.execute("SELECT prompt_hash FROM request").fetchnumpy()["prompt_hash"]
        held = con.execute("SELECT count(*) FROM family_request").fetchall()
    assert sorted(stored) == sorted(prints.text_hash.to_pylist())
    assert held == [((families.of_text >= 0).sum(),)]


def test_a_night_twice_as_long_reads_the_files_again_for_other_accounts(
    speed: ModuleType, logs: Path
) -> None:
    prompts, accounts = (
        pa.concat_arrays(column).to_pylist() for column in zip(*speed.batches(logs, 2 * N_ROWS), strict=True)
    )
    assert prompts[:N_ROWS] == prompts[N_ROWS:]
    assert not set(accounts[:N_ROWS]) & set(accounts[N_ROWS:])


def test_words_hashed_by_numpy_make_as_many_shingles_as_words_joined_by_python(minhash: ModuleType) -> None:
    texts = pa.array(["one two three four five six", "too short", "", "four words it has"])
    hashes, starts = minhash.hashed_shingles(texts)
    joined = [list(shingles) for shingles in minhash.shingles_of_words(texts)]
    assert np.diff(starts.astype(np.int64)).tolist() == [len(shingles) for shingles in joined] == [3, 0, 0, 1]
    assert len(set(hashes.tolist())) == 4


def test_the_peer_is_measured_or_its_absence_explained(minhash: ModuleType) -> None:
    found = minhash.run_peer(pa.array(["what four words say"] * 20), 1)
    if "missing" in found:
        assert "pip install rensa" in found["missing"]
    else:
        assert {minhash.OURS, minhash.HEADLINE} < found["seconds"].keys()
    minhash.print_ratios(found)


def test_every_kind_of_night_has_texts_and_a_cost(
    sizes: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = np.resize(np.frombuffer(b"plain words of a night ", np.uint8), 1_000_000)
    kinds = list(sizes.nights(plain))
    assert all(len(night.texts) == len(night.account) > 0 for _, night in kinds)
    sizes.print_costs(iter(kinds[:3]), 1)
    assert capsys.readouterr().out.count(" x") >= 12


@pytest.mark.parametrize("name", ["plain", "one template", "words of 40", "phrases of 1,000"])
def test_a_doubled_night_has_twice_the_texts(sizes: ModuleType, name: str) -> None:
    plain = np.zeros(8 * 64_000, np.uint8)
    first, second = (len(sizes.doubled(name, plain, step)) for step in (0, 1))
    assert second == 2 * first == 128_000
