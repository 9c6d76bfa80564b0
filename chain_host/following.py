"""Taking over blocks of another author: seal first, then full execution, then every root."""

from .block import Block, Header
from .chain import Chain
from .errors import BadBlock, MalformedScale, RuntimeTrap
from .hashing import blake2_256
from .host_functions.crypto import sr25519_holds
from .overlay import Overlay

EXECUTE_SECONDS = 60.0  # a follower on a slow machine must still agree with a fast author


def check_seal(chain: Chain, header: Header) -> Header:
    """The header without its seal, when the authority of its slot signed it. Raises BadBlock."""
    bare, signature = header.unsealed()
    slot = bare.slot
    if slot is None:
        raise BadBlock("the header names no slot")
    parent_slot = chain.head.slot
    if parent_slot is not None and slot < parent_slot:
        raise BadBlock("the slot runs backwards")
    authorities = chain.api().authorities()
    if not authorities or not sr25519_holds(signature, blake2_256(bare.encode()), authorities[slot % len(authorities)]):
        raise BadBlock("the seal is not that of the slot's author")
    return bare


def import_block(chain: Chain, block: Block) -> None:
    """Append a block of another author. Raises BadBlock and leaves the chain unchanged when anything differs."""
    header = block.header
    if header.parent != chain.head_hash:
        raise BadBlock("the parent is not the head")
    if header.number != chain.head.number + 1:
        raise BadBlock("the number does not follow the head")
    bare = check_seal(chain, header)
    overlay = Overlay(chain.state)
    try:
        chain.api(overlay).execute_block(bare, block.extrinsics, seconds=EXECUTE_SECONDS)
    except (RuntimeTrap, MalformedScale) as exc:
        raise BadBlock(f"the runtime refuses the block: {exc}") from exc
    changes = overlay.changes()
    if chain.state.root_with(changes) != header.state_root:
        raise BadBlock("the state root differs")
    chain.append(block, changes)
