"""Training and measuring the capability and technique classifier: `python -m tools.classifier POOLS_DIR`.

rows: real prompts and what their labels mean; frames: weak labels from phrases/ in our own words; fitting:
features, weights, thresholds; card: the figures of docs/reference/classifier.md. Not here: what the
weights are used for (detector.text.classify).
"""
