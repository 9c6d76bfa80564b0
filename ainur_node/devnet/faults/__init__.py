"""Worlds with one liar or one broken part: ``ainur devnet up --fault NAME``.

A fault changes one thing in a node that is otherwise the real one; nothing here is reachable from ``ainur run``.
"""
