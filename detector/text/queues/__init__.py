"""Work queues: is what fills a template's slots one list dealt out, or many people's own texts?

Here: from the requests of the night's families to measures and a verdict per family (judging). One module a
kind of measure (sharing, evenness, likeness, known, order), all over the same uses and traits; then what they
say together (verdict) and the whole (table). Which requests carry an item of a known data set: known, too.
Not here: loops (kernels.queues), reading tables (pipelines.queues), what a verdict means for a group of
accounts (campaigns).

A verdict needs several measures, for each alone has an innocent reading: people's own texts are disjoint,
too; whoever uses an application twice is as even as a scheduler; a benchmark is a known list. What no two
kinds share is whether an account's items are *exchangeable*: from a dealt list any account might have got any
item, while a person's texts resemble one another in length, script, subject and words.
"""

from detector.kernels.queues import PROJECTED
from detector.text.queues.judging import judge, warm_up
from detector.text.queues.known import KnownSets, known_sets, locate, padded
from detector.text.queues.likeness import pooled_likeness
from detector.text.queues.table import Queues, said_of_likeness
from detector.text.queues.traits import TRAIT_BLOCKS, Traits, project_slots, slot_traits
from detector.text.queues.verdict import VERDICTS

__all__ = [
    "PROJECTED",
    "TRAIT_BLOCKS",
    "VERDICTS",
    "KnownSets",
    "Queues",
    "Traits",
    "judge",
    "known_sets",
    "locate",
    "padded",
    "pooled_likeness",
    "project_slots",
    "said_of_likeness",
    "slot_traits",
    "warm_up",
]
