"""What becomes of a message that the sandbox took, and whom it tells."""

from dataclasses import dataclass, field
from datetime import datetime

from automation.delivery.sandbox.mailbox import Taken


@dataclass(frozen=True)
class Ear:
    """Where a vendor's webhooks go, and what both sides know to sign and to check them with."""

    url: str
    token: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Happened:
    """Something became of a message. `outcome` is a word of ours: delivered, bounced_hard, bounced_soft, complained,
    unsubscribed, opened, clicked, failed; or `inbound`: its recipient answered with `text`. The same `number`: the same
    event. `told_at`: when it is told, if that is later, for vendors that sign each repeat afresh.
    """

    message: Taken
    outcome: str
    at: datetime
    number: int
    text: str = ""
    told_at: datetime | None = None

    @property
    def signed_at(self) -> datetime:
        return self.told_at or self.at
