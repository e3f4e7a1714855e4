"""Loops over what fills the slots of template families: projections, known items, likeness within accounts,
order.

Here: numba loops and nothing else. Meaning and checks: detector.text.queues. Slow twins:
tests/reference/queues.py.
Every loop is linear in its rows, but for the sorting inside one text and the merge that counts inversions,
which are n log n.
"""

import numpy as np
from numba import njit

PROJECTED = 16
"""Dimensions of a text's projection. The chance likeness of two unrelated texts is 1/sqrt(16) a pair; over
the hundreds of pairs of a family it averages out, and sixteen numbers a request can be kept."""

MOST_HOLDERS = 8
"""Items of known sets that may share one shingle: what more of them hold is an everyday phrase."""

ITEM_SHINGLES = 16
"""Shingles kept of a known item: half of sixteen still tell an item from its neighbours when a text's edges
cost it some."""

_MULTIPLIERS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))
_SHINGLE_BITS = np.uint64(4)  # a place among an item's ITEM_SHINGLES
_PLACE_BITS = np.uint64(20)
_PLACE_MASK = np.uint64((1 << 20) - 1)


@njit(cache=True, nogil=True, inline="always")
def _mixed(shingle):
    value = (np.uint64(shingle) + np.uint64(1)) * _MULTIPLIERS[0]
    value ^= value >> np.uint64(32)
    value *= _MULTIPLIERS[1]
    return value ^ (value >> np.uint64(29))


@njit(cache=True, nogil=True, inline="always")
def _place_of(value, ascending, first, last):
    """Where ascending[first:last] holds the value, or would."""
    while first < last:
        middle = (first + last) >> 1
        if ascending[middle] < value:
            first = middle + 1
        else:
            last = middle
    return first


@njit(cache=True, nogil=True)
def project_slots(shingles, starts, family, family_shingles, family_starts, out, n_slot):
    """Add up, for each row, a signed unit vector for every shingle that its family does not hold.

    A shingle's dimension and sign are bits of its hash, so that two texts without common shingles are as
    likely to agree as to disagree. Source: feature hashing, Weinberger et al., ICML 2009.
    """
    for row in range(len(family)):
        first, last = family_starts[family[row]], family_starts[family[row] + 1]
        for at in range(starts[row], starts[row + 1]):
            place = _place_of(shingles[at], family_shingles, first, last)
            if place < last and family_shingles[place] == shingles[at]:
                continue
            value = _mixed(shingles[at])
            sign = np.float32(1) - np.float32(2) * np.float32((value >> np.uint64(40)) & np.uint64(1))
            out[row, np.int64(value >> np.uint64(60))] += sign
            n_slot[row] += 1


@njit(cache=True, nogil=True)
def locate_items(shingles, starts, keys, first_holder, holders, n_sampled, out):
    """Fill out[row] with the known item that the row's text holds, -1 for none.

    keys : the known shingles, ascending; key k is held by holders[first_holder[k]:first_holder[k + 1]], each
    an item times ITEM_SHINGLES plus the key's place among the item's own. A text holds an item when it holds
    at least half of its n_sampled shingles, and two. Of several the one that ends last: examples stand before
    the question asked. Then the one held most of, then the first. `keys` are looked up by halving behind a
    bitmap that stays in the cache and answers for nearly all shingles of other texts.
    """
    bitmap = np.zeros(1 << 18, dtype=np.uint64)  # 2 MB, 16 million bits
    for key in keys:
        bit = _mixed(key) >> np.uint64(40)
        bitmap[bit >> np.uint64(6)] |= np.uint64(1) << (bit & np.uint64(63))
    longest = 0
    for row in range(len(out)):
        longest = max(longest, starts[row + 1] - starts[row])
    found = np.empty(longest * MOST_HOLDERS, dtype=np.uint64)
    for row in range(len(out)):
        n_found = 0
        for at in range(starts[row], starts[row + 1]):
            bit = _mixed(shingles[at]) >> np.uint64(40)
            if not (bitmap[bit >> np.uint64(6)] >> (bit & np.uint64(63))) & np.uint64(1):
                continue
            k = _place_of(shingles[at], keys, 0, len(keys))
            if k == len(keys) or keys[k] != shingles[at]:
                continue
            place = np.uint64(min(at - starts[row], 1_048_575))
            for holder in range(first_holder[k], first_holder[k + 1]):
                found[n_found] = (np.uint64(holders[holder]) << _PLACE_BITS) | place
                n_found += 1
        out[row] = _held_item(np.sort(found[:n_found]), n_sampled) if n_found > 1 else -1


