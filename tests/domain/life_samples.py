"""One fact of every kind, and what both machines of lives are built from."""

from domain_records import AUCTION, GENESIS, PAYER, b32, commit_of, node_key, opening, spec

from ainur_node.domain import events as fact
from ainur_node.domain.auction.commitments import bid_set_root
from ainur_node.domain.ids import AccountId, EscrowId, ModuleId, PackageId, PeerId, TaskId
from ainur_node.domain.money import Amount
from ainur_node.domain.receipt import Execution, Exit, Receipt

BID = opening(0, 1_000)
COMMIT = commit_of(BID, node_key(0))
ESCROW = EscrowId(b32("escrow"))
TASK = TaskId(b32("task"))
WINNER = AccountId(BID.provider)
RECEIPT = Receipt(
    Execution(
        escrow=ESCROW,
        provider=WINNER,
        terms=b32("terms"),
        input_sha256=b32("input"),
        seed=b32("seed"),
        clock=1,
        host_transcript=b32("host"),
        output_sha256=b32("output"),
        output_len=2,
        exit=Exit.OK,
        code=0,
        fuel_used=3,
    ),
    cpu_ns=4,
    peak_mem=5,
    engine_build=b32("build"),
    signature=bytes(64),
)
SUBMITTED = fact.Submitted(
    task=TASK,
    spec=spec(modules=(ModuleId(b32("module 0")),)),
    capability="summarize",
    package=PackageId(b32("package")),
    input_sha256=b32("input"),
    salt=b32("salt"),
    nonce=b32("nonce"),
    budget=Amount(3_030),
    at=1,
)
ROOT = bid_set_root(GENESIS, AUCTION, {COMMIT.provider: COMMIT.commit})
REQUESTER_FACTS: dict[str, fact.RequesterFact] = {
    "Submitted": SUBMITTED,
    "Funded": fact.Funded(AUCTION, Amount(3_000), 100, 3, 10, 20, 30),
    "FundingRefused": fact.FundingRefused("balance_too_low", "add money"),
    "BidsCollected": fact.BidsCollected(AUCTION, (COMMIT,), ROOT),
    "Closed": fact.Closed(AUCTION, 7, b32("beacon")),
    "Cleared": fact.Cleared(AUCTION, b32("transcript"), b32("blob"), BID, Amount(1_200), 60, 1_260, 1, True),
    "NoSale": fact.NoSale(AUCTION, (("not_revealed", 1),), b32("transcript"), False),
    "Released": fact.Released(AUCTION, "expired"),
    "Escrowed": fact.Escrowed(ESCROW, WINNER, Amount(1_200), Amount(12), 40, 50),
    "AwardRefused": fact.AwardRefused("not_enough_stake", 9),
    "Delivered": fact.Delivered(ESCROW, b32("delivery"), 60),
    "WinnerFailed": fact.WinnerFailed(ESCROW, WINNER, "declined"),
    "Verified": fact.Verified(ESCROW, b32("output"), 2, RECEIPT, True),
    "Mismatch": fact.Mismatch(ESCROW, 2, "replay_differs", b32("evidence")),
    "Settled": fact.Settled(ESCROW, "paid", Amount(1_200), Amount(12)),
    "Disputed": fact.Disputed(ESCROW, 2, 70, Amount(600)),
    "CancelRequested": fact.CancelRequested(2),
}
INVITED = fact.Invited(
    auction=AUCTION,
    task=TASK,
    auctioneer=PeerId("auctioneer"),
    payer=PAYER,
    spec=SUBMITTED.spec,
    capability="summarize",
    package=SUBMITTED.package,
    reserve=Amount(3_000),
    opening=BID,
    commit=COMMIT,
    at=1,
)
PROVIDER_FACTS: dict[str, fact.ProviderFact] = {
    "Invited": INVITED,
    "Committed": fact.Committed(3, bytes(64)),
    "CommitRefused": fact.CommitRefused("too_late"),
    "Revealed": fact.Revealed(ROOT),
    "Lost": fact.Lost("outbid"),
    "Awarded": fact.Awarded(ESCROW, Amount(1_200), 40, 45, 50),
    "Completed": fact.Completed(RECEIPT, b32("salt")),
    "WorkFailed": fact.WorkFailed("exit_trap", "unreachable"),
    "DeliveredOnChain": fact.DeliveredOnChain(b32("delivery")),
    "DeliveryRefused": fact.DeliveryRefused("too_late"),
    "Challenged": fact.Challenged(2, 70),
    "AnswerStands": fact.AnswerStands("replay_agrees"),
    "AnswerDiffers": fact.AnswerDiffers("replay_output"),
    "Paid": fact.Paid("paid", Amount(1_200)),
}
