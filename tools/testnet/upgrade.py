"""A runtime upgrade on a testnet: every validator must go on with the new one, on one chain."""

from ainur_node.devnet.upgrading import put_runtime
from chain_host.next_runtime import next_runtime
from tools.agree.native import NativeTrouble

from .validators import Testnet


def upgrade(testnet: Testnet, faucet: bytes) -> int:
    """Put the successor of the testnet's runtime on chain; the number of its block.

    Raises WorldError when no successor of this runtime is known, Transient when the chain does not take it.
    """
    return put_runtime(testnet.url, faucet, next_runtime(testnet.start.code))


def versions(testnet: Testnet) -> dict[str, int]:
    """`spec_version` at each validator's best block."""
    found = {}
    for name, node in testnet.nodes.items():
        with node.rpc() as rpc:
            found[name] = int(rpc.ask("state_getRuntimeVersion")["specVersion"])
    return found


def check_one_chain(testnet: Testnet, number: int) -> str:
    """The hash that every validator has for a final block. Raises NativeTrouble when they differ."""
    for validator in testnet.validators:
        testnet.wait(
            f"block {number} becoming final at {validator.name}",
            lambda name=validator.name: testnet.heads(name)[1] >= number,  # type: ignore[misc]  # reason: bound now
        )
    hashes = {}
    for name, node in testnet.nodes.items():
        with node.rpc() as rpc:
            hashes[name] = str(rpc.ask("chain_getBlockHash", number))
    if len(set(hashes.values())) != 1:
        raise NativeTrouble(f"a fork at the final block {number}: {hashes}")
    return hashes[testnet.validators[0].name]
