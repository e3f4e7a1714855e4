"""Bystanders: people who share exactly one object with a campaign and nothing else.

Here: one benign kind for each object (template, address, client, payment, system prompt), made from a
campaign that is there already. Not here: benign kinds that know of no campaign (kinds), the campaigns.

They answer one question: whether a single shared object sweeps an innocent account in. So whatever they do
not share is drawn apart: addresses and payments of their own, clients that no account of the campaign
uses, no system prompt but one written by themselves.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.simulate.catalog import load_catalog
from pipelines.simulate.group import NEVER, Group, Night, World
from pipelines.simulate.kinds.calendar import bustle, own_days
from pipelines.simulate.kinds.speech import own_words, talk
from pipelines.simulate.population import DAY_US, Crowd, Profile
from pipelines.simulate.rhythm import AWAKE, hours, singles, sittings
from pipelines.simulate.spec import CampaignSpec
from pipelines.simulate.texts import Framed, Work
from pipelines.simulate.texts.grammar import Rng, join
from pipelines.simulate.traffic import Traffic

Ints = npt.NDArray[np.int64]
Share = Callable[[World, CampaignSpec, Group, Crowd, Rng], bool]
"""Gives a crowd what it shares with a campaign; false where the campaign has no such object."""

MOST_USES = 3
"""Times a bystander pastes the campaign's template, at most: once or a few times, in all nights together."""
_SITTINGS, _TURNS, _PAUSE_S = 0.8, 3.2, 75.0
"""An ordinary day, as of `person_chat/everyday`."""
_OWN_SYSTEM = 0.08
_SAMPLES = 64
"""Requests of each task that are looked at for its instruction."""
_TEMPLATE_CHARS = 40
"""Fixed text that is shorter is a heading, not a template."""


def bystanders(world: World, spec: CampaignSpec, campaign: Group) -> Iterator[tuple[str, Group]]:
    """`spec.bystanders` accounts of each kind, by the name of their group.

    A campaign that has no object of a kind (no instruction in a system prompt, say) has none of that kind.
    Streams are their own: whoever is there besides sends the same with and without them.
    """
    if not spec.bystanders:
        return
    clients = _other_clients(campaign.crowd)
    for what, share in _SHARES.items():
        name = f"bystander_{what} of {spec.name}"
        rng = world.rng(name)
        profile = Profile(kind=f"bystander_{what}", generator=spec.kind, age_days=(1, 900), system=0.0)
        crowd = world.enrol(profile, spec.bystanders, rng)
        crowd.client = rng.choice(clients, len(crowd)).astype(np.int64)
        own_words(world, crowd, _OWN_SYSTEM, rng)
        if share(world, spec, campaign, crowd, rng):
            templates = _templates(campaign.works, rng) if what == "template" else None
            yield name, _people(world, spec, crowd, templates, rng)


def _people(
    world: World, spec: CampaignSpec, crowd: Crowd, templates: tuple[pa.Array, pa.Array] | None, rng: Rng
) -> Group:
    """People who talk about this and that, some of whom put a template around words of their own."""
    n = len(crowd)
    clock = crowd.utc_offset_h + rng.integers(-1, 2, n)
    curve = own_days(AWAKE, n, rng)
    # Settled now: a night knows what falls on it without the nights before.
    user = np.repeat(np.arange(n), rng.integers(1, MOST_USES + 1, n))
    used_on = rng.integers(spec.begins - 1, _last(world, spec), len(user))

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        expected = _SITTINGS * crowd.zest * bustle(world, crowd, night.number, 1.0)
        arrivals = sittings(expected, _TURNS, _PAUSE_S, clock, rng, curve)
        traffic = [talk(world, crowd, arrivals, "chat", rng)]
        who = user[used_on == night.number]
        if templates is not None and len(who):
            traffic.append(_pasted(world, crowd, who, clock, templates, rng))
        return traffic

    return Group(crowd, day)


def _last(world: World, spec: CampaignSpec) -> int:
    """The night (0-based) after the campaign's last."""
    return max(spec.begins, world.n_days if spec.ends is None else min(world.n_days, spec.ends))


def _pasted(
    world: World, crowd: Crowd, who: Ints, clock: Ints, templates: tuple[pa.Array, pa.Array], rng: Rng
) -> Traffic:
    arrivals = singles(who, hours(len(who), AWAKE, clock[who], rng))
    account = arrivals.account
    own = world.texts.conversation("chat", np.ones(len(account), bool), crowd.language[account], rng)
    which = pa.array(rng.integers(0, len(templates[0]), len(account)))
    before, after = (side.take(which) for side in templates)
    return Traffic(
        arrivals=arrivals, prompt=join([before, own.prompt.cast(pa.string()), after], len(account))
    )


