"""Disputes before the court: what stands on chain, and what each role does next; pure."""
