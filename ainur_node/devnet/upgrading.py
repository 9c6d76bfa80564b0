"""A chain gets another runtime from the holder of its sudo key."""

from ainur_node.errors import Transient
from pallets_client.client import ChainClient
from pallets_client.keys import Sr25519
from pallets_client.nonce import Writer
from pallets_client.pallets.balances import sudo
from pallets_client.records import Call, Included

UPGRADE_TIMEOUT = 120.0  # seconds that a runtime may take into a block


def put_runtime(chain_url: str, seed: bytes, code: bytes) -> int:
    """Set the runtime with the sudo key of that seed; the number of the block that carries it.

    Raises Transient when it did not come into a block.
    """
    writer = Writer(chain_url, Sr25519(seed), patience=UPGRADE_TIMEOUT)
    try:
        outcome = writer.submit(sudo(Call("System", "set_code", {"code": code})), b"upgrade").result(UPGRADE_TIMEOUT)
    finally:
        writer.close()
    if not isinstance(outcome, Included):
        raise Transient(f"the runtime was not taken: {outcome}", hint="is the machine very busy?")
    return outcome.block_number


def spec_version(chain: ChainClient) -> int:
    """Of the runtime at the best block; raises Transient when the node does not say."""
    answer = chain.link.call("state_getRuntimeVersion")
    version = answer.get("specVersion") if isinstance(answer, dict) else None
    if type(version) is not int:
        raise Transient("the chain does not say its version", hint="is the machine very busy?")
    return version
