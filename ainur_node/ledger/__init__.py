"""ports.Ledger on pallets_client."""
