"""Keeps the processes of a home running: started in order, watched, restarted, stopped in reverse."""

from ainur_node.supervisor.claim import AlreadyRunning
from ainur_node.supervisor.daemon import run
from ainur_node.supervisor.listening import PortInUse

__all__ = ["AlreadyRunning", "PortInUse", "run"]
