"""The engine that turns facts into orders, and one file per stage."""
