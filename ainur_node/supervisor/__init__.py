"""Keeps the processes of a home running: started in order, watched, restarted, stopped in reverse."""
