"""Loops over who holds what: how many members two ascending lists have in common.

Here: numba loops and nothing else. Meaning: detector.text.ties. Slow twins: tests/reference/ties.py.
"""

from numba import njit


@njit(cache=True, nogil=True)
def count_common(members, starts, first, second, out):
    """Fill out[i] with how many members the lists first[i] and second[i] have in common.

    List k owns members[starts[k]:starts[k + 1]], ascending, none twice. One walk along both lists: linear in
    their lengths, which the caller keeps short.
    """
    for pair in range(len(first)):
        here, here_end = starts[first[pair]], starts[first[pair] + 1]
        there, there_end = starts[second[pair]], starts[second[pair] + 1]
        n = 0
        while here < here_end and there < there_end:
            if members[here] == members[there]:
                n += 1
                here += 1
                there += 1
            elif members[here] < members[there]:
                here += 1
            else:
                there += 1
        out[pair] = n
