"""What to do about a call that did not happen, by what became of it."""

BY_ERROR = {
    "Token.BelowMinimum": "the payee would own less than an account must, 0.001 AIN: send more",
    "Token.FundsUnavailable": "the paying account has not so much: ainur wallet balance",
    "Arithmetic.Underflow": "the paying account has not so much: ainur wallet balance",
}
"""The chain's own words for a refused transfer, and what they mean."""

BY_WORD = {
    "pay some fees": "the account cannot pay the fee: ainur wallet fund 100, or have somebody send money",
    "chain.max_fee": "raise chain.max_fee, or wait until the chain is less busy, then order it again",
    "chain.daily_fees": "raise chain.daily_fees, or wait a day, then order it again",
    "malformed": "the runtime of this chain has no such call: update this program, then order it again",
    "for an hour": "check the chain with `ainur chain status`, then order it again",
}


def advice(why: str) -> str:
    """One sentence for a person; ``why`` is the stored outcome."""
    if why.startswith("failed in block"):
        _, _, error = why.partition(": ")
        name, _, doc = error.partition(" — ")
        meaning = BY_ERROR.get(name) or doc or "the chain gives no reason"
        return f"{meaning} ({name})"
    for word, what in BY_WORD.items():
        if word in why:
            return what
    return "order it again if it is still wanted"
