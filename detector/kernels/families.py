"""Loops over kept shingles: which ones many accounts share, and which of those travel together.

Here: numba loops and nothing else. Meaning: detector.text.families. Slow twins: tests/reference/families.py.
Every loop is linear in the number of shingles; nothing is compared pair by pair. Texts are counted in the
order of their accounts, so that "another account" is a comparison with the account seen last. Text i holds
shingles[starts[i]:ends[i]].
"""

import numpy as np
from numba import njit

SKETCH_BITS = 23
"""Two rows of 8 million counters, 64 MB, whatever the night's size. With 10 million different shingles
a counter sees 1.2 of them; that both of a rare shingle's counters reach five accounts by chance has a
probability under one per mille, and the exact count that follows removes those."""

COUNT_BITS = 3
"""Of a counter of 32 bits hold the count, up to 7 accounts; the others hold the account seen last."""

MOST_COUNTED = 256
"""Of a longer template a text needs only its share of so many shingles: longer texts are thinned."""

EXACT_TEXTS = 512
"""Texts in which a pair is counted one by one. A pair of twice as many is counted in every second text, and
so on: 512 tell a share of 0.6 to two hundredths, and a phrase of ten thousand texts costs no more than a
rare one."""

MOST_HALVINGS = 20

MOST_PAIR_SKETCH_BITS = 27
"""A byte for each of 128 million pairs at most. Of more than that, some rare ones pass for frequent, which
costs room in the exact count and changes nothing."""

NTH = 16
"""Of the texts one in so many tells how large that sketch has to be."""

LEAST_BITS = 8
"""A table has 256 slots at least; it doubles as it fills."""

BITMAP_BITS = 24
"""A bitmap of 2 MB that stays in the cache answers most look-ups of shingles nobody shares."""

_MULTIPLIERS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))
_LOW = np.uint64(0xFFFFFFFF)
_COUNT = np.uint32((1 << COUNT_BITS) - 1)
_ONE = np.uint64(1)

# A table is one uint64 array of shape (slots, 4), so that a look-up costs one cache line:
KEY, ACCOUNTS, LAST_TEXT, TEXTS = 0, 1, 2, 3  # ACCOUNTS: last account + 1 in the high half, count in the low


@njit(cache=True, nogil=True, inline="always")
def _slot(value, multiplier, bits):
    return np.int64((np.uint64(value) * multiplier) >> np.uint64(64 - bits))


@njit(cache=True, nogil=True)
def sample(text_hash, order, starts, most):
    """Rows of up to `most` different texts of each account: those with the smallest hashes, by account.

    Account i owns the rows order[starts[i]:starts[i + 1]]. A hash is as good as random, so the smallest ones
    are a fair sample, the same whatever the order of files.
    """
    rows = np.empty(len(order), dtype=np.int64)
    n_rows = 0
    for account in range(len(starts) - 1):
        mine = order[starts[account] : starts[account + 1]]
        hashes = text_hash[mine]
        n_taken = 0
        previous = np.uint64(0)
        for at in np.argsort(hashes, kind="mergesort"):  # of equal texts the first row
            if n_taken > 0 and hashes[at] == previous:
                continue
            if n_taken == most:
                break
            previous = hashes[at]
            rows[n_rows] = mine[at]
            n_rows += 1
            n_taken += 1
    return rows[:n_rows]


@njit(cache=True, nogil=True)
def gather(shingles, starts, rows, first, last, out, out_starts):
    """Copy the shingles of rows[first:last] to `out`: what is read several times should lie in one place."""
    for at in range(first, last):
        place = out_starts[at]
        for index in range(starts[rows[at]], starts[rows[at] + 1]):
            out[place] = shingles[index]
            place += 1


@njit(cache=True, nogil=True)
def sketch_line(shingles, starts, ends, account, least, line, counters):
    """Fill one of the two lines of a count-min sketch of each shingle's distinct accounts: never one too few.

    Distinct because accounts come one after the other: a counter remembers the last. counters : uint32, shape
    (1 << SKETCH_BITS,), zeros at first; then last account + 1 in the high bits, which are enough for 500
    million, and count (up to `least`) in the COUNT_BITS low ones: most look-ups go to memory, and more would
    if it were larger. Source: Cormode, Muthukrishnan, J. Algorithms 55 (2005) 58, section 4.
    """
    multiplier = _MULTIPLIERS[line]
    for row in range(len(account)):
        mine = np.uint32(account[row] + 1) << np.uint32(COUNT_BITS)
        for at in range(starts[row], ends[row]):
            slot = _slot(shingles[at], multiplier, SKETCH_BITS)
            cell = counters[slot]
            if cell & ~_COUNT != mine and cell & _COUNT < least:
                counters[slot] = mine | ((cell & _COUNT) + np.uint32(1))


