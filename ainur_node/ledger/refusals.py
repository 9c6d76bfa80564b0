"""Why the chain takes no award of a winner, read off its state after a block, so that anybody can look again."""

from typing import Any

from ainur_node.domain.auction.commitments import Commit, Opening, commit_message
from ainur_node.domain.ids import AuctionId, NodeKey
from ainur_node.domain.money import Amount
from ainur_node.domain.requester import NOT_STANDING
from ainur_node.signing import signed_by
from pallets_client.pallets.agent_registry import AgentState, ProviderState

BPS = 10_000


def refusal_at(
    client: Any, auction: AuctionId, opening: Opening, commit: Commit, price: Amount, at: bytes
) -> str | None:
    """The first guard of ``award`` about the winner itself that fails after block ``at``; None when none does.

    Reads seven records one after the other: for a thread.
    """
    stored = client.auction(auction, at)
    provider = client.provider(opening.provider, at)
    did = client.did(opening.provider, at)
    if stored is None:
        return None
    if client.market_now(at) > commit.standing_until:
        return NOT_STANDING
    if provider is None or provider.state != ProviderState.ACTIVE:
        return "provider_inactive"
    if did is None or not did.active or did.node_key != provider.node_key:
        return "provider_inactive"
    message = commit_message(client.genesis_hash, auction, commit)
    if not signed_by(NodeKey(provider.node_key), message, commit.signature):
        return "bad_signature"
    agent, terms = client.agent(opening.terms.agent, at), opening.terms
    if agent is None or agent.state != AgentState.ACTIVE or agent.provider != opening.provider:
        return "agent_mismatch"
    promised = (stored.capability, terms.version, terms.module, int(terms.verification_class))
    if (agent.capability, agent.version, agent.module, int(agent.class_)) != promised:
        return "agent_mismatch"
    if price < client.params(at).min_price:
        return "bad_price"
    return "not_enough_stake" if provider.free_stake < price * stored.perf_bps // BPS else None
