"""Where the reasons for features are known from: the public record, literature, open code, our judgement.

Here: the short names that `Feature.source` begins with. Not here: which feature rests on which.
"""

SOURCES = {
    "AA26-251A": "NSA, FBI and CISA, joint advisory AA26-251A (8 September 2026): its indicators, by number "
    "in the order "
    "of an open catalogue of them",
    "Anthropic 2026-02": "Anthropic, *Detecting and preventing distillation attacks* (23 February 2026)",
    "Anthropic 2026-09": "Anthropic, *Detecting and countering misuse of AI: September 2026*, section 7",
    "GTIG 2026-02": "Google Threat Intelligence Group, *AI Threat Tracker: distillation, experimentation, "
    "integration* "
    "(12 February 2026)",
    "OpenAI 2026-02": "OpenAI, memorandum to the House Select Committee (12 February 2026), as quoted by the "
    "press",
    "Relay gateways": "the public source of account-pooling gateways (Wei-Shaw/claude-relay-service, "
    "Wei-Shaw/sub2api)",
    "Goh 2008": "K.-I. Goh and A.-L. Barabasi, *Burstiness and memory in complex systems*, EPL 81 (2008) "
    "48002",
    "Lin 1991": "J. Lin, *Divergence measures based on the Shannon entropy*, IEEE Trans. Inf. Theory 37 "
    "(1991) 145-151",
    "Shannon 1948": "C. E. Shannon, *A mathematical theory of communication*, Bell Syst. Tech. J. 27 (1948)",
    "Hirschman 1964": "A. O. Hirschman, *The paternity of an index*, Am. Econ. Rev. 54 (1964) 761: the sum "
    "of squared shares",
    "Iglewicz 1993": "B. Iglewicz and D. Hoaglin, *How to detect and handle outliers* (ASQC, 1993): z from "
    "median and MAD",
    "Hinton 2015": "G. Hinton, O. Vinyals and J. Dean, *Distilling the knowledge in a neural network*, arXiv "
    "1503.02531: "
    "probabilities teach more than labels",
    "Wang 2023": "X. Wang et al., *Self-consistency improves chain of thought reasoning*, ICLR 2023, arXiv "
    "2203.11171: "
    "several answers to one question",
    "PRADA 2019": "M. Juuti et al., *PRADA: protecting against DNN model stealing attacks*, EuroS&P 2019, "
    "arXiv 1805.02628",
    "Ours": "no public source: bookkeeping, or our own judgement of what sets look-alikes apart",
}
"""Full references, by the short name that stands in `Feature.source`."""
