"""Payment channels of one node: the payer's service, the payee's, and the desk that asks both."""

from typing import Any

from ainur_node.domain.channels.payee import Terms
from ainur_node.market.channel_earning import ChannelEarning
from ainur_node.market.channel_paying import ChannelPaying
from ainur_node.market.desk_channels import ChannelDesk
from ainur_node.ports import Clock, Mesh, Observer, TaskStore
from ainur_node.ports.channels import ChannelBook
from ainur_node.signing import NodeSigner, SessionKeys


class Channels:
    """Load, then serve, then run ``paying`` and ``earning``."""

    def __init__(
        self,
        store: TaskStore,
        mesh: Mesh,
        book: ChannelBook,
        signer: NodeSigner,
        keys: SessionKeys,
        clock: Clock,
        observer: Observer,
        terms: Terms | None = None,
    ) -> None:
        self.paying = ChannelPaying(store, mesh, book, keys, clock, observer)
        self.earning = ChannelEarning(store, mesh, book, signer, observer, terms or Terms())
        self._desk = ChannelDesk(self.paying, self.earning, book, clock)

    async def load(self) -> None:
        """Remember the channels of earlier runs."""
        await self.paying.load()
        await self.earning.load()

    def serve(self) -> None:
        """Answer payers from now on."""
        self.earning.serve()

    def handlers(self) -> dict[str, Any]:
        """Local questions by method name."""
        desk = self._desk
        return {
            "channel.open": desk.open,
            "channel.top_up": desk.top_up,
            "channel.show": desk.show,
            "channel.list": desk.list_channels,
            "channel.close": desk.close,
            "quote.channel_open": desk.quote_open,
            "quote.channel_top_up": desk.quote_top_up,
            "quote.channel_close": desk.quote_close,
        }

    def streams(self) -> dict[str, Any]:
        """Local questions with many answers."""
        return {"channel.pay": self._desk.pay}
