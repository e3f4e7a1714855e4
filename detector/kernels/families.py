"""Loops over winnowed shingles: which ones many accounts share, and which of those travel together.

Here: numba loops and nothing else. Meaning: detector.text.families. Slow twins: tests/reference/families.py.
Every loop is linear in the number of shingles; nothing is compared pair by pair. Requests come ordered by
account, so that "another account" is a comparison with the account seen last.
"""

import numpy as np
from numba import njit

SKETCH_BITS = 23
"""Two rows of 8 million counters, 128 MB, whatever the night's size. With 20 million different shingles
a counter sees 2.4 of them; that both of a rare shingle's counters reach five accounts by chance has a
probability near one per mille, and the exact count that follows removes those."""

SKIP = 3
"""Shared shingles are paired with the next three: a slot may hold a phrase that others share too."""

_MULTIPLIERS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))


@njit(cache=True, nogil=True, inline="always")
def _slot(value, multiplier, bits):
    return np.int64((np.uint64(value) * multiplier) >> np.uint64(64 - bits))


@njit(cache=True, nogil=True)
def take_sample(account, text_hash, order, most, taken):
    """Mark up to `most` different texts of each account: those with the smallest hashes.

    `order` sorts requests by account, then by hash: the hash is as good as random, so the smallest ones are
    a fair sample, the same whatever the order of files.
    """
    previous_account = np.int64(-1)
    previous_hash = np.uint64(0)
    n_taken = 0
    for row in order:
        if account[row] != previous_account:
            previous_account = account[row]
            n_taken = 0
        elif text_hash[row] == previous_hash:
            continue
        previous_hash = text_hash[row]
        if n_taken < most:
            taken[row] = True
            n_taken += 1


@njit(cache=True, nogil=True)
def sketch_accounts(shingles, starts, account, order, taken, least, maybe_shared):
    """Mark each occurrence of a shingle that `least` accounts or more may share: never one too few.

    A count-min sketch of distinct accounts (Cormode, Muthukrishnan, J. Algorithms 55, 2005, section 4),
    distinct because accounts come one after the other.
    """
    size = 1 << SKETCH_BITS
    last = np.full((2, size), -1, dtype=np.int32)
    count = np.zeros((2, size), dtype=np.uint16)
    for row in order:
        if not taken[row]:
            continue
        for at in range(starts[row], starts[row + 1]):
            for sketch in range(2):
                slot = _slot(shingles[at], _MULTIPLIERS[sketch], SKETCH_BITS)
                if last[sketch, slot] != account[row]:
                    last[sketch, slot] = account[row]
                    if count[sketch, slot] < least:
                        count[sketch, slot] += 1
    n_marked = 0
    for at in range(len(shingles)):
        first = _slot(shingles[at], _MULTIPLIERS[0], SKETCH_BITS)
        second = _slot(shingles[at], _MULTIPLIERS[1], SKETCH_BITS)
        if count[0, first] >= least and count[1, second] >= least:
            maybe_shared[at] = True
            n_marked += 1
    return n_marked


@njit(cache=True, nogil=True, inline="always")
def _find(keys, key, bits):
    """Slot of `key` in an open-addressing table, or the free slot where it belongs. 0 marks a free slot."""
    slot = _slot(key, _MULTIPLIERS[0], bits)
    while keys[slot] != 0 and keys[slot] != key:
        slot = (slot + 1) & ((1 << bits) - 1)
    return slot


@njit(cache=True, nogil=True)
def _grown(keys, last, count, bits):
    """The same table with twice the slots."""
    new_keys = np.zeros(2 << bits, dtype=np.uint64)
    new_last = np.empty((2, 2 << bits), dtype=np.int64)
    new_count = np.zeros((2, 2 << bits), dtype=np.int32)
    for slot in range(1 << bits):
        if keys[slot] != 0:
            new = _find(new_keys, keys[slot], bits + 1)
            new_keys[new] = keys[slot]
            new_last[:, new] = last[:, slot]
            new_count[:, new] = count[:, slot]
    return new_keys, new_last, new_count


@njit(cache=True, nogil=True)
def _filled(keys, count, least):
    """Keys of at least `least` accounts, with their numbers of accounts and of texts."""
    n = 0
    for slot in range(len(keys)):
        if keys[slot] != 0 and count[0, slot] >= least:
            n += 1
    out_keys = np.empty(n, dtype=np.uint64)
    out_count = np.empty((2, n), dtype=np.int32)
    n = 0
    for slot in range(len(keys)):
        if keys[slot] != 0 and count[0, slot] >= least:
            out_keys[n] = keys[slot]
            out_count[:, n] = count[:, slot]
            n += 1
    return out_keys, out_count


@njit(cache=True, nogil=True, inline="always")
def _seen(slot, last, count, account, row):
    """Count one more account and one more text, each once."""
    if last[0, slot] != account:
        last[0, slot] = account
        count[0, slot] += 1
    if last[1, slot] != row:
        last[1, slot] = row
        count[1, slot] += 1


