"""The play: who sends what into the next block, from one seed."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from chain_host.hashing import blake2_256
from chain_host.scale import compact
from pallets_client.errors import CallMalformed
from pallets_client.hashing import SINK_ACCOUNT
from pallets_client.pallets.shape import Variant
from pallets_client.runtime import Runtime

from . import stories
from .calls import RandomCalls
from .people import Person, newcomers, rich_people
from .signing import PERHAPS_RIGHT, WRONG, Era, Signing, mortal
from .values import AIN, ED, Values

DEALS_AT_ONCE = 6
PROVIDERS = 3
START_MONEY = 300 * AIN
PAYDAY = 20
BATCHES = ("batch", "batch_all", "force_batch")


@dataclass(frozen=True, slots=True)
class Sent:
    """An extrinsic and why it was made; `right` ones could be in a block."""

    raw: bytes
    kind: str
    right: bool


@dataclass(slots=True)
class Stage:
    """The chain as the play sees it: the head's storage, and hashes of blocks for mortal eras."""

    runtime: Runtime
    genesis: bytes
    get: Callable[[bytes], bytes | None]
    head: Callable[[], tuple[int, bytes]]

    @property
    def now(self) -> int:
        """Market time of the head."""
        found = self.stored("Market", "Now")
        return found if isinstance(found, int) else 0

    def stored(self, pallet: str, item: str, *keys: bytes) -> object:
        """Decoded value at the head."""
        there = self.runtime.item(pallet, item)
        return there.value(self.get(there.key(*keys)))

    def free(self, account: bytes) -> int:
        """Planck that an account may spend, by the head."""
        found = self.stored("System", "Account", account)
        return int(found["data"]["free"]) if isinstance(found, dict) else 0

    def nonce(self, account: bytes) -> int:
        """Next nonce of an account, by the head."""
        found = self.stored("System", "Account", account)
        return int(found["nonce"]) if isinstance(found, dict) else 0


