"""Requesters that lie, and what each comes to."""

from liar_cases import Case

CASES: tuple[Case, ...] = ()
