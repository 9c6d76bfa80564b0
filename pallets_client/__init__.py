"""Substrate client of the Ainur pallets."""