@njit(cache=True, nogil=True)
def _held_item(found, n_sampled):
    best, best_end, best_held, best_of = np.int64(-1), np.int64(-1), 0, 1
    at = 0
    while at < len(found):
        item = np.int64(found[at] >> (_PLACE_BITS + _SHINGLE_BITS))
        held, end = 0, np.int64(-1)
        before = np.uint64(0xFFFFFFFFFFFFFFFF)
        while at < len(found) and np.int64(found[at] >> (_PLACE_BITS + _SHINGLE_BITS)) == item:
            if found[at] >> _PLACE_BITS != before:
                held += 1
                before = found[at] >> _PLACE_BITS
            end = max(end, np.int64(found[at] & _PLACE_MASK))
            at += 1
        if held < 2 or 2 * held < n_sampled[item]:
            continue
        fuller = held * best_of > best_held * n_sampled[item]
        if end > best_end or (end == best_end and fuller):
            best, best_end, best_held, best_of = item, end, held, n_sampled[item]
    return best


@njit(cache=True, nogil=True)
def likeness(values, account_starts, family_starts, block_starts, icc, icc_error, z, skew, block_icc):
    """How alike one account's rows are: the moments of their inner products, by family.

    values : (n_rows, n_columns), rows by account; account a owns rows account_starts[a]:account_starts[a + 1]
    family f owns accounts family_starts[f]:family_starts[f + 1]; block b owns columns block_starts[b:b + 2]

    Each block is centred and scaled to one unit of variance within the family. The statistic is the sum of
    inner products over pairs of rows of one account, each account's pairs weighing 1 / (n - 1) so that they
    count as its rows do. Under any re-dealing of rows to accounts its mean and variance are known exactly
    (Mantel, Cancer Research 27 (1967) 209); inner products of all pairs need no pairs, since centred rows sum
    to zero and their squares are the squared entries of the columns' products.
    """
    n_columns = values.shape[1]
    n_blocks = len(block_starts) - 1
    mean = np.empty(n_columns)
    scale = np.empty(n_columns)
    x = np.empty(n_columns)
    total = np.empty(n_columns)
    products = np.empty((n_columns, n_columns))
    present = np.empty(n_columns, dtype=np.int64)
    block_of = np.empty(n_columns, dtype=np.int64)
    within = np.empty(n_blocks)
    squares = np.empty(n_blocks)
    for block in range(n_blocks):
        block_of[block_starts[block] : block_starts[block + 1]] = block
    for family in range(len(family_starts) - 1):
        first_account, last_account = family_starts[family], family_starts[family + 1]
        first, last = account_starts[first_account], account_starts[last_account]
        n = last - first
        icc[family] = icc_error[family] = z[family] = skew[family] = np.nan
        block_icc[family, :] = np.nan
        paired, paired_accounts, b_w, cubes_w = 0, 0, 0.0, 0.0
        for account in range(first_account, last_account):
            n_a = account_starts[account + 1] - account_starts[account]
            if n_a > 1:
                paired += n_a
                paired_accounts += 1
                b_w += n_a / (n_a - 1)
                cubes_w += 1 - 1 / (n_a - 1) ** 2
        if paired_accounts < 2 or n < 4:
            continue
        mean[:] = 0.0
        for row in range(first, last):
            for column in range(n_columns):
                mean[column] += values[row, column]
        mean /= n
        scale[:] = 0.0
        for row in range(first, last):
            for column in range(n_columns):
                scale[column] += (values[row, column] - mean[column]) ** 2
        n_present, n_present_blocks = 0, 0
        for block in range(n_blocks):
            variance = 0.0
            for column in range(block_starts[block], block_starts[block + 1]):
                variance += scale[column] / n
            squares[block] = 0.0
            if variance > 1e-9:
                n_present_blocks += 1
                for column in range(block_starts[block], block_starts[block + 1]):
                    if scale[column] > 0.0:
                        present[n_present] = column
                        n_present += 1
                        scale[column] = 1.0 / np.sqrt(variance)
        if n_present_blocks == 0:
            continue
        products[:n_present, :n_present] = 0.0
        within[:] = 0.0
        fourths, statistic = 0.0, 0.0
        for step in range(2):  # first the sum, then each account's part of it against its share
            errors = 0.0
            for account in range(first_account, last_account):
                n_a = account_starts[account + 1] - account_starts[account]
                total[:] = 0.0
                own = 0.0
                if step == 1 and n_a < 2:
                    continue
                for row in range(account_starts[account], account_starts[account + 1]):
                    norm = 0.0
                    for k in range(n_present):
                        column = present[k]
                        x[k] = (values[row, column] - mean[column]) * scale[column]
                        total[k] += x[k]
                        norm += x[k] * x[k]
                        if step == 0:
                            squares[block_of[column]] += x[k] * x[k]
                            within[block_of[column]] -= x[k] * x[k] / (n_a - 1) if n_a > 1 else 0.0
                    own += norm
                    if step == 0:
                        fourths += norm * norm
                        for k in range(n_present):
                            for other in range(k + 1):
                                products[k, other] += x[k] * x[other]
                if n_a < 2:
                    continue
                alike = -own
                for k in range(n_present):
                    alike += total[k] * total[k]
                    if step == 0:
                        within[block_of[present[k]]] += total[k] * total[k] / (n_a - 1)
                alike /= n_a - 1
                if step == 0:
                    statistic += alike
                else:
                    errors += (alike - n_a * statistic / paired) ** 2
        frobenius, spread = 0.0, 0.0
        for k in range(n_present):
            spread += products[k, k]
            for other in range(k):
                products[other, k] = products[k, other]
                frobenius += 2.0 * products[k, other] ** 2
            frobenius += products[k, k] ** 2
        third = 0.0
        for k in range(n_present):
            for other in range(n_present):
                inner = 0.0
                for middle in range(n_present):
                    inner += products[k, middle] * products[middle, other]
                third += inner * products[k, other]
        # Mantel's moments: sums over ordered pairs of W (weights), of G (inner products), their squares and
        # the squares of their row sums.
        a_w, d_w = float(paired), float(paired)
        a_g, b_g, d_g = -spread, frobenius - fourths, fourths
        n1 = float(n)
        expected = a_w * a_g / (n1 * (n1 - 1))
        second = (
            2 * b_w * b_g / (n1 * (n1 - 1))
            + 4 * (d_w - b_w) * (d_g - b_g) / (n1 * (n1 - 1) * (n1 - 2))
            + (a_w**2 + 2 * b_w - 4 * d_w)
            * (a_g**2 + 2 * b_g - 4 * d_g)
            / (n1 * (n1 - 1) * (n1 - 2) * (n1 - 3))
        )
        variance = second - expected**2
        unit = spread / (n1 - 1)
        icc[family] = (statistic - expected) / a_w / unit
        error = np.sqrt(errors * paired_accounts / (paired_accounts - 1))
        if variance > 1e-12 * expected**2:
            z[family] = (statistic - expected) / np.sqrt(variance)
            skew[family] = 8 * cubes_w * third / n1**3 / variance**1.5
            error = max(error, np.sqrt(variance))
        icc_error[family] = error / a_w / unit
        for block in range(n_blocks):
            if squares[block] > 0.0:
                block_unit = squares[block] / (n1 - 1)
                block_icc[family, block] = within[block] / a_w / block_unit + 1 / n1


