"""Tasks of this node by whichever of their ids is at hand."""

from ainur_node.domain.ids import TaskId
from ainur_node.domain.requester import RequesterTask
from ainur_node.domain.task import auction_id
from ainur_node.market import codec
from ainur_node.market.codec import TASK
from ainur_node.ports import TaskStore

# Looking a task up by auction or escrow reads at most this many of the newest.
LOOK_BACK = 1000


async def own_task(store: TaskStore, wanted: bytes, *, earlier: bool = False) -> RequesterTask | None:
    """The task whose id, auction or escrow is ``wanted``; None when this node did not submit it.

    With ``earlier`` the auctions of its earlier attempts count too.
    """
    stored = await store.load(TASK, TaskId(wanted))
    if stored is not None:
        state = codec.decode_state(TASK, stored.state)
        return state if isinstance(state, RequesterTask) else None
    for recent in await store.recent(TASK, LOOK_BACK):
        state = codec.decode_state(TASK, recent.state)
        if isinstance(state, RequesterTask) and wanted in (state.auction, state.escrow):
            return state
        if earlier and isinstance(state, RequesterTask) and wanted in _earlier(state):
            return state
    return None


def _earlier(task: RequesterTask) -> set[bytes]:
    return {auction_id(task.genesis, task.spec.payer, task.task, attempt) for attempt in range(task.attempt)}
