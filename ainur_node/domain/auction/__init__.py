"""The sealed-bid auction: rules, commitments, transcript."""
