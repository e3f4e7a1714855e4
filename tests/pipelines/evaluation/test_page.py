"""The page: one file, nothing fetched, no script, and no word of a label that a browser would obey."""

import re
from html.parser import HTMLParser

import pytest
from drawn_world import MON, TUE, benign, campaign, flags, labels, sent

from pipelines.evaluation import Evaluation, judge, over_seeds
from pipelines.evaluation.page import page
from tests.story import HOSTILE

NASTY = [
    *HOSTILE.values(),
    '"><script>alert(1)</script>',
    "</style><script>x</script>",
    "$\\frac{1}{0}$",
    "a\x1b[2Jb",
]


def scored(names: list[str]) -> Evaluation:
    """A world in which every name that a person chooses is one of `names`."""
    truth = labels(
        *(
            row
            for n, name in enumerate(names)
            for row in campaign(name, f"t{n} u{n}", regime=name, evasions=name)
        ),
        *(
            {"account_id": f"p{n}", "label": "benign", "kind": name, "generator": name}
            for n, name in enumerate(names)
        ),
        *benign("person", "p-0", language="de"),
        *benign("person", "p-1", language=names[0]),
    )
    accounts = " ".join(truth["account_id"])
    said = flags(
        *((MON, f"C-{n}{name}", f"t{n} u{n} p{n}") for n, name in enumerate(names)), (TUE, None, "p-1")
    )
    return judge(truth, said, sent(((MON, TUE), accounts, 3)))


class Tags(HTMLParser):
    """Which elements and attributes a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def seen_by_a_browser(text: str) -> Tags:
    tags = Tags()
    tags.feed(text)
    return tags


@pytest.mark.parametrize("form", ["one", "pooled"])
def test_hostile_names_stay_text(form):
    world = scored(NASTY)
    text = page(world) if form == "one" else page(over_seeds([world.rows(), world.rows()]))
    tags = seen_by_a_browser(text)
    assert not tags.names & {"script", "img", "a", "iframe", "object", "link", "foreignobject", "image"}
    assert not [name for name, _ in tags.attributes if name.startswith("on")]
    references = [value for name, value in tags.attributes if name in ("href", "xlink:href", "src")]
    assert all(value.startswith("#") for value in references)
    assert "\x1b" not in text
    assert "\u202e" not in text
    shown = "".join(tags.text)
    assert HOSTILE["script"] in shown  # escaped, not dropped
    assert "$\\frac{1}{0}$" in shown.replace("\\\\", "\\")  # never read as mathematics


def test_the_page_is_whole_and_fetches_nothing():
    text = page(scored(["amber", "birch"]))
    tags = seen_by_a_browser(text)
    assert {"html", "svg", "table", "style"} <= tags.names
    assert "default-src 'none'" in text
    assert re.findall(r"url\((?!#)", text) == []
    ids = [value for name, value in tags.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    for title in ("Coverage of each campaign", "Time to detection", "Whom it wrongs", "Flagged accounts"):
        assert title in text


def test_a_page_of_many_worlds_shows_calibration():
    world = scored(["amber", "birch"])
    text = page(over_seeds([world.rows(), world.rows()]))
    assert "False discoveries" in text
    assert "From world to world" in text


def test_one_endless_name_does_not_push_a_terminal_apart():
    world = scored(["amber", "x" * 5_000])
    assert max(map(len, world.table().splitlines())) < 300
    assert "x" * 5_000 in page(world)  # a page can break it


def test_equal_outcomes_make_equal_pages():
    assert page(scored(["amber", "birch"])) == page(scored(["amber", "birch"]))


def test_an_empty_outcome_has_a_page_too():
    nothing = judge(labels(*benign("person", "ana")).clear(), flags(), sent())
    assert "The labels name no campaign." in page(nothing)