@njit(cache=True, nogil=True)
def n_passing(counters, least):
    """How many counters of a line have reached `least`: about as many shingles as it lets through."""
    n = 0
    for slot in range(len(counters)):
        n += counters[slot] & _COUNT >= least
    return n


@njit(cache=True, nogil=True)
def drop_rare(shingles, starts, ends, first, last, one_line, other_line, least):
    """Keep of the texts first..last, in place, the shingles that both lines of the sketch let through."""
    for row in range(first, last):
        place = starts[row]
        for at in range(starts[row], ends[row]):
            shingle = shingles[at]
            if one_line[_slot(shingle, _MULTIPLIERS[0], SKETCH_BITS)] & _COUNT < least:
                continue
            if other_line[_slot(shingle, _MULTIPLIERS[1], SKETCH_BITS)] & _COUNT < least:
                continue
            shingles[place] = shingle
            place += 1
        ends[row] = place


@njit(cache=True, nogil=True)
def _bits_of(table):
    bits = 0
    while (1 << bits) < len(table):
        bits += 1
    return bits


@njit(cache=True, nogil=True, inline="always")
def _find(table, key, bits):
    """Slot of `key` in an open-addressing table, or the free slot where it belongs; key 0 marks those."""
    slot = _slot(key, _MULTIPLIERS[0], bits)
    while table[slot, KEY] != 0 and table[slot, KEY] != key:
        slot = (slot + 1) & ((1 << bits) - 1)
    return slot


@njit(cache=True, nogil=True)
def _grown(table, bits):
    """The same table with twice the slots."""
    larger = np.zeros((2 << bits, 4), dtype=np.uint64)
    for slot in range(1 << bits):
        if table[slot, KEY] != 0:
            larger[_find(larger, table[slot, KEY], bits + 1)] = table[slot]
    return larger


@njit(cache=True, nogil=True, inline="always")
def _count(table, slot, key, account, row):
    """Count one more account and one more text for the key at this slot, each once. Without a branch: the
    processor would guess wrong about every other one, and wait for memory that it could have asked for."""
    table[slot, KEY] = key
    mine = np.uint64(account + 1) << np.uint64(32)
    accounts = table[slot, ACCOUNTS]
    table[slot, ACCOUNTS] = mine | ((accounts & _LOW) + np.uint64(accounts & ~_LOW != mine))
    text = np.uint64(row + 1)
    table[slot, TEXTS] += np.uint64(table[slot, LAST_TEXT] != text)
    table[slot, LAST_TEXT] = text


@njit(cache=True, nogil=True)
def count_shingles(shingles, starts, ends, account, first, last, table):
    """Exact count of the shingles of the texts first..last, which are whole accounts: a table by shingle + 1,
    which is `table`, empty at first, or a larger one."""
    bits = _bits_of(table)
    n_used = 0
    for row in range(first, last):
        for at in range(starts[row], ends[row]):
            key = np.uint64(shingles[at]) + _ONE
            slot = _find(table, key, bits)
            if table[slot, KEY] == 0:
                n_used += 1
                if 2 * n_used > len(table):
                    table = _grown(table, bits)
                    bits += 1
                    slot = _find(table, key, bits)
            _count(table, slot, key, account[row], row)
    return table


@njit(cache=True, nogil=True)
def added(one, other):
    """A table of what two tables count, of which no account is in both: their numbers add up exactly."""
    bits = _bits_of(one)
    n_used = 0
    for slot in range(len(one)):
        n_used += one[slot, KEY] != 0
    for place in range(len(other)):
        key = other[place, KEY]
        if key == 0:
            continue
        slot = _find(one, key, bits)
        if one[slot, KEY] == 0:
            n_used += 1
            if 2 * n_used > len(one):
                one = _grown(one, bits)
                bits += 1
                slot = _find(one, key, bits)
        one[slot, KEY] = key
        one[slot, ACCOUNTS] += other[place, ACCOUNTS] & _LOW
        one[slot, TEXTS] += other[place, TEXTS]
    return one


