"""Records of the chain in the words of ports."""

from ainur_node.domain.auction.commitments import Commit, MerkleProof, Opening
from ainur_node.domain.ids import AccountId, AuctionId, EscrowId, NodeKey
from ainur_node.domain.money import ZERO, Amount
from ainur_node.ports import ChainAgent, ChainAuction, ChainEscrow, ChainProvider
from pallets_client.pallets import agent_registry, escrow, vcg_auction


def auction_of(a: vcg_auction.Auction) -> ChainAuction:
    """An auction."""
    common = {
        "payer": AccountId(a.payer),
        "auctioneer_key": NodeKey(a.auctioneer_key),
        "spec": a.spec,
        "capability": a.capability,
        "budget": Amount(a.budget),
        "reserve": Amount(a.reserve),
        "fee_bps": a.fee_bps,
        "quality_bps": a.quality_bps,
        "score_epoch": a.score_epoch,
        "commit_end": a.commit_end,
        "reveal_end": a.reveal_end,
        "award_by": a.award_by,
        "failed": tuple(AccountId(f) for f in a.failed),
        "bond": Amount(a.bond),
        "challenge_within": a.challenge_within,
    }
    match a.state:
        case vcg_auction.Open():
            return ChainAuction(**common, state="open")  # type: ignore[arg-type] # one dict for five states
        case vcg_auction.Closed(root=root, count=count, block=block):
            return ChainAuction(**common, state="closed", root=root, count=count, close_block=block)  # type: ignore[arg-type] # as above
        case vcg_auction.Awarded(transcript=transcript, escrow=won):
            return ChainAuction(**common, state="awarded", transcript=transcript, escrow=EscrowId(won))  # type: ignore[arg-type] # as above
        case vcg_auction.NoSale(transcript=transcript):
            return ChainAuction(**common, state="no_sale", transcript=transcript)  # type: ignore[arg-type] # as above
        case vcg_auction.Void():
            return ChainAuction(**common, state="void")  # type: ignore[arg-type] # as above


def escrow_of(e: escrow.Escrow) -> ChainEscrow:
    """An escrow."""
    state, delivery, delivered_at, outcome, until, ground, bond = "funded", b"", 0, "", 0, 0, 0
    case = b""
    match e.state:
        case escrow.Delivered(at=at, delivery=hashed):
            state, delivery, delivered_at = "delivered", hashed, at
        case escrow.Disputed(at=at, ground=why, bond=held, delivery=hashed, until=limit, case=opened):
            state, delivery, delivered_at, until, ground, bond = "disputed", hashed, at, limit, why, held
            case = opened if any(opened) else b""
        case escrow.Settled(outcome=how):
            state, outcome = "settled", how.name.lower()
        case escrow.Funded():
            pass
    return ChainEscrow(
        auction=AuctionId(e.source),
        payer=AccountId(e.payer),
        payee=AccountId(e.payee),
        amount=Amount(e.amount),
        fee=Amount(e.fee),
        terms=e.terms,
        module=e.module,
        awarded_at=e.awarded_at,
        start_by=e.start_by,
        deliver_by=e.deliver_by,
        review_within=e.review_within,
        state=state,
        delivery=delivery,
        delivered_at=delivered_at,
        paid_so_far=Amount(e.paid_so_far),
        outcome=outcome,
        until=until,
        ground=ground,
        bond=Amount(bond),
        case=case,
    )


def provider_of(account: bytes, p: agent_registry.Provider) -> ChainProvider:
    """A provider."""
    free = Amount(p.free_stake) if p.free_stake > 0 else ZERO
    return ChainProvider(AccountId(account), NodeKey(p.node_key), free, p.state == agent_registry.ProviderState.ACTIVE)


def agent_of(agent: bytes, a: agent_registry.Agent) -> ChainAgent:
    """A registered agent."""
    return ChainAgent(
        agent=agent,
        provider=AccountId(a.provider),
        name=a.name.decode("utf-8", "replace"),
        capability=a.capability_name.decode("utf-8", "replace"),
        package=a.package,
        module=a.module,
        verification_class=a.class_,
        version=a.version,
        royalty_bps=a.royalty_bps,
        active=a.state == agent_registry.AgentState.ACTIVE,
    )


def award_proof(opening: Opening, proof: MerkleProof, commit: Commit) -> vcg_auction.AwardProof:
    """What ``award`` needs, as the client's records."""
    return vcg_auction.AwardProof(
        opening_of(opening),
        vcg_auction.MerkleProof(proof.index, proof.path),
        vcg_auction.Commitment(commit.seq, commit.standing_until, commit.signature),
    )


def opening_of(opening: Opening) -> vcg_auction.Opening:
    """A revealed bid as the client's record."""
    t = opening.terms
    terms = vcg_auction.AgentTerms(
        agent=t.agent,
        version=t.version,
        module=t.module,
        abi=t.abi,
        engine=t.engine,
        class_=t.verification_class,
        fuel_limit=t.fuel_limit,
        mem_limit=t.mem_limit,
        royalty_bps=t.royalty_bps,
        eta_ms=t.eta_ms,
    )
    return vcg_auction.Opening(opening.provider, opening.ask, opening.nonce, terms)