# --- what is shared --------------------------------------------------------------------------------------


def _template(world: World, spec: CampaignSpec, campaign: Group, crowd: Crowd, rng: Rng) -> bool:
    return len(_templates(campaign.works, rng)[0]) > 0


def _address(world: World, spec: CampaignSpec, campaign: Group, crowd: Crowd, rng: Rng) -> bool:
    """One exit of the campaign's is the only address; network and country are the address's."""
    owner, theirs = rng.choice(_at_work(spec, campaign), len(crowd)), campaign.crowd
    crowd.addresses = theirs.addresses.take(pa.array(theirs.first_address[owner]))
    crowd.first_address, crowd.n_addresses = np.arange(len(crowd)), np.ones(len(crowd), np.int64)
    crowd.asn, crowd.country = theirs.asn.take(pa.array(owner)), theirs.country[owner]
    return True


def _client(world: World, spec: CampaignSpec, campaign: Group, crowd: Crowd, rng: Rng) -> bool:
    """The fingerprint and every parameter of one of its accounts, as of people who use the same program."""
    owner, theirs = rng.choice(_at_work(spec, campaign), len(crowd)), campaign.crowd
    crowd.client, crowd.max_tokens = theirs.client[owner], theirs.max_tokens[owner]
    crowd.temperature, crowd.top_p = theirs.temperature[owner], theirs.top_p[owner]
    crowd.stream, crowd.thinking = theirs.stream[owner], theirs.thinking[owner]
    return True


def _payment(world: World, spec: CampaignSpec, campaign: Group, crowd: Crowd, rng: Rng) -> bool:
    """Vouchers that pay for accounts of the campaign, too: sold twice, or handed out by the same sponsor."""
    column = "payment_fingerprint"
    known = campaign.crowd.accounts[column].combine_chunks()
    used = known.take(pa.array(_at_work(spec, campaign))).drop_null().unique()
    if not len(used):
        return False
    place = crowd.accounts.schema.get_field_index(column)
    vouchers = used.take(pa.array(rng.integers(0, len(used), len(crowd))))
    crowd.accounts = crowd.accounts.set_column(place, crowd.accounts.schema.field(place), vouchers)
    return True


def _system(world: World, spec: CampaignSpec, campaign: Group, crowd: Crowd, rng: Rng) -> bool:
    """The system prompt of an instruction of its own; the popular ones are everybody's."""
    found = [framed.system for framed in _samples(campaign.works, rng) if framed.system is not None]
    if not found:
        return False
    known = pa.concat_arrays([one.cast(pa.string()) for one in found]).drop_null().unique()
    known = known.filter(pc.greater(pc.binary_length(known), 0))
    if not len(known):
        return False
    crowd.system = known.take(pa.array(rng.integers(0, len(known), len(crowd))))
    return True


_SHARES: dict[str, Share] = {
    "template": _template,
    "address": _address,
    "client": _client,
    "payment": _payment,
    "system": _system,
}


def _at_work(spec: CampaignSpec, campaign: Group) -> Ints:
    """Accounts of the campaign that are there on its first night; reserves may never come."""
    everybody = np.arange(len(campaign.crowd))
    if campaign.signups is None:
        return everybody
    joined = campaign.signups(np.full(len(everybody), NEVER, np.int64))
    return everybody[joined < spec.begins * DAY_US]


def _other_clients(campaign: Crowd) -> Ints:
    """Clients of people that no account of the campaign uses; all of them where it uses every one."""
    weights = load_catalog().client_weights(("web", "phone"))
    people = np.flatnonzero(np.asarray(weights) > 0).astype(np.int64)
    others = np.setdiff1d(people, campaign.client)
    return others if len(others) else people


def _samples(works: Sequence[Work], rng: Rng) -> Iterator[Framed]:
    for work in works:
        frame = rng.integers(0, max(1, work.n_frames), _SAMPLES)
        yield work.texts(frame, rng.integers(0, work.n_items, _SAMPLES), rng)


def _templates(works: Sequence[Work], rng: Rng) -> tuple[pa.Array, pa.Array]:
    """What stands before and after the items of a campaign's instructions, one entry a request looked at."""
    sides = [
        (framed.before.cast(pa.string()), framed.after.cast(pa.string())) for framed in _samples(works, rng)
    ]
    before = pa.concat_arrays([pa.array([], pa.string()), *(one for one, _ in sides)])
    after = pa.concat_arrays([pa.array([], pa.string()), *(one for _, one in sides)])
    length = pc.add(pc.utf8_length(before), pc.utf8_length(after))
    long = pc.greater_equal(length, _TEMPLATE_CHARS)
    return before.filter(long), after.filter(long)
