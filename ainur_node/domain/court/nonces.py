"""A party's nonces for the draws of a case: a hash chain from one stored secret, opened link by link."""

from ainur_node.domain.canonical import b32, tagged_hash

LINKS = 6
"""Three rounds that are drawn twice at most."""


def chain_of(genesis: bytes, case: bytes, party: bytes, secret: bytes) -> list[bytes]:
    """Links 0 to LINKS; link 0 is what ``respond`` or ``plead`` commits to, the last is the secret itself."""
    links = [b32(secret)]
    for _ in range(LINKS):
        links.append(tagged_hash(genesis, "ainur/nonce/1", b32(case), b32(party), links[-1]))
    return links[::-1]


def next_link(genesis: bytes, case: bytes, party: bytes, secret: bytes, head: bytes) -> bytes | None:
    """The link that opens ``head``; None when this secret never made it, or all links are used up."""
    links = chain_of(genesis, case, party, secret)
    found = links.index(head) if head in links else LINKS
    return links[found + 1] if found < LINKS else None


def case_id(genesis: bytes, escrow: bytes, milestone: int) -> bytes:
    """Id of the case about a milestone of an escrow."""
    return tagged_hash(genesis, "ainur/case/1", b32(escrow), bytes([milestone]))
