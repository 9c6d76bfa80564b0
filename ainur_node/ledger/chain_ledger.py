"""ports.Ledger on pallets_client: reads, the requester's calls, the provider's calls."""

from ainur_node.ledger.provider_calls import ProviderCalls
from ainur_node.ledger.requester_calls import RequesterCalls


class ChainLedger(RequesterCalls, ProviderCalls):
    """The market's view of the chain, and all that it does there."""
