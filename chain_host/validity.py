"""The words of Substrate for an extrinsic the runtime refuses."""

from .pool import PoolRefusal
from .runtime_api import CUSTOM, Invalid

INVALID = (
    "Transaction call is not expected",
    "Inability to pay some fees (e.g. account balance too low)",
    "Transaction will be valid in the future",
    "Transaction is outdated",
    "Transaction has a bad signature",
    "Transaction has an ancient birth block",
    "Transaction would exhaust the block limits",
    "InvalidTransaction custom error",
    "A call was labelled as mandatory, but resulted in an Error.",
    "Transaction dispatch is mandatory; transactions must not be validated.",
    "Invalid signing address",
    "The implicit data was unable to be calculated",
    "The transaction extension did not authorize any origin",
)
UNKNOWN = (
    "Could not lookup information required to validate the transaction",
    "Could not find an unsigned validator for the unsigned transaction",
    "UnknownTransaction custom error",
)


def reason(invalid: Invalid) -> str:
    """One sentence for people; a custom code is shown as a number."""
    words = UNKNOWN if invalid.unknown else INVALID
    text = words[invalid.variant] if invalid.variant < len(words) else f"code {invalid.variant}"
    custom = invalid.variant == (2 if invalid.unknown else CUSTOM)
    return f"{text}: {invalid.custom}" if custom else text


def refusal(invalid: Invalid) -> PoolRefusal:
    """The author error of a refused extrinsic."""
    if invalid.unknown:
        return PoolRefusal(1011, "Unknown Transaction Validity", reason(invalid))
    return PoolRefusal(1010, "Invalid Transaction", reason(invalid))