@dataclass
class Play:
    """Makes the extrinsics of one block after another; the same seed makes the same choices."""

    stage: Stage
    seed: int
    most: int = 40
    dice: random.Random = field(init=False)
    counts: Counter[str] = field(default_factory=Counter)
    _eras: list[tuple[int, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        # Who has a part in stories does nothing else: dice would soon have them deactivated or without money.
        self.root, *others = rich_people()
        self._providers, self._payers = others[:PROVIDERS], others[PROVIDERS:]
        self.crowd = newcomers(12)
        people = (self.root, *others, *self.crowd)
        self._people = people
        self.signing = Signing.of(self.stage.runtime, self.stage.genesis)
        accounts = (*(person.account for person in people), SINK_ACCOUNT)
        self.values = Values(self.stage.runtime, self.dice, accounts)
        for person in people:
            self.values.notice(person.node_key.public)
        self.calls = RandomCalls(self.stage.runtime, self.values, self.dice)
        # some of the crowd are providers, too: they give dice something to change
        sellers = [*self._providers, *(person for person in self.crowd if person.scheme == "sr25519")]
        self._stories: list[stories.Story] = [stories.provider(self.stage, person, self.dice) for person in sellers]
        self._deals = 0
        self._blocks = 0

    def block(self, extra: bytes | None = None) -> list[Sent]:
        """Extrinsics for the next block; `extra` is a call that root makes in it."""
        number, head = self.stage.head()
        self._eras = [*self._eras[-60:], (number, head)]
        self.values.now = self.stage.now
        nonces: dict[bytes, int] = {}
        out: list[Sent] = []

        def sign(by: Person, call: bytes, kind: str) -> None:
            nonce = nonces.get(by.account, self.stage.nonce(by.account))
            tip = self.dice.choice((0, 0, 0, 7, ED))
            out.append(Sent(self.signing.sign(by, nonce, call, tip=tip, era=self._era()), kind, right=True))
            nonces[by.account] = nonce + 1

        if extra is not None:
            sign(self.root, self._sudo(extra), "root")
        if self._blocks % PAYDAY == 0:
            for person in self._people:
                if self.stage.free(person.account) < START_MONEY // 6:
                    sign(self.root, self._transfer(person, START_MONEY), "transfer")
        self._blocks += 1
        for by, call in self._turns():
            sign(by, call, "story")
        for _ in range(self.dice.randrange(self.most)):
            by = self._signer()
            roll = self.dice.random()
            if roll < 0.08:
                how = self.dice.choice(WRONG)
                nonce = nonces.get(by.account, self.stage.nonce(by.account))
                raw = self.signing.wrong(how, by, nonce, self.calls.any(), self.dice)
                out.append(Sent(raw, f"wrong: {how}", right=how in PERHAPS_RIGHT))
            elif roll < 0.12:
                writes = self.calls.storage_writes if self.dice.random() < 0.7 else self.calls.storage_removals
                sign(self.root, self._sudo(writes()), "root")
            elif roll < 0.16:
                sign(self.root, self._sudo(self.calls.as_root()), "root")
            elif roll < 0.26:
                sign(by, self._batch(), "batch")
            elif roll < 0.36:
                sign(by, self._transfer(), "transfer")
            else:
                # an inherent as an extrinsic is refused by pool and block alike
                call, name = self.calls.named()
                sent_as_right = not name.startswith("Timestamp.")
                if sent_as_right:
                    sign(by, call, "random")
                else:
                    nonce = nonces.get(by.account, self.stage.nonce(by.account))
                    out.append(Sent(self.signing.sign(by, nonce, call), "wrong: inherent", right=False))
        self.counts.update(sent.kind for sent in out)
        return out

    def learn(self, raw_events: bytes | None) -> Counter[str]:
        """Take ids out of a block's events, to be asked about later; how the block's extrinsics ended."""
        ends: Counter[str] = Counter()
        for event in self.stage.runtime.decode_events(raw_events):
            for value in event.fields.values():
                self._notice(value)
            if (event.pallet, event.name) == ("System", "ExtrinsicSuccess"):
                ends["ok"] += 1
            elif (event.pallet, event.name) == ("System", "ExtrinsicFailed"):
                ends[self.stage.runtime.error(event.fields["dispatch_error"])[0]] += 1
            else:
                self.counts[f"event {event.pallet}"] += 1
        return ends

    def _notice(self, value: object) -> None:
        if isinstance(value, bytes):
            self.values.notice(value)
        elif isinstance(value, Variant):
            for inner in value.fields.values():
                self._notice(inner)

    def _turns(self) -> list[tuple[Person, bytes]]:
        """The next call of every story, each at most one a block."""
        if self._deals < DEALS_AT_ONCE and self.dice.random() < 0.6:
            self._deals += 1
            bidders = self.dice.sample(self._providers, self.dice.randrange(2, PROVIDERS + 1))
            payer = self.dice.choice(self._payers)
            self._stories.append(stories.deal(self.stage, payer, bidders, self.dice))
        turns = []
        for story in list(self._stories):
            try:
                turn = next(story)
            except StopIteration:
                self._stories.remove(story)  # only deals end
                self._deals -= 1
                continue
            if turn is not None:
                by, call = turn
                try:
                    turns.append((by, self.stage.runtime.encode_call(call)))
                except CallMalformed as exc:
                    # a call that the runtime has changed: the story must be taught, and the summary says so
                    self.counts[f"not understood: {exc}"[:120]] += 1
        return turns

    def _signer(self) -> Person:
        """One of the crowd, mostly one who can pay for a call: whoever cannot leaves a gap in their own nonces."""
        by = self.dice.choice(self.crowd)
        if self.stage.free(by.account) > 50 * ED or self.dice.random() < 0.05:
            return by
        return max(self.crowd, key=lambda person: self.stage.free(person.account))

    def _era(self) -> Era | None:
        if self.dice.random() < 0.5:
            return None
        number, birth = self.dice.choice(self._eras)
        return mortal(64, number, birth)

    def _transfer(self, to: Person | None = None, amount: int | None = None) -> bytes:
        index = self.stage.runtime.pallet_index("Balances") or 0
        to = to or self.dice.choice(self._people)
        amount = amount or self.dice.choice((1, ED - 1, ED, 3 * ED, 50 * ED, 10**12, 10**20))
        return bytes([index, self.dice.choice((0, 3))]) + b"\0" + to.account + compact(amount)

    def _batch(self) -> bytes:
        index = self.stage.runtime.pallet_index("Utility") or 0
        cases = {"batch": 0, "batch_all": 2, "force_batch": 4}
        count = self.dice.randrange(1, 8)
        inner = b"".join(self._transfer() if self.dice.random() < 0.5 else self.calls.any() for _ in range(count))
        name = self.dice.choice(BATCHES)
        self.calls.made.add(f"Utility.{name}")
        return bytes([index, cases[name]]) + compact(count) + inner

    def _sudo(self, call: bytes) -> bytes:
        self.calls.made.add("Sudo.sudo")
        return bytes([self.stage.runtime.pallet_index("Sudo") or 0, 0]) + call

    @property
    def digest(self) -> str:
        """A fingerprint of the dice, to compare two runs of one seed."""
        return blake2_256(repr(self.dice.getstate()).encode()).hex()[:16]
