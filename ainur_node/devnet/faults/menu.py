"""All faults by name."""

from ainur_node.devnet.faults import bidding, breaking, delivering, replaying, requesting, working
from ainur_node.devnet.faults.fault import Fault
from ainur_node.devnet.layout import DevnetError

FAULTS: tuple[Fault, ...] = (
    *bidding.FAULTS,
    *working.FAULTS,
    *delivering.FAULTS,
    *requesting.FAULTS,
    *replaying.FAULTS,
    *breaking.FAULTS,
)


def find(name: str) -> Fault:
    """The fault of that name; raises DevnetError when there is none."""
    for fault in FAULTS:
        if fault.name == name:
            return fault
    raise DevnetError("no-such-fault", f"there is no fault {name!r}", hint="list them with: ainur devnet up --faults")
