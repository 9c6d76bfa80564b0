"""Tasks of this node by whichever of their ids is at hand."""

from ainur_node.domain.ids import TaskId
from ainur_node.domain.requester import RequesterTask
from ainur_node.market import codec
from ainur_node.market.codec import TASK
from ainur_node.ports import TaskStore

# Looking a task up by auction or escrow reads at most this many of the newest.
LOOK_BACK = 1000


async def own_task(store: TaskStore, wanted: bytes) -> RequesterTask | None:
    """The task whose id, auction or escrow is ``wanted``; None when this node did not submit it."""
    stored = await store.load(TASK, TaskId(wanted))
    if stored is not None:
        state = codec.decode_state(TASK, stored.state)
        return state if isinstance(state, RequesterTask) else None
    for recent in await store.recent(TASK, LOOK_BACK):
        state = codec.decode_state(TASK, recent.state)
        if isinstance(state, RequesterTask) and wanted in (state.auction, state.escrow):
            return state
    return None