@njit(cache=True, nogil=True)
def filled(table, least):
    """(keys, texts) of what has at least `least` accounts, in no particular order."""
    n = 0
    for slot in range(len(table)):
        n += table[slot, KEY] != 0 and table[slot, ACCOUNTS] & _LOW >= least
    keys = np.empty(n, dtype=np.uint64)
    n_texts = np.empty(n, dtype=np.int64)
    n = 0
    for slot in range(len(table)):
        if table[slot, KEY] != 0 and table[slot, ACCOUNTS] & _LOW >= least:
            keys[n] = table[slot, KEY]
            n_texts[n] = table[slot, TEXTS]
            n += 1
    return keys, n_texts


@njit(cache=True, nogil=True)
def count_held(pieces, starts, ends, account, first, last, counts):
    """Count the accounts and texts of the texts first..last, which are whole accounts, into counts[piece]: as
    in a table, without keys."""
    for row in range(first, last):
        for at in range(starts[row], ends[row]):
            _count(counts, pieces[at], _ONE, account[row], row)


@njit(cache=True, nogil=True)
def index_of(keys):
    """Look-up structures for an ascending array of shingles: (bitmap, table of key + 1 and position)."""
    bits = 4
    while (1 << bits) < 2 * len(keys) + 2:
        bits += 1
    bitmap = np.zeros(1 << (BITMAP_BITS - 6), dtype=np.uint64)
    table = np.zeros((1 << bits, 2), dtype=np.uint64)
    for position in range(len(keys)):
        bit = _slot(keys[position], _MULTIPLIERS[1], BITMAP_BITS)
        bitmap[bit >> 6] |= _ONE << np.uint64(bit & 63)
        slot = _find(table, np.uint64(keys[position]) + _ONE, bits)
        table[slot, 0] = np.uint64(keys[position]) + _ONE
        table[slot, 1] = np.uint64(position)
    return bitmap, table


@njit(cache=True, nogil=True, inline="always")
def _position(bitmap, table, bits, shingle):
    """Position of a shingle in the indexed array, -1 when it is not there."""
    bit = _slot(shingle, _MULTIPLIERS[1], BITMAP_BITS)
    if (bitmap[bit >> 6] >> np.uint64(bit & 63)) & _ONE == 0:
        return np.int64(-1)
    slot = _find(table, np.uint64(shingle) + _ONE, bits)
    if table[slot, 0] == 0:
        return np.int64(-1)
    return np.int64(table[slot, 1])


@njit(cache=True, nogil=True)
def pair_level(n_texts):
    """How often the texts of a shingle are halved until EXACT_TEXTS remain, at most MOST_HALVINGS times."""
    level = 0
    while level < MOST_HALVINGS and (n_texts >> level) > EXACT_TEXTS:
        level += 1
    return level


@njit(cache=True, nogil=True)
def pair_levels(n_texts):
    """`pair_level` of each."""
    levels = np.empty(len(n_texts), dtype=np.int64)
    for index in range(len(n_texts)):
        levels[index] = pair_level(n_texts[index])
    return levels


@njit(cache=True, nogil=True)
def positions(shingles, starts, ends, first, last, bitmap, index):
    """Put, in place, the positions of the indexed shingles of the texts first..last; drop all others, and of
    one that comes several times running all but the first: how near two shingles stand is counted in these.
    """
    index_bits = _bits_of(index)
    for row in range(first, last):
        place = starts[row]
        previous = np.int64(-1)
        for at in range(starts[row], ends[row]):
            position = _position(bitmap, index, index_bits, shingles[at])
            if position >= 0 and position != previous:
                shingles[place] = position
                place += 1
                previous = position
        ends[row] = place


NO_PIECE = 0xFFFFFFFF
"""Stands for what belongs to no piece."""


@njit(cache=True, nogil=True)
def drop_pieceless(shared, starts, ends, first, last, piece_of):
    """Keep of the texts first..last, in place, the shared shingles that belong to a piece."""
    for row in range(first, last):
        place = starts[row]
        for at in range(starts[row], ends[row]):
            position = shared[at]
            shared[place] = position
            place += piece_of[position] != NO_PIECE
        ends[row] = place


