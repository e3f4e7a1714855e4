"""The smallest world in which a campaign is found: a few people, a few applications, three nights."""

HAMLET = """
nights = 3
[benign]
person_chat = 150
single_purpose_app = 5
[[campaign]]
name = "tallow"
kind = "synchronised"
accounts = 30
requests_per_day = 20
"""
