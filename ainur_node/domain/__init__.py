"""Pure rules of the marketplace: records, auction, state machines."""