@njit(cache=True, nogil=True)
def pieces_held(shared, starts, ends, first, last, piece_of, enough, pieces, piece_ends):
    """Write the pieces that the texts first..last hold enough of, in order of their shingles, repeats left
    out.

    shared, starts, ends : text i holds the shared shingles shared[starts[i]:ends[i]], by position
    piece_of : the piece of each shared shingle, NO_PIECE for none; enough : shingles of each piece that a
        text must hold to hold the piece
    pieces, piece_ends : text i's go to pieces[starts[i]:piece_ends[i]]
    """
    n_held = np.zeros(len(enough), dtype=np.int32)
    seen_in = np.full(len(piece_of), -1, dtype=np.int32)
    longest = 0
    for row in range(first, last):
        longest = max(longest, ends[row] - starts[row])
    mine = np.empty(longest + 1, dtype=np.uint32)
    for row in range(first, last):
        n = 0
        for at in range(starts[row], ends[row]):
            position = shared[at]
            piece = piece_of[position]
            if piece != NO_PIECE:
                mine[n] = piece
                n += 1
                n_held[piece] += seen_in[position] != row
                seen_in[position] = row
        place = starts[row]
        previous = np.uint32(NO_PIECE)
        for piece in mine[:n]:
            if piece != previous and n_held[piece] >= enough[piece]:
                pieces[place] = piece
                place += 1
                previous = piece
        piece_ends[row] = place
        for piece in mine[:n]:
            n_held[piece] = 0


@njit(cache=True, nogil=True, inline="always")
def _sighting(key, bits):
    return _slot(key ^ (key >> np.uint64(29)), _MULTIPLIERS[1], bits)


@njit(cache=True, nogil=True)
def pair_sketch_bits(n_pairs):
    """Of a sketch in which so many pairs hardly ever fall together `least` times: two counters for each."""
    bits = LEAST_BITS
    while bits < MOST_PAIR_SKETCH_BITS and (1 << bits) < 2 * n_pairs:
        bits += 1
    return bits


@njit(cache=True, nogil=True, inline="always")
def _near_pairs(shared, start, end, depth, n_texts, skip, confidence, keys, room):
    """Write the keys of one text's pairs to `keys`, as many as are returned; room is of `_room_for_pairs`."""
    counted, place, n_of = room
    most_texts = ((EXACT_TEXTS + 1) << min(depth, MOST_HALVINGS)) - 1  # of what this text counts for
    n_counted = 0
    for at in range(start, end):  # no branch, here or below: the processor would guess wrong
        n = n_texts[shared[at]]
        counted[n_counted] = shared[at]
        place[n_counted] = at
        n_of[n_counted] = n
        n_counted += (n > 0) & ((n <= most_texts) | (depth >= MOST_HALVINGS))
    n_keys = 0
    first = 0
    for at in range(1, n_counted):
        here = np.uint64(counted[at])
        most, fewest = n_of[at] / confidence, n_of[at] * confidence
        while place[first] + skip < place[at]:
            first += 1
        for before in range(first, at):
            there = np.uint64(counted[before])
            keys[n_keys] = ((min(here, there) << np.uint64(32)) | max(here, there)) + _ONE
            n_keys += (n_of[before] >= fewest) & (n_of[before] <= most) & (there != here)
    return n_keys


@njit(cache=True, nogil=True)
def _room_for_pairs(starts, ends, first, last, skip):
    """What `_near_pairs` writes to: keys; what is counted of a text, its places, and in how many texts."""
    longest = 1
    for row in range(first, last):
        longest = max(longest, ends[row] - starts[row] + 1)
    keys = np.empty(longest * skip, dtype=np.uint64)
    counted, place = np.empty(longest, dtype=np.uint32), np.empty(longest, dtype=np.int64)
    return keys, (counted, place, np.empty(longest, dtype=np.float64))


@njit(cache=True, nogil=True)
def n_near_pairs(shared, starts, ends, depth, n_texts, skip, confidence):
    """About how many pairs `count_pairs` will look up, judged by every NTH text."""
    keys, room = _room_for_pairs(starts, ends, 0, len(starts), skip)
    n = 0
    for row in range(0, len(starts), NTH):
        n += _near_pairs(shared, starts[row], ends[row], depth[row], n_texts, skip, confidence, keys, room)
    return NTH * n


