"""Write detector/text/data/fold.npz: how each code point counts as text.

Run it when a new Unicode version matters: `python tools/make_fold_table.py`. The table is shipped rather
than computed at start because Python versions carry different Unicode versions, and a template must keep
its fingerprint when the interpreter is upgraded.
"""

import unicodedata
from pathlib import Path

import numpy as np

N_CODE_POINTS = 0x20000  # planes 0 and 1; above lie rare Han (letters that stand alone) and tags (vanish)
SEPARATOR, VANISH = 0, 1
ALONE = 1 << 31  # this code point is a token of its own
EXPANDS = 1 << 30  # the low bits index EXPANSIONS
DIGIT = 1 << 29  # the low bits are the digit's value
SCRIPT_NAMES = (
    "none", "latin", "cyrillic", "greek", "arabic", "hebrew", "devanagari",
    "han", "kana", "hangul", "thai", "other",
)  # fmt: skip

# Letters of other scripts that look like Latin ones. Unicode Technical Standard 39 (confusables) is the
# source of the idea; only single letters in everyday fonts are listed, upper and lower case by their looks.
_LOOKS = (
    ("аеорсухіјѕԁһӏԛԝвкмнтѵґ", "aeopcyxijsdhlqwbkmhtvr"),
    ("АВЕЅІЈКМНОРСТУХԚԜӀ", "abesijkmhopctyxqwl"),
    ("αοριυνκτχγηωεϲϳ", "aopiuvktxynwecj"),
    ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹ", "abezhikmnoptyxc"),
    ("օսհոցքզ", "ouhngqq"),
    ("ᎪᎬᎻᏞᏚᎢᏔᏟᎷᏴᎫᏦᏢᎡᎠᏃᏀᏙ", "aehlsiwcmbjkprdzgv"),
    ("ıɑɡɩʏɪʟɴʀʙɢʜᴀᴄᴅᴇᴊᴋᴍᴏᴘᴛᴜᴠᴡᴢ", "iagiyilnrbghacdejkmoptuvwz"),
)
LOOK_ALIKES = {odd: plain for odds, plains in _LOOKS for odd, plain in zip(odds, plains, strict=True)}


def script_of(char: str) -> int:
    """Script by the first word of the character's name; Unicode names keep it stable."""
    name = unicodedata.name(char, "")
    first = name.split(" ")[0]
    known = {
        "LATIN": 1, "FULLWIDTH": 1, "MATHEMATICAL": 1, "CYRILLIC": 2, "GREEK": 3, "ARABIC": 4, "HEBREW": 5,
        "DEVANAGARI": 6, "CJK": 7, "HIRAGANA": 8, "KATAKANA": 8, "KATAKANA-HIRAGANA": 8, "HALFWIDTH": 8,
        "HANGUL": 9, "THAI": 10,
    }  # fmt: skip
    if first == "FULLWIDTH" and "LATIN" not in name:
        return 0
    return known.get(first, 11)


STANDS_ALONE = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN",
                "BOPOMOFO", "YI", "TANGUT", "JAVANESE", "BALINESE")  # fmt: skip


def stands_alone(char: str) -> bool:
    """Scripts written without spaces between words."""
    return unicodedata.name(char, "").startswith(STANDS_ALONE)


def folded(char: str) -> str:
    """Lower case, compatibility forms resolved, marks gone, look-alikes as the Latin letter they imitate."""
    if char in LOOK_ALIKES:
        return LOOK_ALIKES[char]
    if 0xAC00 <= ord(char) <= 0xD7A3:
        return char  # a Hangul syllable would fall apart into its letters
    plain = unicodedata.normalize("NFKC", char)
    parts = []
    for part in plain.casefold() if plain else "":
        if 0xAC00 <= ord(part) <= 0xD7A3:
            parts.append(part)
            continue
        parts.extend(
            piece
            for piece in unicodedata.normalize("NFKD", part)
            if unicodedata.category(piece) not in ("Mn", "Me")
        )
    return "".join(LOOK_ALIKES.get(part, part) for part in parts)


def main() -> None:
    fold = np.zeros(N_CODE_POINTS, dtype=np.uint32)
    script = np.zeros(N_CODE_POINTS, dtype=np.uint8)
    expansions: list[tuple[int, int, int, int]] = []
    for code in range(N_CODE_POINTS):
        char = chr(code)
        category = unicodedata.category(char)
        if category in ("Mn", "Me", "Cf") or code in (0x115F, 0x1160, 0x3164, 0xFFA0, 0x034F):
            fold[code] = VANISH  # marks, joiners, direction signs, soft hyphens, Hangul fillers
            continue
        if category == "Nd":
            fold[code] = DIGIT | unicodedata.decimal(char)
            continue
        if category[0] != "L" and category != "Mc" and category not in ("No", "Nl", "So"):
            continue
        # A spacing vowel sign (Devanagari, Tamil ...) is part of its word, as a letter is.
        kept = [(part, unicodedata.category(part)) for part in folded(char)]
        letters = [part for part, kind in kept if kind[0] in "LN" or kind == "Mc"]
        if not letters or (category in ("So", "No") and not any(part.isalpha() for part in letters)):
            if category in ("No", "Nl") and letters and all(part.isdecimal() for part in letters):
                fold[code] = DIGIT | unicodedata.decimal(letters[0])
            continue
        if category[0] == "L":
            script[code] = script_of(char)
        alone = ALONE if stands_alone(letters[0]) else 0
        if len(letters) == 1:
            fold[code] = alone | ord(letters[0])
        else:
            padded = [ord(part) for part in letters[:4]] + [0] * (4 - len(letters[:4]))
            fold[code] = alone | EXPANDS | len(expansions)
            expansions.append((padded[0], padded[1], padded[2], padded[3]))
    target = Path(__file__).parent.parent / "detector/text/data/fold.npz"
    np.savez_compressed(
        target,
        fold=fold,
        script=script,
        expansions=np.array(expansions, dtype=np.uint32),
        unicode_version=np.array([int(part) for part in unicodedata.unidata_version.split(".")]),
    )
    print(f"{target.name}: {np.count_nonzero(fold)} code points, {len(expansions)} expansions, "
          f"Unicode {unicodedata.unidata_version}, {target.stat().st_size} bytes")  # fmt: skip


if __name__ == "__main__":
    main()
