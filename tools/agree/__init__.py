"""Do the embedded host and the native node agree? Random blocks, executed by both: `python -m tools.agree --help`."""
