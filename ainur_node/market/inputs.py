"""The requester's counter: the input goes to the winner only, after the award."""

import trio

from ainur_node.domain.ids import EscrowId, PeerId
from ainur_node.domain.requester import Phase, RequesterTask
from ainur_node.market import messages
from ainur_node.market.codec import TASK
from ainur_node.market.engine import Engine
from ainur_node.market.library import Library
from ainur_node.market.messages import EscrowHint, Input
from ainur_node.mesh.peers import node_key_of
from ainur_node.ports import Ledger, Mesh, RemoteRefusal

PATIENCE = 2.0


class ServingInputs:
    """Answers ``task.input``."""

    def __init__(self, mesh: Mesh, ledger: Ledger, engine: Engine, library: Library) -> None:
        self._mesh = mesh
        self._ledger = ledger
        self._engine = engine
        self._library = library

    def serve(self) -> None:
        """Start answering."""
        self._mesh.serve("task.input", self._input, max_body=256, per_peer_per_second=100, concurrent=32)

    async def _input(self, peer: PeerId, body: bytes) -> bytes:
        request = messages.decode(EscrowHint, body)
        task = await self._awarded(EscrowId(request.escrow), request.auction)
        if task is None or task.opening is None:
            raise RemoteRefusal("no_such_escrow", "no running task of this node has that escrow")
        winner = await self._ledger.provider(task.opening.provider)
        if winner is None or winner.node_key != node_key_of(peer):
            raise RemoteRefusal("not_the_winner", "the input is for the winner only")
        data = await self._library.bytes_of(task.input_sha256)
        if data is None:
            raise RemoteRefusal("gone", "the input is no longer stored here")
        return messages.encode(Input(salt=task.salt, body=data))

    async def _awarded(self, escrow: EscrowId, auction: bytes) -> RequesterTask | None:
        """The task that pays by this escrow; the winner may see the award before we have written it down."""
        with trio.move_on_after(PATIENCE):
            while (task := self._task(auction)) is not None and task.phase is Phase.AWARDING:
                await self._engine.wait_news(TASK, task.task)
        task = self._task(auction)
        return task if task is not None and task.escrow == escrow else None

    def _task(self, auction: bytes) -> RequesterTask | None:
        for state in self._engine.states(TASK):
            if isinstance(state, RequesterTask) and state.auction == auction:
                return state
        return None