@njit(cache=True, nogil=True)
def count_shingles(shingles, starts, account, order, taken, maybe_shared, least):
    """Exact numbers of accounts and texts of each marked shingle: (shingle + 1, counts of shape (2, n))."""
    bits = 16
    keys = np.zeros(1 << bits, dtype=np.uint64)
    last = np.full((2, 1 << bits), -1, dtype=np.int64)
    count = np.zeros((2, 1 << bits), dtype=np.int32)
    n_used = 0
    for row in order:
        if not taken[row]:
            continue
        for at in range(starts[row], starts[row + 1]):
            if not maybe_shared[at]:
                continue
            key = np.uint64(shingles[at]) + np.uint64(1)
            slot = _find(keys, key, bits)
            if keys[slot] == 0:
                if 2 * n_used > len(keys):
                    keys, last, count = _grown(keys, last, count, bits)
                    bits += 1
                    slot = _find(keys, key, bits)
                keys[slot] = key
                last[:, slot] = -1
                n_used += 1
            _seen(slot, last, count, account[row], row)
    return _filled(keys, count, least)


@njit(cache=True, nogil=True)
def shared_sequences(shingles, starts, maybe_shared, shared, ids, id_starts):
    """Each text reduced to its shared shingles, as positions in the ascending array `shared`.

    `ids` needs room for every marked occurrence; returns how many were written.
    """
    bits = 4
    while (1 << bits) < 2 * len(shared) + 2:
        bits += 1
    keys = np.zeros(1 << bits, dtype=np.uint64)
    values = np.empty(1 << bits, dtype=np.int32)
    for position in range(len(shared)):
        slot = _find(keys, np.uint64(shared[position]) + np.uint64(1), bits)
        keys[slot] = np.uint64(shared[position]) + np.uint64(1)
        values[slot] = position
    written = 0
    for row in range(len(starts) - 1):
        id_starts[row] = written
        for at in range(starts[row], starts[row + 1]):
            if not maybe_shared[at]:
                continue
            slot = _find(keys, np.uint64(shingles[at]) + np.uint64(1), bits)
            if keys[slot] != 0:
                ids[written] = values[slot]
                written += 1
    id_starts[len(starts) - 1] = written
    return written


@njit(cache=True, nogil=True)
def count_pairs(ids, id_starts, account, order, taken, n_texts, least, confidence):
    """In how many texts two shared shingles stand within SKIP of each other.

    Pairs whose numbers of texts differ too much to reach `confidence` are never counted: an everyday phrase
    stands beside thousands of things, and this keeps it from filling memory. Returns (pair keys + 1, counts
    of shape (2, n): accounts and texts); a pair's key is (smaller id << 32) | larger id.
    """
    bits = 16
    keys = np.zeros(1 << bits, dtype=np.uint64)
    last = np.full((2, 1 << bits), -1, dtype=np.int64)
    count = np.zeros((2, 1 << bits), dtype=np.int32)
    n_used = 0
    for row in order:
        if not taken[row]:
            continue
        end = id_starts[row + 1]
        for at in range(id_starts[row], end):
            for other in range(at + 1, min(at + 1 + SKIP, end)):
                low, high = min(ids[at], ids[other]), max(ids[at], ids[other])
                if low == high:
                    continue
                if min(n_texts[low], n_texts[high]) < confidence * max(n_texts[low], n_texts[high]):
                    continue
                key = ((np.uint64(low) << np.uint64(32)) | np.uint64(high)) + np.uint64(1)
                slot = _find(keys, key, bits)
                if keys[slot] == 0:
                    if 2 * n_used > len(keys):
                        keys, last, count = _grown(keys, last, count, bits)
                        bits += 1
                        slot = _find(keys, key, bits)
                    keys[slot] = key
                    last[:, slot] = -1
                    n_used += 1
                _seen(slot, last, count, account[row], row)
    return _filled(keys, count, least)


@njit(cache=True, nogil=True)
def assign_families(ids, id_starts, family_of_shingle, size_of_family, least_shingles, least_share, family_of, held):
    """Give each text the family it holds most shingles of, if enough; the smaller number on a tie.

    held[row] is the number of the family's shingles found, repeats of one not counted.
    """
    n_families = len(size_of_family)
    n_held = np.zeros(n_families, dtype=np.int32)
    seen_in = np.full(len(family_of_shingle), -1, dtype=np.int64)
    touched = np.empty(max(1, np.max(np.diff(id_starts))), dtype=np.int32)
    for row in range(len(id_starts) - 1):
        n_touched = 0
        for at in range(id_starts[row], id_starts[row + 1]):
            shingle = ids[at]
            if seen_in[shingle] == row:
                continue
            seen_in[shingle] = row
            family = family_of_shingle[shingle]
            if family < 0:
                continue
            if n_held[family] == 0:
                touched[n_touched] = family
                n_touched += 1
            n_held[family] += 1
        best = -1
        for index in range(n_touched):
            family = touched[index]
            enough = max(least_shingles, int(np.ceil(least_share * min(size_of_family[family], 64))))
            if n_held[family] >= enough and (
                best < 0
                or n_held[family] > n_held[best]
                or (n_held[family] == n_held[best] and family < best)
            ):
                best = family
        family_of[row] = best
        held[row] = n_held[best] if best >= 0 else 0
        for index in range(n_touched):
            n_held[touched[index]] = 0
