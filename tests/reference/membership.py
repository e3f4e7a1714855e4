"""Slow twins of detector.kernels.membership: one account and one object at a time."""

import numpy as np


def who_could_join(carried: np.ndarray, objects: np.ndarray, members: np.ndarray) -> list[int]:
    """carried : shape (n_accounts, n_objects), the share of each account's requests that carried it"""
    return [
        account
        for account in range(len(carried))
        if account in members or any(carried[account, one] > 0 for one in objects)
    ]


def n_of_others(carried: np.ndarray, objects: np.ndarray, members: np.ndarray) -> dict[int, int]:
    of_each = {
        account: sum(bool(carried[account, one] > 0) for one in objects) for account in range(len(carried))
    }
    return {account: n for account, n in of_each.items() if n > 0 and account not in members}


def n_carrying(carried: np.ndarray, accounts: np.ndarray, objects: np.ndarray) -> list[int]:
    return [sum(bool(carried[account, one] > 0) for account in accounts) for one in objects]


def weigh_carried(carried, accounts, objects, log_ratio, layer, against, n_layers):
    """Shares, shares times ratio, shares times ratio squared, the most that a lack tells, and how many are
    carried; each by account and layer."""
    share, worth, points, lacking, n_of = (np.zeros((len(accounts), n_layers)) for _ in range(5))
    for row, account in enumerate(accounts):
        for one, ratio, here, told in zip(objects, log_ratio, layer, against, strict=True):
            mine = carried[account, one]
            if mine > 0:
                share[row, here] += mine
                worth[row, here] += mine * ratio
                points[row, here] += mine * ratio * ratio
                n_of[row, here] += 1
            else:
                lacking[row, here] = min(lacking[row, here], told)
    return share, worth, points, lacking, n_of


def are_a_group(members: set[int], groups: list[set[int]], same: float) -> bool:
    return any(len(members & group) >= same * len(members | group) for group in groups)
