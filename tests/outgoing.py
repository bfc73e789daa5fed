"""Messages that are ready for a provider, as several tests send them."""

from automation.delivery.outgoing import Outgoing

NUDGE = Outgoing(
    message_id=9,
    channel="sms",
    sender="+15550100",
    recipient="+393331234567",
    subject="",
    html="",
    text="Ciao, è ora & 10 € 🎁",
    headers={},
    tag="nudge",
    kind="marketing",
)
