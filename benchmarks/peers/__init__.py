"""Other published ways of finding distillation, run on the very logs that Stillwatch is judged on.

Here: one module per peer, what they share (reading a world, groups, texts as vectors), one judge for all,
and the command that prints the table. Not here: Stillwatch itself, which is only called (stillwatch).
"""
