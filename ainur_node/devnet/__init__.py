"""Whole worlds on one machine."""
