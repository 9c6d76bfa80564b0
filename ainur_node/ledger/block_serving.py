"""Blocks, genesis and the way to the author for nodes that follow: four bounded methods on the mesh."""

from collections import Counter

import structlog
import trio

from ainur_node.domain.ids import PeerId
from ainur_node.errors import Misbehaviour
from ainur_node.ledger import block_messages as messages
from ainur_node.ledger.block_messages import VERSION, Blocks, BlocksWanted, Part, PartWanted
from ainur_node.ledger.host_link import HostLink, Tip
from ainur_node.ledger.watch import ChainWatch
from ainur_node.ports import Mesh, RemoteRefusal
from pallets_client.errors import ChainRefused

log = structlog.get_logger(__name__)

MAX_REQUEST = 128
BEHIND_PAUSE = 0.05
HELD_PER_PEER = 2
"""Answers held back for one peer: a follower waits for one, and for another that its last connection left behind."""
BAD_PROOF_CODES = frozenset({1001, 1002})
"""Codes of extrinsics that no honest node passes on: not an extrinsic, or one that makes the runtime trap."""


class BlockServing:
    """Answers followers from this node's own chain host."""

    def __init__(self, mesh: Mesh, host: HostLink, watch: ChainWatch) -> None:
        self._mesh = mesh
        self._host = host
        self._watch = watch
        self._held: Counter[PeerId] = Counter()

    def serve(self) -> None:
        """Answer from now on. A follower that catches up asks once for every MiB, one that is there once a block."""
        serve, request = self._mesh.serve, MAX_REQUEST
        serve(messages.BLOCKS, self._blocks, max_body=request, per_peer_per_second=40, concurrent=64)
        serve(messages.PART, self._part, max_body=request, per_peer_per_second=20, concurrent=8)
        serve(messages.GENESIS, self._genesis, max_body=request, per_peer_per_second=8, concurrent=4)
        serve(
            messages.EXTRINSIC,
            self._extrinsic,
            max_body=messages.MAX_EXTRINSIC,
            per_peer_per_second=200,
            concurrent=32,
        )

    async def _blocks(self, peer: PeerId, body: bytes) -> bytes:
        wanted = messages.decode(BlocksWanted, body)
        tip = await self._host.tip()
        if tip.number == wanted.after and wanted.wait_ms:
            tip = await self._hold_back(peer, wanted, tip)
        if tip.number <= wanted.after:
            return messages.encode(Blocks(VERSION, tip.number, []))
        if await self._host.hash_of(wanted.after) != wanted.hash:
            raise RemoteRefusal("other_chain", f"block {wanted.after} is another one here")
        blocks, tip = await self._host.blocks(wanted.after + 1, messages.MAX_COUNT, messages.MAX_ANSWER)
        if blocks and len(blocks[0]) > messages.MAX_ANSWER:
            return messages.encode(Blocks(VERSION, tip.number, [], len(blocks[0])))
        return messages.encode(Blocks(VERSION, tip.number, blocks))

    async def _hold_back(self, peer: PeerId, wanted: BlocksWanted, tip: Tip) -> Tip:
        """The tip once it has moved, or the time is over; at once for a peer that has enough answers held back.

        All peers share the places where answers wait, so none may fill them.
        """
        if self._held[peer] >= HELD_PER_PEER:
            return tip
        self._held[peer] += 1
        try:
            return await self._next_tip(wanted, tip)
        finally:
            self._held[peer] -= 1
            if not self._held[peer]:
                del self._held[peer]  # else it would grow with every stranger

    async def _next_tip(self, wanted: BlocksWanted, tip: Tip) -> Tip:
        until = trio.current_time() + wanted.wait_ms / 1000
        while tip.number <= wanted.after and (left := until - trio.current_time()) > 0:
            await self._watch.wait_height(wanted.after, left)
            tip = await self._host.tip()
            if tip.number <= wanted.after:
                await trio.sleep(BEHIND_PAUSE)  # what the watch saw has not come to this host yet
        return tip

    async def _part(self, peer: PeerId, body: bytes) -> bytes:
        del peer
        wanted = messages.decode(PartWanted, body)
        blocks, _ = await self._host.blocks(wanted.number, 1, messages.MAX_ANSWER)
        return _cut(blocks[0] if blocks else b"", wanted.offset)

    async def _genesis(self, peer: PeerId, body: bytes) -> bytes:
        del peer
        wanted = messages.decode(PartWanted, body)
        return _cut(await self._host.genesis(), wanted.offset)

    async def _extrinsic(self, peer: PeerId, body: bytes) -> bytes:
        del peer
        try:
            await self._host.submit(body)
        except ChainRefused as exc:
            if exc.code in BAD_PROOF_CODES:
                raise Misbehaviour(f"passed on what is no extrinsic: {exc}") from exc
            raise RemoteRefusal(f"pool_{exc.code}", str(exc)) from exc
        return b""


def _cut(whole: bytes, offset: int) -> bytes:
    if offset >= len(whole):
        raise RemoteRefusal("out_of_range", f"there are {len(whole)} bytes")
    return messages.encode(Part(VERSION, len(whole), whole[offset : offset + messages.MAX_ANSWER]))