@njit(cache=True, nogil=True)
def concordance(time, position, starts, score, variance, pairs):
    """Kendall's score of each segment: concordant less discordant pairs, by merge counting.

    time, position : ascending by (time, position) within each segment; variance : of the score under chance,
    for ties (Kendall, Rank Correlation Methods, 4th ed., 4.3); pairs : the geometric mean of the pairs not
    tied in each, by which tau-b divides the score.
    """
    longest = 0
    for segment in range(len(starts) - 1):
        longest = max(longest, starts[segment + 1] - starts[segment])
    one, other = np.empty(longest, dtype=position.dtype), np.empty(longest, dtype=position.dtype)
    for segment in range(len(starts) - 1):
        first, last = starts[segment], starts[segment + 1]
        n = last - first
        score[segment] = variance[segment] = pairs[segment] = 0.0
        if n < 2:
            continue
        t2, t3, tv, both = 0.0, 0.0, 0.0, 0.0
        run, joint = 1, 1
        for at in range(first + 1, last + 1):
            if at < last and time[at] == time[at - 1] and position[at] == position[at - 1]:
                joint += 1
            else:
                both += joint * (joint - 1) / 2
                joint = 1
            if at < last and time[at] == time[at - 1]:
                run += 1
            else:
                t2 += run * (run - 1.0)
                t3 += run * (run - 1.0) * (run - 2.0)
                tv += run * (run - 1.0) * (2.0 * run + 5.0)
                run = 1
        source, target = one[:n], other[:n]
        source[:] = position[first:last]
        inversions = 0.0
        width = 1
        while width < n:
            for left in range(0, n, 2 * width):
                middle, right = min(left + width, n), min(left + 2 * width, n)
                i, j = left, middle
                for k in range(left, right):
                    if i < middle and (j >= right or source[i] <= source[j]):
                        target[k] = source[i]
                        i += 1
                    else:
                        target[k] = source[j]
                        inversions += middle - i
                        j += 1
            source, target = target, source
            width *= 2
        u2, u3, uv = 0.0, 0.0, 0.0
        run = 1
        for at in range(1, n + 1):
            if at < n and source[at] == source[at - 1]:
                run += 1
            else:
                u2 += run * (run - 1.0)
                u3 += run * (run - 1.0) * (run - 2.0)
                uv += run * (run - 1.0) * (2.0 * run + 5.0)
                run = 1
        size = float(n)
        all_pairs = size * (size - 1) / 2
        concordant = all_pairs - t2 / 2 - u2 / 2 + both - inversions
        score[segment] = concordant - inversions
        pairs[segment] = np.sqrt((all_pairs - t2 / 2) * (all_pairs - u2 / 2))
        chance = (size * (size - 1) * (2 * size + 5) - tv - uv) / 18 + t2 * u2 / (2 * size * (size - 1))
        if n > 2:
            chance += t3 * u3 / (9 * size * (size - 1) * (size - 2))
        variance[segment] = chance
