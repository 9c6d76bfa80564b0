"""ports.Ledger on pallets_client: reads, the requester's calls, the provider's, and those about a bond."""

from ainur_node.ledger.challenge_calls import ChallengeCalls
from ainur_node.ledger.provider_calls import ProviderCalls
from ainur_node.ledger.requester_calls import RequesterCalls


class ChainLedger(RequesterCalls, ProviderCalls, ChallengeCalls):
    """The market's view of the chain, and all that it does there."""
