"""Taking over blocks of another author: seal first, then full execution, then every root."""

from .block import Block, Header
from .chain import Chain
from .errors import BadBlock, MalformedScale, RuntimeTrap
from .hashing import blake2_256
from .host_functions.crypto import sr25519_holds
from .overlay import Overlay
from .state import Changes

EXECUTE_SECONDS = 60.0  # a follower on a slow machine must still agree with a fast author
MAX_DRIFT = 30_000  # milliseconds that an author's clock may be ahead, as in Substrate


def check_seal(chain: Chain, header: Header) -> Header:
    """The header without its seal, when the authority of its slot signed it. Raises BadBlock."""
    bare, signature = header.unsealed()
    slot = bare.slot
    if slot is None:
        raise BadBlock("the header names no slot", "no-slot")
    parent_slot = chain.head.slot
    if parent_slot is not None and slot < parent_slot:
        raise BadBlock("the slot runs backwards", "slot-backwards")
    authorities = chain.api().authorities()
    if not authorities or not sr25519_holds(signature, blake2_256(bare.encode()), authorities[slot % len(authorities)]):
        raise BadBlock("the seal is not that of the slot's author", "bad-seal")
    return bare


def import_block(chain: Chain, block: Block, *, now: int | None = None) -> Changes:
    """Append a block of another author; what it overwrote. `now`: milliseconds, when the clock may be believed.

    Raises BadBlock and leaves the chain unchanged when anything differs.
    """
    header = block.header
    if header.parent != chain.head_hash:
        raise BadBlock("the parent is not the head", "unknown-parent")
    if header.number != chain.head.number + 1:
        raise BadBlock("the number does not follow the head", "wrong-number")
    bare = check_seal(chain, header)
    if now is not None and (bare.slot or 0) * chain.slot_duration > now + MAX_DRIFT:
        raise BadBlock("the slot lies in the future: is a clock wrong?", "slot-in-the-future")
    overlay = Overlay(chain.state)
    try:
        chain.api(overlay).execute_block(bare, block.extrinsics, seconds=EXECUTE_SECONDS)
    except (RuntimeTrap, MalformedScale) as exc:
        raise BadBlock(f"the runtime refuses the block: {exc}", "refused-by-the-runtime") from exc
    changes = overlay.changes()
    if chain.state.root_with(changes) != header.state_root:
        raise BadBlock("the state root differs", "state-root")
    return chain.append(block, changes)