@njit(cache=True, nogil=True)
def sight_pairs(shared, starts, ends, depth, n_texts, first, last, skip, least, confidence, sightings):
    """Count the pairs of the texts first..last in a byte each, up to `least`; several may share a byte.

    What is seen less than `least` times is not had with `least` accounts. Most pairs are such, and where all
    words are shared they would fill memory. sightings : uint8, as many as a power of two, zeros at first.
    """
    bits = _bits_of(sightings)
    keys, room = _room_for_pairs(starts, ends, first, last, skip)
    for row in range(first, last):
        n_keys = _near_pairs(
            shared, starts[row], ends[row], depth[row], n_texts, skip, confidence, keys, room
        )
        for at in range(n_keys):
            sighting = _sighting(keys[at], bits)
            sightings[sighting] += sightings[sighting] < least


@njit(cache=True, nogil=True)
def add_sightings(one, other, least):
    """Add to one sketch of sightings another, up to `least`."""
    for sighting in range(len(one)):
        one[sighting] = min(one[sighting] + other[sighting], least)
    return one


@njit(cache=True, nogil=True)
def count_pairs(
    shared, starts, ends, account, depth, n_texts, first, last, skip, least, confidence, sightings, table
):
    """In how many texts two shared shingles stand within `skip` of each other, shared ones alone counted.

    shared : uint32; text i holds the shared shingles at the positions shared[starts[i]:ends[i]] of `n_texts`
    depth : how many halvings (`pair_level` of a pair's more frequent shingle) each text survives; counts are
        not scaled up again
    first, last : the texts that are counted, whole accounts
    sightings : of `sight_pairs`, of all texts

    Pairs whose numbers of texts differ too much to reach `confidence` are never counted: an everyday phrase
    stands beside thousands of things, and this keeps it from filling memory. Returns a table of the pairs
    with `least` sightings: `table`, empty at first, or a larger one. A pair's key is (smaller position << 32)
    | larger position, plus 1.
    """
    bits = _bits_of(table)
    n_used = 0
    sighting_bits = _bits_of(sightings)
    keys, room = _room_for_pairs(starts, ends, first, last, skip)
    for row in range(first, last):
        n_keys = _near_pairs(
            shared, starts[row], ends[row], depth[row], n_texts, skip, confidence, keys, room
        )
        n_frequent = 0
        for at in range(n_keys):  # all at first: look-ups one after the other overlap
            keys[n_frequent] = keys[at]
            n_frequent += sightings[_sighting(keys[at], sighting_bits)] >= least
        for key in keys[:n_frequent]:
            slot = _find(table, key, bits)
            if table[slot, KEY] == 0:
                n_used += 1
                if 2 * n_used > len(table):
                    table = _grown(table, bits)
                    bits += 1
                    slot = _find(table, key, bits)
            _count(table, slot, key, account[row], row)
    return table


@njit(cache=True, nogil=True)
def assign_families(shingles, starts, first, last, bitmap, index, family_of, least_held, n_texts, out, held):
    """Give the texts first..last the families they hold enough shingles of: most first, of equals the first;
    in the last place, of those left, the one of most texts.

    family_of[position] is the family of an indexed shingle; a text needs least_held[family] of them, and
    n_texts[family] texts are known to hold it. out and held have as many columns as a text may have families;
    held[row] says how many shingles of each were found, repeats of one not counted. What a row does not need
    is -1 in out and 0 in held.
    """
    index_bits = _bits_of(index)
    n_held = np.zeros(len(least_held), dtype=np.int64)
    seen_in = np.full(len(family_of), -1, dtype=np.int64)
    longest = 1
    for row in range(first, last):
        longest = max(longest, starts[row + 1] - starts[row])
    touched = np.empty(longest, dtype=np.int32)
    for row in range(first, last):
        n_touched = 0
        for at in range(starts[row], starts[row + 1]):
            position = _position(bitmap, index, index_bits, shingles[at])
            if position < 0 or seen_in[position] == row:
                continue
            seen_in[position] = row
            family = family_of[position]
            if n_held[family] == 0:
                touched[n_touched] = family
                n_touched += 1
            n_held[family] += 1
        for place in range(out.shape[1]):
            best = -1
            for number in range(n_touched):
                family = touched[number]
                if n_held[family] < least_held[family]:
                    continue
                by = n_texts if place == out.shape[1] - 1 else n_held
                ahead = by[family] - by[best] if best >= 0 else 1
                if ahead > 0 or (ahead == 0 and family < best):
                    best = family
            out[row, place] = best
            held[row, place] = n_held[best] if best >= 0 else 0
            if best < 0:
                out[row, place:] = -1
                held[row, place:] = 0
                break
            n_held[best] = 0  # taken; the next place goes to the next best
        for number in range(n_touched):
            n_held[touched[number]] = 0
